"""Read from compose.yaml what each of our services runs and which variables it is given.

Local processes are described once, in compose.yaml; this module only translates. Pure: text in, values out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from nightdesk.errors import ConfigurationError

OUR_IMAGE: Final = "nightdesk:"
_VARIABLE: Final = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service that runs our own image."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    replicas: int = 1


def our_services(text: str, environ: Mapping[str, str]) -> dict[str, Service]:
    """Return the services of our image by name; ``environ`` fills ``${NAME:-default}`` as Compose would.

    Raises ConfigurationError when the file is not what Compose would take.
    """
    try:
        document = yaml.safe_load(text)
        described = document["services"].items()
        return {name: _service(name, body, environ) for name, body in described if _is_ours(body)}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigurationError(f"compose.yaml: {error}") from error


def postgres_settings(text: str) -> dict[str, str]:
    """Return the settings that compose.yaml starts PostgreSQL with: its ``-cname=value`` arguments."""
    words = yaml.safe_load(text)["services"]["postgres"]["command"]
    return dict(word.removeprefix("-c").split("=", 1) for word in words if word.startswith("-c"))


def interpolated(text: str, environ: Mapping[str, str]) -> str:
    """Return the text with ``${NAME:-default}`` replaced: an empty variable counts as not set."""

    def value(match: re.Match[str]) -> str:
        if match["name"] is None:
            return "$"
        return environ.get(match["name"]) or match["default"] or ""

    return _VARIABLE.sub(value, text)


def read_dotenv(text: str) -> dict[str, str]:
    """Return the variables of an ``.env`` file: NAME=value lines, quotes and comments as Compose reads them."""
    variables = {}
    for line in text.splitlines():
        name, sign, value = line.strip().removeprefix("export ").partition("=")
        if sign and not name.startswith("#"):
            variables[name.strip()] = _unquoted(value.strip())
    return variables


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return re.split(r"\s#", value, maxsplit=1)[0].rstrip()


def _is_ours(body: Mapping[str, Any]) -> bool:
    return str(body["image"]).startswith(OUR_IMAGE)


def _service(name: str, body: Mapping[str, Any], environ: Mapping[str, str]) -> Service:
    environment = {key: interpolated(str(value), environ) for key, value in body.get("environment", {}).items()}
    replicas = interpolated(str(body.get("deploy", {}).get("replicas", "1")), environ)
    return Service(name=name, command=tuple(body["command"]), environment=environment, replicas=int(replicas))
