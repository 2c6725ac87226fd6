"""Web addresses that a person wrote: checked before anything is sent there."""

from typing import Annotated, Final, TypeAlias

import requests
from pydantic import AfterValidator

from nightdesk.errors import ConfigurationError

_SCHEMES: Final = ("https://", "http://")


def _api_url(text: str) -> str:
    if not _is_address(text) or any(character in text for character in "@?#"):
        raise ValueError("is no address; write https://host, without a login and without a question")
    return text.rstrip("/")


ApiUrl: TypeAlias = Annotated[str, AfterValidator(_api_url)]
"""Where an API begins, without a slash at the end: its own address, or that of a stand-in."""


def web_address(variable: str, text: str) -> str:
    """Return the address in a variable; raises ConfigurationError that names the variable and keeps the value back."""
    if _is_address(text):
        return text
    raise ConfigurationError(f"{variable}: is no web address; write https://... as the other side shows it")


def _is_address(text: str) -> bool:
    try:
        requests.Request("POST", text).prepare()
    except ValueError:
        return False
    return text.startswith(_SCHEMES) and text.isascii() and text.isprintable() and " " not in text
