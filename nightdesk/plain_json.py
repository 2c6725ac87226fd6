"""Say whatever a job returns in JSON as PostgreSQL keeps it: what cannot be said so becomes text. Pure.

PostgreSQL's JSON has no NaN, no infinity, no NUL character and no half of a surrogate pair:
https://www.postgresql.org/docs/current/datatype-json.html
"""

import json
import math
from collections.abc import Mapping
from typing import Final, TypeAlias

MAX_BYTES: Final = 1024 * 1024
"""Of one value; more is no summary, and belongs in a table or a file."""

SHOWN: Final = 1000
"""Characters of a value that is too large."""

_Plain: TypeAlias = "str | int | float | bool | list[_Plain] | dict[str, _Plain] | None"


def plain_json(value: Mapping[str, object], *, max_bytes: int = MAX_BYTES) -> str:
    """Return the value as a JSON object; one that is too large or cannot be written says so in its place."""
    try:
        text = json.dumps(_plain(value), allow_nan=False)
    except Exception as error:  # noqa: BLE001  whatever a job returns may fail in its own way when it is looked at
        return json.dumps({"unwritable": storable(f"{type(error).__name__}: {error}")[:SHOWN]})
    if len(text) > max_bytes:
        return json.dumps({"too_large_bytes": len(text), "begins": text[:SHOWN]})
    return text


def storable(text: str) -> str:
    """Return a text as PostgreSQL keeps it: no NUL character, nothing that is no Unicode."""
    return text.replace("\0", "?").encode("utf-8", "replace").decode("utf-8")


def _plain(value: object) -> _Plain:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(one) for one in value]
    return storable(str(value))
