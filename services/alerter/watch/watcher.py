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

MISSED_POLLS: Final = 1.5
"""Answers further apart than so many polls leave a gap that has to be read up on: what fired in one evaluation alone,
may have come and gone in it.
"""

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

        self.is_sure = False
        """Whether the last answer was sure."""

        self.silent_since_s: float | None = wall_s()
        """Since when it does not answer; None while it does."""

        self.answers_since_s = wall_s()
        """Since when it has answered every time, without a long time in between."""

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
        except UnavailableError as error:
            if not self._has_failed:
                log.warning("prometheus.away", error=str(error))
            self._note_silence(started_s)
            self._on_poll("failed", self._wall_s() - started_s)
            return
        self._note_answer()
        self.is_sure = is_sure = self._looks_sure(snapshot)
        is_behind = is_sure and self._is_behind(started_s)
        missed = await self._missed(started_s) if is_behind else None
        has_all = is_sure and (missed is not None or not is_behind)
        if is_sure:
            self._desk.is_ready = True
        # Rules have their graces and their `for`: what a Prometheus does not say at first is not over.
        knows_ends = is_sure and started_s - snapshot.watchdog_since_s >= self._watching.settle_after

        def take(turn: Turn) -> None:
            policy = self._desk.policy
            reports, pending = snapshot.reports, snapshot.pending
            if missed is not None:
                recall(
                    turn,
                    policy,
                    missed.episodes,
                    missed.words_of,
                    since_s=missed.since_s,
                    asked_s=started_s,
                    knows_ends=knows_ends,
                    reports=reports,
                )
            observe(turn, policy, reports, Source.PROMETHEUS, pending=pending, is_complete=knows_ends)
            if knows_ends:
                settle(turn, policy, Source.PROMETHEUS, started_s)
            if has_all:
                turn.watched_s = started_s

        self._desk.change(take)
        self._has_failed = not has_all
        outcome = "ok" if has_all else "not_read_up" if is_sure else "no_watchdog"
        self._on_poll(outcome, self._wall_s() - started_s)

    def _note_silence(self, asked_s: float) -> None:
        """Note that Prometheus does not answer: since its last answer, or, where nobody asked for a while, lately."""
        self._has_failed = True
        if self.silent_since_s is None or self.silent_since_s > asked_s:  # then the clock was set back
            self.silent_since_s = max(min(self.answered_s, asked_s), asked_s - self._watching.every)

    def _note_answer(self) -> None:
        """Note that Prometheus answered; after a long time, or a step of the clock, it has to prove itself anew."""
        now_s = self._wall_s()
        is_going_on = 0 <= now_s - self.answered_s <= self._watching.unreachable_after
        if self.silent_since_s is not None or not is_going_on:
            self.answers_since_s = now_s
        self.answered_s, self.silent_since_s = now_s, None

    def _looks_sure(self, snapshot: Snapshot) -> bool:
        if snapshot.watchdog_s is None:
            return False
        is_fresh = abs(self.answered_s - snapshot.watchdog_s) < self._watching.unreachable_after
        if is_fresh or snapshot.watchdog_s < self.answered_s:  # else its clock is far ahead, and says nothing
            self.evaluated_s = min(snapshot.watchdog_s, self.answered_s)
        return is_fresh

    def _is_behind(self, now_s: float) -> bool:
        seen_s = self._desk.state.watched_s
        if seen_s is None:
            return False
        return self._has_failed or now_s - seen_s > MISSED_POLLS * self._watching.every

    async def _missed(self, now_s: float) -> "_Missed | None":
        """Return what fired since the last good answer, as far back as the policy asks for; None if that fails.

        What fires now is told even so, and the past is asked for again with the next answer.
        """
        seen_s = min(self._desk.state.watched_s or now_s, now_s)
        since_s = max(seen_s, now_s - self._watching.catch_up)
        try:
            episodes = await self._prometheus.episodes(since_s - OVERLAP_S, now_s)
            words = await self._prometheus.words()
        except UnavailableError as error:
            log.warning("alerts.not_read_up", away_s=round(now_s - seen_s, 1), error=str(error))
            return None
        log.info("alerts.read_up", away_s=round(now_s - seen_s, 1), episodes=len(episodes))
        return _Missed(since_s, episodes, words)


class _Missed:
    """What was missed, and the words for it."""

    def __init__(self, since_s: float, episodes: Sequence[Episode], words: RuleWords) -> None:
        self.since_s = since_s
        self.episodes = episodes
        self._words = words

    def words_of(self, labels: Labels) -> Mapping[str, str]:
        """Return the annotations of an alert that only its labels are known of."""
        return filled(self._words.get(labels.get(NAME, ""), {}), labels)
