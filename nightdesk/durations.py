"""Lengths of time as people write them: ``90s``, ``15m``, ``4h``, ``2d``. Pure."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import BeforeValidator

UNITS_S: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
MAX_S: Final = 366 * 86_400.0

_FORM: Final = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd])")


def seconds(text: object) -> float:
    """Return the seconds; raises ValueError that says how to write it."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    found = _FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError("is no length of time; write 90s, 15m, 4h or 2d")
    length_s = float(found[1]) * UNITS_S[found[2]]
    if length_s > MAX_S:
        raise ValueError("is longer than a year")
    return length_s


Duration: TypeAlias = Annotated[float, BeforeValidator(seconds)]
"""Seconds, written as a number and a unit."""


def written(length_s: float) -> str:
    """Return a length as people say it: the two largest units, nothing below a second."""
    left = max(0, round(length_s))
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"
