"""A gap as a line that people read. Pure."""

from dataclasses import dataclass
from typing import Final

from nightdesk import durations
from services.api.models import Gap, GapState

MARKS: Final = {
    GapState.OPEN: "degraded",
    GapState.FILLING: "degraded",
    GapState.FILLED: "ok",
    GapState.UNFILLABLE: "down",
}
QUALITIES: Final = {"trades": "trade by trade", "aggregated": "aggregated trades", "bars": "candles only"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A gap, how good or bad it is (``mark``), what it lacks and what became of it."""

    gap: Gap
    mark: str
    extent: str
    outcome: str


def line(gap: Gap) -> Line:
    """Return the line of a gap."""
    return Line(gap=gap, mark=MARKS[gap.state], extent=extent(gap), outcome=outcome(gap))


def extent(gap: Gap) -> str:
    """Return how much a gap is: ids where the exchange counts them, else a length of time."""
    if gap.from_id is not None and gap.to_id is not None:
        whole = gap.to_id - gap.from_id + 1
        ids = f"{whole:,} id{'' if whole == 1 else 's'}"
        return f"{gap.missing_ids:,} of {ids}" if gap.missing_ids else ids
    if gap.from_time is not None and gap.to_time is not None:
        return durations.written((gap.to_time - gap.from_time).total_seconds())
    return "since then" if gap.from_time is not None else "not known"


def outcome(gap: Gap) -> str:
    """Return how a gap was filled, or why it is not."""
    quality = QUALITIES.get(gap.quality, "")
    filled = ", ".join(filter(None, (gap.source, quality)))
    if gap.state is GapState.FILLED:
        return filled or "the missing ids came after all"
    tries = f"tried {gap.tries} time{'' if gap.tries == 1 else 's'}" if gap.tries else ""
    return "; ".join(filter(None, (gap.reason, tries, filled and f"in part: {filled}")))
