"""Where a channel's secrets are: in variables of the environment, whose names stand in the configuration."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator

from services.alerter.channel import Options

_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")
_MAX_WORD: Final = 20
"""Longer without an underscore it is a key in capitals, as PagerDuty's are, and no name that anybody would give."""

_MARK: Final = "the name of a variable"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text) or max(map(len, text.split("_"))) > _MAX_WORD:
        raise ValueError("write the variable's name, the secret itself does not belong in this file")
    return text


SecretName: TypeAlias = Annotated[str, AfterValidator(_name), _MARK]
"""The name of the variable that holds a secret; ``NAME_FILE`` may name a file that holds it."""


def secret_variables(options: Options) -> dict[str, str]:
    """Return the variable of every secret of these options, by field."""
    fields = type(options).model_fields.items()
    return {name: getattr(options, name) for name, field in fields if _MARK in field.metadata}
