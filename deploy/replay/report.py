"""What a person reads of a replay: a line while it runs, a table at its end. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from deploy.replay.figures import Progress, Stored


def line(progress: Progress, per_s: float) -> str:
    """Return how far it is."""
    return (
        f"{progress.sent:,} of {progress.total:,} messages sent, {progress.committed:,} ticks stored, "
        f"{per_s:,.0f} messages/s"
    )


def table(stored: Sequence[Stored]) -> str:
    """Return what is stored, one line a symbol and kind."""
    head = f"{'symbol':<16}{'kind':<11}{'stored':>10}{'repeats':>9}{'gaps':>6}{'missing ids':>13}  from .. to (UTC)"
    return "\n".join([head, *map(_row, stored)])


def remarks(progress: Progress) -> list[str]:
    """Return what did not become a row, and what else a person should know."""
    lines = [
        f"rejected by the codec    {_counts(progress.rejected)}",
        f"quarantined by the store {_counts(progress.quarantined)}",
        f"conflated                {_counts(progress.conflated)}",
    ]
    if progress.skipped:
        lines.append(f"{progress.skipped:,} messages were not sent: nobody subscribes to their streams")
    if progress.received < progress.sent:
        lines.append(f"{progress.sent - progress.received:,} messages that were sent did not arrive")
    if not progress.ready:
        lines.append("not every subscription was confirmed or not every book came into step")
    if progress.spooled:
        lines.append(f"{progress.spooled:,} frames were still on their way when the replay gave up")
    return lines


def _row(one: Stored) -> str:
    return (
        f"{one.symbol:<16}{one.kind.label:<11}{one.stored:>10,}{one.duplicates:>9,}{one.gaps:>6,}"
        f"{one.missing_ids:>13,}  {_span(one.first, one.last)}"
    )


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _span(first: datetime | None, last: datetime | None) -> str:
    if first is None or last is None:
        return ""
    end = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} .. {end}"
