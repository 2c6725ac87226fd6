"""What the worker does between turns, each at its own pace."""

from collections.abc import Callable, Sequence
from typing import Final

from nightdesk.consumer import Loop, Position
from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.store.store import Store
from nightdesk.streams import RedisStreams
from services.worker.observer import Observer

SURVEY_S: Final = 1.0
LEDGER_S: Final = 10.0
SERVERS_S: Final = 5.0
PUBLISH_S: Final = 5.0
DAYS_S: Final = 3600.0
BAR_GRACE_S: Final = 5.0
"""How long after its minute a quiet symbol's bar stays open for late trades."""


class Pace:
    """Say when something is due again."""

    def __init__(self, every_s: float, now_s: Callable[[], float]) -> None:
        self._every_s = every_s
        self._now_s = now_s
        self._next_s = now_s()

    def due(self) -> bool:
        """Return whether the time has come, and if so begin to wait anew."""
        if self._now_s() < self._next_s:
            return False
        self._next_s = self._now_s() + self._every_s
        return True


class Housekeeping:
    """Look at the streams and servers, close quiet bars, count the ledger, publish positions again, make days ahead."""

    def __init__(
        self,
        *,
        loop: Loop,
        store: Store,
        streams: RedisStreams,
        observer: Observer,
        feeds: Sequence[str],
        now_s: Callable[[], float],
    ) -> None:
        self._loop = loop
        self._store = store
        self._streams = streams
        self._observer = observer
        self._feeds = feeds
        self._survey = Pace(SURVEY_S, now_s)
        self._ledger = Pace(LEDGER_S, now_s)
        self._servers = Pace(SERVERS_S, now_s)
        self._publish = Pace(PUBLISH_S, now_s)
        self._days = Pace(DAYS_S, now_s)

    def look(self) -> None:
        """Do what is due; raises UnavailableError.

        What fails is due again in its own time; what the database refuses holds up neither the rest nor the turns.
        """
        positions = self._loop.positions()
        chores = (
            (self._survey, self._look_around), (self._publish, self._publish_again), (self._ledger, self._count_gaps),
            (self._servers, self._look_at_servers), (self._days, lambda _: self._store.make_days()),
        )  # fmt: skip
        for pace, chore in chores:
            if pace.due():
                self._try(chore, positions)

    def _try(self, chore: Callable[[Sequence[Position]], None], positions: Sequence[Position]) -> None:
        try:
            chore(positions)
        except UnavailableError:
            raise
        except NightdeskError as error:
            self._observer.failed("refused", error)

    def _look_around(self, positions: Sequence[Position]) -> None:
        tops = self._streams.tops(positions)
        self._observer.surveyed(positions, tops)
        caught_up = [one.consumer for one in positions if one.consumer not in tops or not tops[one.consumer].waiting]
        self._store.close_bars(caught_up, BAR_GRACE_S)

    def _publish_again(self, positions: Sequence[Position]) -> None:
        self._streams.publish([one for one in positions if one.entry_id != NOTHING_YET])

    def _count_gaps(self, positions: Sequence[Position]) -> None:
        self._observer.counted_gaps(self._store.gap_figures([one.consumer for one in positions]), self._feeds)

    def _look_at_servers(self, _: Sequence[Position]) -> None:
        self._observer.saw_servers(database_s=self._store.server_started_s(), redis_uptime_s=self._streams.uptime_s())


NOTHING_YET: Final = "0-0"
