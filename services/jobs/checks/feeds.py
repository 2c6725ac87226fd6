"""Whether each feed is connected and has the symbols that it should. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part, Status
from services.jobs.checks.parts import degraded, down, well


def feed_parts(feeds: Mapping[str, FeedConfig], collectors: Sequence[Part], calendar: str) -> Iterator[Part]:
    """Yield a part for each feed, from what collectors say of theirs, and one for the calendar's symbols."""
    for name, feed in feeds.items():
        yield _feed(name, feed, [part for part in collectors if part.part.endswith(f"/feed/{name}")])
    yield _symbols(feeds, calendar)


def _feed(name: str, feed: FeedConfig, said: Sequence[Part]) -> Part:
    part = f"feed/{name}"
    active = [one for one in said if not one.facts.get("standby")]
    if not active:
        return down(part, "no collector collects it")
    one = min(active, key=lambda one: one.status is not Status.OK)
    if one.status is Status.DOWN or not one.facts.get("connected"):
        return down(part, one.detail)
    if one.facts.get("symbols") != len(feed.symbols):
        return down(
            part, f"the collector has {one.facts.get('symbols')} symbols, the configuration {len(feed.symbols)}"
        )
    return (well if one.status is Status.OK else degraded)(part, one.detail, symbols=len(feed.symbols))


def _symbols(feeds: Mapping[str, FeedConfig], calendar: str) -> Part:
    names = [
        f"{name}:{symbol}"
        for name, feed in feeds.items()
        for symbol in feed.symbols
        if feed.calendar_of(symbol) == calendar
    ]
    if not names:
        return degraded("symbols", f"no symbol of {calendar} is collected", count=0)
    return well("symbols", f"{len(names)} of {calendar}: {', '.join(names[:5])}", count=len(names))
