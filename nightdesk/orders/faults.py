"""What is wrong with the rows of a batch: every one counted, the first hundred named. Pure."""

from dataclasses import dataclass, field
from typing import Final

from nightdesk.errors import NightdeskError

MAX_LISTED: Final = 100
SHOWN: Final = 40
"""Characters of a value that is named."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong value: the line of the file or the place in the list, the column, and why.

    ``also`` is the other place that has to do with it.
    """

    place: int
    column: str
    reason: str
    also: int | None = None


@dataclass(slots=True)
class Faults:
    """Those of one batch; ``rows`` is how many rows have one at least."""

    listed: list[Fault] = field(default_factory=list)
    rows: int = 0

    def add(self, faults: list[Fault], *, rows: int = 1) -> None:
        """Take what is wrong with so many rows."""
        self.rows += rows
        self.listed += faults[: MAX_LISTED - len(self.listed)]


class BatchError(NightdeskError):
    """A batch of which nothing is recorded, since something is wrong with it; ``faults`` name what."""

    def __init__(self, detail: str, faults: list[Fault]) -> None:
        super().__init__(detail)
        self.faults = faults


def refused(faults: Faults, received: int) -> BatchError:
    """Return the error for a batch with wrong rows."""
    more = "" if faults.rows <= MAX_LISTED else f", the first {MAX_LISTED} of what is wrong listed"
    said = "1 row is wrong" if faults.rows == 1 else f"{faults.rows:,} rows are wrong"
    return BatchError(f"{said} of {received:,}{more}; nothing is recorded", faults.listed)


def shown(value: object) -> str:
    """Return a value as it is named in an error."""
    return repr(cut(str(value)))


def cut(text: str) -> str:
    """Return the beginning of a text, in characters that can be sent."""
    kept = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
    return kept.encode("utf-8", "backslashreplace").decode("utf-8")
