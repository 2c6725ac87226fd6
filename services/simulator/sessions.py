"""When session-bound symbols trade: by the exchange's calendar, or as somebody decided for a test."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from nightdesk.calendars import Calendars, Closures, Spans
from nightdesk.feeds_config import ALWAYS_OPEN

log = structlog.get_logger()

NS_PER_MS: Final = 1_000_000
LOOK_S: Final = 60.0


class Sessions:
    """Knows which calendars are open.

    Calendars take a second and 60 MB to make, so that nothing is made until somebody speaks TickDB; until then what is
    bound to a session is closed.
    """

    def __init__(self, calendars: Iterable[str], spans: Spans) -> None:
        self.names = frozenset(calendars) - {ALWAYS_OPEN}
        self._calendars = Calendars(self.names, closures=Closures(), spans=spans)
        self._decided: dict[str, bool] = {}
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """Say that somebody may ask for a session-bound symbol."""
        self._wanted.set()

    def decide(self, calendar: str, *, is_open: bool | None) -> None:
        """Open or close a market whatever its calendar says; None lets the calendar say again."""
        if is_open is None:
            self._decided.pop(calendar, None)
        else:
            self._decided[calendar] = is_open

    def is_open(self, calendar: str, now_ms: int) -> bool:
        """Return whether a calendar's market is open."""
        decided = self._decided.get(calendar)
        return self._calendars.is_open(calendar, now_ms * NS_PER_MS) if decided is None else decided

    def refresh(self, now_ms: int) -> None:
        """Make the calendars if they are missing or a day old. Raises ConfigurationError for an unknown one."""
        if self._calendars.stale(now_ms * NS_PER_MS):
            self._calendars.rebuild(now_ms * NS_PER_MS)

    async def keep(self, now_ms: Callable[[], int]) -> None:
        """Keep the calendars fresh from the first wish on, without holding up the market."""
        await self._wanted.wait()
        while True:
            await asyncio.to_thread(self.refresh, now_ms())
            await asyncio.sleep(LOOK_S)
