"""Whether data comes while its market is open, and gaps are filled. Pure.

What a feed is judged by is its newest trade, or, where it collects none, its newest tick.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part, Status
from nightdesk.ticks import Kind
from services.jobs.checks.parts import well

IsOpen: TypeAlias = Callable[[str, float], bool]
"""Return whether the market of this calendar is open at a Unix time in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """When the newest tick of a symbol and kind came, Unix seconds."""

    feed: str
    symbol: str
    kind: int
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What of a feed is to be filled: how many gaps, and when the oldest of the last day was opened (Unix seconds)."""

    feed: str
    count: int
    oldest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Whether a market is open now, and was as long ago as its data may be old."""

    now: bool
    lately: bool


def fresh_parts(
    feeds: Mapping[str, FeedConfig], newest: Sequence[Newest], is_open: IsOpen, now_s: float, limit_s: float
) -> Iterator[Part]:
    """Yield a part for each feed and calendar: a market that has been open for ``limit_s`` has data no older."""
    for name, feed in feeds.items():
        for calendar in sorted({feed.calendar_of(symbol) for symbol in feed.symbols}):
            symbols = {symbol for symbol in feed.symbols if feed.calendar_of(symbol) == calendar}
            kind = Kind.TRADE if Kind.TRADE in feed.kinds else None
            times = [
                one.at_s
                for one in newest
                if one.feed == name and one.symbol in symbols and kind in {None, Kind(one.kind)}
            ]
            at_s = max(times, default=None)
            age_s = None if at_s is None else max(0.0, now_s - at_s)
            opens = Hours(now=is_open(calendar, now_s), lately=is_open(calendar, now_s - limit_s))
            yield _fresh(f"data/{name} {calendar}", age_s, opens, limit_s)


def _fresh(part: str, age_s: float | None, opens: Hours, limit_s: float) -> Part:
    is_stale = opens.now and opens.lately and (age_s is None or age_s > limit_s)
    last = "nothing was ever stored" if age_s is None else f"the newest is {age_s:.0f} s old"
    return Part(
        part=part,
        status=Status.DOWN if is_stale else Status.OK,
        detail=f"the market is {'open' if opens.now else 'closed'}, {last}",
        age_s=age_s,
        threshold_s=limit_s,
    )


def gap_parts(feeds: Iterable[str], gaps: Sequence[Gaps], now_s: float, limit_s: float) -> Iterator[Part]:
    """Yield a part for each feed: no gap of the last day stays open longer than ``limit_s``."""
    by_feed = {one.feed: one for one in gaps}
    for feed in feeds:
        found = by_feed.get(feed)
        yield well(f"gaps/{feed}", "none is open", open=0) if found is None else _gaps(found, now_s, limit_s)


def _gaps(found: Gaps, now_s: float, limit_s: float) -> Part:
    age_s = None if found.oldest_s is None else now_s - found.oldest_s
    is_old = age_s is not None and age_s > limit_s
    return Part(
        part=f"gaps/{found.feed}",
        status=Status.DEGRADED if is_old else Status.OK,
        detail=f"{found.count} open",
        age_s=age_s,
        threshold_s=limit_s,
        facts={"open": found.count},
    )
