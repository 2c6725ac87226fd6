"""Keep watching Prometheus, and read up on what was missed.

An answer is sure only while the watchdog fires and its value, the time of its evaluation, moves: a Prometheus that has
just started, or does not evaluate its rules, knows of no alerts, and that is not the same as that there are none.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol

import structlog

from nightdesk.errors import UnavailableError
from services.alerter.alerts import NAME, Episode, Source
from services.alerter.desk import Desk
from services.alerter.matching import Labels
from services.alerter.observing import observe, recall, settle
from services.alerter.policy import Watching
from services.alerter.turn import Turn
from services.alerter.watch.prometheus import Snapshot, filled

log = structlog.get_logger()

OVERLAP_S: Final = 15.0
"""How much of the time that was seen is read again with what was missed, so that what goes on is known to go on."""

MISSED_POLLS: Final = 3.0
"""Answers further apart than so many polls leave a gap that has to be read up on."""

RuleWords = Mapping[str, Mapping[str, str]]
"""Every rule's annotations, as they are written, by its name."""


class Asked(Protocol):
    """What is asked of Prometheus; each raises UnavailableError."""

    async def snapshot(self) -> Snapshot:
        """Return what fires now."""

    async def episodes(self, since_s: float, until_s: float) -> Sequence[Episode]:
        """Return what fired between two moments."""

    async def words(self) -> RuleWords:
        """Return every rule's annotations."""


class Watcher:
    """Asks Prometheus once in a while, and tells the desk."""

    def __init__(
        self,
        *,
        prometheus: Asked,
        desk: Desk,
        watching: Watching,
        wall_s: Callable[[], float],
        on_poll: Callable[[str, float], None],
    ) -> None:
        self._prometheus = prometheus
        self._desk = desk
        self._watching = watching
        self._wall_s = wall_s
        self._on_poll = on_poll
        self._has_failed = True
        self.answered_s = wall_s()
        """When Prometheus last answered; in the beginning, when that was hoped for."""

        self.answers_since_s: float | None = None
        """Since when it has answered every time; None while it does not."""

        self.evaluated_s = wall_s()
        """When it last evaluated its rules, by the watchdog's word."""

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Ask for ever."""
        while True:
            await self.poll()
            await pause(self._watching.every)

    async def poll(self) -> None:
        """Ask once, and take the answer in one turn."""
        started_s = self._wall_s()
        try:
            snapshot = await self._prometheus.snapshot()
            self.answered_s = self._wall_s()
            self.answers_since_s = self.answers_since_s or self.answered_s
            is_sure = self._is_sure(snapshot)
            missed = await self._missed(started_s) if is_sure and self._is_behind(started_s) else None
        except UnavailableError as error:
            if not self._has_failed:
                log.warning("prometheus.away", error=str(error))
            self._has_failed, self.answers_since_s = True, None
            self._on_poll("failed", self._wall_s() - started_s)
            return
        if is_sure:
            self._desk.is_ready = True
        self._desk.change(lambda turn: self._take(turn, snapshot, started_s, missed, is_sure=is_sure))
        self._has_failed = not is_sure
        self._on_poll("ok" if is_sure else "no_watchdog", self._wall_s() - started_s)

    def _is_sure(self, snapshot: Snapshot) -> bool:
        if snapshot.watchdog_s is None:
            return False
        self.evaluated_s = max(self.evaluated_s, min(snapshot.watchdog_s, self.answered_s))
        return self.answered_s - snapshot.watchdog_s < self._watching.unreachable_after

    def _is_behind(self, now_s: float) -> bool:
        seen_s = self._desk.state.watched_s
        if seen_s is None:
            return False
        return self._has_failed or now_s - seen_s > MISSED_POLLS * self._watching.every

    async def _missed(self, now_s: float) -> "_Missed":
        """Return what fired since the last good answer, as far back as the policy asks for."""
        seen_s = self._desk.state.watched_s or now_s
        since_s = max(seen_s, now_s - self._watching.catch_up)
        episodes = await self._prometheus.episodes(since_s - OVERLAP_S, now_s)
        words = await self._prometheus.words()
        log.info("alerts.read_up", away_s=round(now_s - seen_s, 1), episodes=len(episodes))
        return _Missed(since_s, episodes, words)

    def _take(self, turn: Turn, snapshot: Snapshot, at_s: float, missed: "_Missed | None", *, is_sure: bool) -> None:
        policy = self._desk.policy
        if missed is not None:
            recall(turn, policy, missed.episodes, missed.words_of, missed.since_s)
        observe(turn, policy, snapshot.reports, Source.PROMETHEUS, pending=snapshot.pending, is_complete=is_sure)
        if is_sure:
            settle(turn, policy, Source.PROMETHEUS)
            turn.watched_s = at_s


class _Missed:
    """What was missed, and the words for it."""

    def __init__(self, since_s: float, episodes: Sequence[Episode], words: RuleWords) -> None:
        self.since_s = since_s
        self.episodes = episodes
        self._words = words

    def words_of(self, labels: Labels) -> Mapping[str, str]:
        """Return the annotations of an alert that only its labels are known of."""
        return filled(self._words.get(labels.get(NAME, ""), {}), labels)
