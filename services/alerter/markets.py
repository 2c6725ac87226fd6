"""When markets are open, as a metric that rules can ask: ``market_open{calendar="XNYS"}``."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from nightdesk.calendars import Calendars
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import ALWAYS_OPEN, FeedConfig

log = structlog.get_logger()

ALWAYS_EXPORTED: Final = (ALWAYS_OPEN, "XLON", "XNAS", "XNYS")
LOOK_S: Final = 60.0
RETRY_S: Final = 15.0


def calendars_of(feeds: Iterable[FeedConfig]) -> tuple[str, ...]:
    """Return every calendar that a feed names, and those that are exported in any case."""
    named = {name for feed in feeds for name in (feed.calendar, *feed.calendars.values())}
    return tuple(sorted(named | set(ALWAYS_EXPORTED)))


class Markets(Collector):
    """Exports whether each market is open at the moment of the scrape; one whose calendar is not known is left out."""

    def __init__(self, names: Iterable[str], calendars: Calendars, wall_ns: Callable[[], int]) -> None:
        self._names = tuple(names)
        self._calendars = calendars
        self._wall_ns = wall_ns

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yield the one family."""
        family = GaugeMetricFamily("market_open", "1 while the market of this calendar is open.", labels=["calendar"])
        now_ns = self._wall_ns()
        for name in self._names:
            if self._calendars.knows(name):
                family.add_metric([name], float(self._calendars.is_open(name, now_ns)))
        yield family

    async def keep(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Compute the calendars at the start and then once a day; a failure is tried again and leaves what is known."""
        while True:
            wait_s = LOOK_S
            if self._calendars.stale(self._wall_ns()):
                try:
                    await asyncio.to_thread(self._calendars.rebuild, self._wall_ns())
                except ConfigurationError as error:
                    wait_s = RETRY_S
                    log.error("calendars.not_rebuilt", error=str(error))  # noqa: TRY400  the text says it all
            await pause(wait_s)
