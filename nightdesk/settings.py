"""Settings from the environment, read once and checked all at once.

A service declares a frozen pydantic model; a field's alias (or its upper-cased name) is the variable. A field of type
``SecretStr`` may also come from the file that ``NAME_FILE`` names. An empty variable counts as not set, so that
``NAME=`` in an ``.env`` file means the default.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar, get_args

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from nightdesk.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)

FILE_SUFFIX: Final = "_FILE"
MAX_SECRET_BYTES: Final = 64 * 1024
MAX_SHOWN_CHARACTERS: Final = 200


class Settings(BaseModel):
    """What every service's settings share."""

    model_config = ConfigDict(frozen=True, populate_by_name=True, hide_input_in_errors=True, allow_inf_nan=False)

    log_level: str = Field("info", pattern="(?i)^(debug|info|warning|error)$", description="least level logged")
    log_format: str = Field(
        "auto",
        pattern="^(auto|json|console)$",
        description="json for machines, console for eyes; auto is console on a terminal and json elsewhere",
    )
    log_dir: Path | None = Field(None, description="directory of log files, one directory a service; none without it")
    listen_host: str = Field("0.0.0.0", min_length=1, description="address to listen on; 0.0.0.0 is every one")
    metrics_port: int = Field(9100, ge=0, le=65535, description="port of /health, /livez, /readyz and /metrics")


class RedisSettings(BaseModel):
    """Where the streams live."""

    redis_url: str = Field("redis://127.0.0.1:6379/0", pattern="^(rediss?|unix)://", description="Redis, no password")
    redis_password: SecretStr | None = Field(None, description="password of Redis")


class DatabaseSettings(BaseModel):
    """Where the rows live."""

    database_url: str = Field(
        "postgresql://nightdesk_writer@127.0.0.1:5432/nightdesk",
        pattern="^postgres(ql)?://",
        description="PostgreSQL, without the password",
    )
    database_password: SecretStr | None = Field(None, description="password of the role in DATABASE_URL")


def load(model: type[Model], environ: Mapping[str, str]) -> Model:
    """Return the settings; raises ConfigurationError that names every wrong or missing variable at once."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for name, field in model.model_fields.items():
        variable = variable_of(name, field)
        try:
            value = _value(variable, environ, secret=_is_secret(field))
        except ConfigurationError as error:
            problems.append(str(error))
            continue
        if value is not None:
            values[name] = value
    try:
        settings = model.model_validate(values, by_name=True)
    except ValidationError as error:
        problems += [_problem(model, values, dict(one)) for one in error.errors(include_input=False, include_url=False)]
    if problems:
        raise ConfigurationError("\n".join(["the environment is wrong:", *(f"  {line}" for line in problems)]))
    return settings


def variable_of(name: str, field: FieldInfo) -> str:
    """Return the environment variable of a field."""
    alias = field.validation_alias or field.alias
    if isinstance(alias, AliasChoices):
        alias = alias.choices[0]
    return alias if isinstance(alias, str) else name.upper()


def _value(variable: str, environ: Mapping[str, str], *, secret: bool) -> str | None:
    if secret:
        return secret_of(variable, environ)
    value = environ.get(variable) or None
    return _text(variable, value) if value else None


def secret_of(variable: str, environ: Mapping[str, str]) -> str | None:
    """Return the secret in a variable or in the file that ``VARIABLE_FILE`` names; raises ConfigurationError."""
    direct = environ.get(variable) or None
    file = environ.get(variable + FILE_SUFFIX) or None
    if direct is not None and file is not None:
        raise ConfigurationError(f"{variable}: set it or {variable}{FILE_SUFFIX}, not both")
    if file is None:
        return _text(variable, direct) if direct else None
    return _content(f"{variable}{FILE_SUFFIX}", file).strip() or None


def _content(variable: str, file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            content = opened.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{variable}: cannot read {_shown(file)}: {error.strerror}") from error
    if len(content) > MAX_SECRET_BYTES:
        raise ConfigurationError(f"{variable}: {_shown(file)} is larger than {MAX_SECRET_BYTES} bytes: no secret is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{variable}: {_shown(file)} is not UTF-8 text") from error


def _text(variable: str, value: str) -> str:
    """Return the value; what was no UTF-8 in the environment could not be sent or stored anywhere."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(f"{variable}: is not UTF-8 text") from error
    return value


def _shown(value: str) -> str:
    return value if len(value) <= MAX_SHOWN_CHARACTERS else f"{value[:MAX_SHOWN_CHARACTERS]}..."


def _is_secret(field: FieldInfo) -> bool:
    return field.annotation is SecretStr or SecretStr in get_args(field.annotation)


def _problem(model: type[BaseModel], values: Mapping[str, str], error: dict[str, object]) -> str:
    location = error["loc"]
    first = str(location[0]) if isinstance(location, tuple) and location else ""
    for name, field in model.model_fields.items():
        if first in {name, variable_of(name, field)}:
            meaning = f" ({field.description})" if field.description else ""
            given = "" if _is_secret(field) or name not in values else f"={_shown(values[name])!r}"
            return f"{variable_of(name, field)}{given}: {error['msg']}{meaning}"
    return str(error["msg"])
