"""The thread that turns the clockwork, and what is known of how that goes."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.health import Part, Status
from nightdesk.service import Watchdog
from nightdesk.store.runs import RunRows
from services.scheduler.clockwork import Clockwork
from services.scheduler.metrics import RunMetrics, Snapshot
from services.scheduler.queue import RunQueue

log = structlog.get_logger()

TURN_S: Final = 1.0
FIGURES_S: Final = 5.0
TROUBLED_S: Final = 30.0
"""A turn that has not succeeded for so long is shown as down."""


@dataclass(slots=True)
class _Standing:
    turned_s: float
    error: str = "no turn yet"
    told: str = ""


class Keeping:
    """Turns once a second, waits out what is away, and looks at the figures."""

    def __init__(
        self, *, clockwork: Clockwork, rows: RunRows, queue: RunQueue, metrics: RunMetrics, jobs: Sequence[str],
        watchdog: Watchdog, now_s: Callable[[], float], on_progress: Callable[[], None],
    ) -> None:  # fmt: skip
        self._clockwork = clockwork
        self._rows = rows
        self._queue = queue
        self._metrics = metrics
        self._jobs = jobs
        self._watchdog = watchdog
        self._now_s = now_s
        self._on_progress = on_progress
        self._standing = _Standing(now_s() - TROUBLED_S)
        self._next_figures_s = now_s()

    def run(self, stopping: threading.Event) -> None:
        """Turn until asked to stop."""
        while not stopping.is_set():
            self._turn()
            self._watchdog.moved()
            stopping.wait(TURN_S)
        self._rows.close()

    def ready(self) -> bool:
        """Return whether the last turns succeeded."""
        return self._now_s() - self._standing.turned_s < TROUBLED_S

    def parts(self) -> list[Part]:
        """Return how the schedule and the queue are."""
        return [self._schedule(), self._workers(), *self._late(), *self._unplanned()]

    def _turn(self) -> None:
        try:
            self._clockwork.turn()
            looks = self._now_s() >= self._next_figures_s
            if looks:
                self._look()
        except NightdeskError as error:
            self._failed(error)
        else:
            self._standing.turned_s = self._now_s()
            self._on_progress()
            if self._standing.told and looks:  # a turn with nothing to send does not show that Redis is back
                log.info("scheduler.goes_on")
            if looks:
                self._standing.error = self._standing.told = ""

    def _failed(self, error: NightdeskError) -> None:
        text = str(error)
        if text != self._standing.told:
            log.warning("scheduler.waits" if isinstance(error, UnavailableError) else "turn.refused", error=text)
        self._standing.error = self._standing.told = text
        self._clockwork.forget()
        self._rows.close()

    def _look(self) -> None:
        self._next_figures_s = self._now_s() + FIGURES_S
        now = self._rows.now()
        self._metrics.snapshot = Snapshot(
            figures=self._rows.figures(self._jobs, now),
            totals=self._rows.totals(self._jobs),
            depth=len(self._queue.waiting()),
            workers=self._queue.workers(),
        )

    def _schedule(self) -> Part:
        age_s = self._now_s() - self._standing.turned_s
        is_down = age_s > TROUBLED_S
        status = Status.DOWN if is_down else Status.DEGRADED if self._standing.error else Status.OK
        figures = self._metrics.snapshot.figures
        upcoming = [one.next_s for one in figures if one.next_s]
        return Part(
            part="schedule",
            status=status,
            detail=self._standing.error or f"{len(self._jobs)} jobs",
            age_s=age_s,
            threshold_s=TROUBLED_S,
            facts={"jobs": len(self._jobs), "next_run": min(upcoming, default=0.0)},
        )

    def _workers(self) -> Part:
        snapshot = self._metrics.snapshot
        none = snapshot.workers == 0
        return Part(
            part="job workers",
            status=Status.DOWN if none else Status.OK,
            detail="no worker is there to run jobs" if none else f"{snapshot.workers or 0} workers",
            facts={"workers": snapshot.workers, "queued": snapshot.depth},
        )

    def _late(self) -> list[Part]:
        late = [one for one in self._metrics.snapshot.figures if one.late_s > LATE_S]
        return [
            Part(
                part=f"job {one.job}",
                status=Status.DEGRADED,
                detail="a run is due and has not begun",
                age_s=one.late_s,
                threshold_s=LATE_S,
            )
            for one in late
        ]

    def _unplanned(self) -> list[Part]:
        return [
            Part(part=f"job {name}", status=Status.DEGRADED, detail=f"its next run is not known: {why}")
            for name, why in self._clockwork.unplanned().items()
        ]


LATE_S: Final = 300.0
