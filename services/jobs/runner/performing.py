"""One attempt at a run, from its claim to its end: whatever the job does, the row says how it went.

The start and the end are logged with inputs and outcome, so that a job that ran and decided nothing never looks like
one that did not run.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final, TypeAlias

import structlog

from nightdesk.durations import written
from nightdesk.errors import NightdeskError
from nightdesk.logs import flush, redacted
from nightdesk.plain_json import plain_json, storable
from nightdesk.runs import BEAT_S, Claimed, Ending, Json, State, retry_delay_s
from nightdesk.store.runs import RunRows
from services.jobs.runner.job import FindingError

log = structlog.get_logger()

LINES_KEPT: Final = 60
"""Of a run's log, the last ones, in its row."""

ROUTINE: Final = '"fetch.succeeded"'
LONGEST_LINE: Final = 1000
LONGEST_ERROR: Final = 4000
LONGEST_TOLD: Final = 4000
"""Of a result, in the log; the row has it all."""

AGAIN_S: Final = 5.0
"""A job that swallows the end of its time is told again."""

IGNORED_S: Final = 15.0
"""A job that ignores the end of its time for so long is ended with its process."""

EXIT_IGNORED: Final = 70

END_TRIES: Final = 300
END_PAUSE_S: Final = 1.0
"""The end of a run is written down through an outage of PostgreSQL of so many pauses: done is not to be done again."""

Work: TypeAlias = Callable[[Callable[[float, float, str], None]], Json]
"""The job with all it needs but where it says how far it is."""


class OverdueSignal(BaseException):
    """The time of an attempt is over; no job may take it for an error of its own."""


class StopSignal(BaseException):
    """The worker is being stopped; the run goes back."""


@dataclass(slots=True)
class Tail:
    """The last lines of a run's log."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES_KEPT))

    def keep(self, line: str) -> None:
        """Take one line, unless it only says that an answer came: there may be a thousand of those."""
        if ROUTINE not in line:
            self.lines.append(line[:LONGEST_LINE])

    def text(self) -> str:
        """Return the lines."""
        return "\n".join(self.lines)


class Beating:
    """Says every few seconds that the run is alive, and how far it is, from a thread of its own."""

    def __init__(self, rows: RunRows, claimed: Claimed, worker: str) -> None:
        self._rows = rows
        self._claimed = claimed
        self._worker = worker
        self._over = threading.Event()
        self._progress: Json | None = None
        self._thread = threading.Thread(target=self._run, name="beat", daemon=True)

    def __enter__(self) -> "Beating":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(BEAT_S)

    def progress(self, done: float, total: float, what: str) -> None:
        """Take how far the job is; it is written down with the next beat."""
        self._progress = {"done": done, "total": total, "what": what}

    def _run(self) -> None:
        while not self._over.wait(BEAT_S):
            try:
                if not self._rows.beat(self._claimed, self._worker, self._progress, self._rows.now()):
                    log.warning("run.taken_away", run_id=self._claimed.run_id)
                    return
            except NightdeskError as error:
                log.warning("beat.failed", error=str(error))


def attempt(
    claimed: Claimed,
    work: Work,
    *,
    rows: RunRows,
    worker: str,
    tail: Tail,
    random: float,
    leave: Callable[[int], object] = os._exit,
) -> Ending:
    """Do one attempt and write its end down; return how it ended. ``random`` lies in [0, 1).

    ``leave`` ends the process of a job that will not be told that its time is over.
    """
    began_s = time.monotonic()
    facts = {"job": claimed.job, "run_id": claimed.run_id, "attempt": claimed.attempt}
    scheduled_for = claimed.scheduled_for.isoformat()
    log.info("run.started", **facts, task=claimed.task, scheduled_for=scheduled_for, args=dict(claimed.args))

    def ignored() -> None:
        ending = _again(claimed, f"took longer than {written(claimed.timeout_s)}, and ignored its end", random)
        log.error("run.ended_by_force", **facts, outcome=ending.state.value, error=ending.error)
        _write_down(rows, claimed, worker, ending, tail)
        flush()
        leave(EXIT_IGNORED)

    with Beating(rows, claimed, worker) as beating, _afterwards(claimed.timeout_s + IGNORED_S, ignored):
        ending = _ending(claimed, lambda: _timed(lambda: work(beating.progress), claimed.timeout_s), random)
    say = log.info if ending.state is State.SUCCEEDED else log.warning
    say(
        "run.ended", **facts, outcome=ending.state.value, duration_s=round(time.monotonic() - began_s, 3),
        result=_told(ending.result), error=ending.error,
        again_in_s=None if ending.wait_s is None else round(ending.wait_s, 1),
    )  # fmt: skip
    with _undisturbed():
        _write_down(rows, claimed, worker, ending, tail)
    return ending


@contextmanager
def _afterwards(after_s: float, end: Callable[[], None]) -> Iterator[None]:
    """Call that from a thread of its own, unless it is over before."""
    timer = threading.Timer(after_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let nobody stop what writes down that a run is over: it would be done again."""
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _write_down(rows: RunRows, claimed: Claimed, worker: str, ending: Ending, tail: Tail) -> None:
    for left in reversed(range(END_TRIES)):
        try:
            if not rows.finish(claimed, worker, ending, tail.text(), rows.now()):
                log.error("run.not_its_own", job=claimed.job, run_id=claimed.run_id)
        except NightdeskError as error:
            log.warning("run.end_not_written", error=str(error), tries_left=left)
            if not error.retryable:
                return
            time.sleep(END_PAUSE_S if left else 0.0)
        else:
            return


def _ending(claimed: Claimed, work: Callable[[], Json], random: float) -> Ending:
    try:
        return _success(work())
    except NightdeskError as error:
        return _of_ours(claimed, error, random)
    except OverdueSignal:
        return _again(claimed, f"took longer than {written(claimed.timeout_s)}", random)
    except StopSignal:
        return Ending(state=State.QUEUED, error="the worker was stopped", wait_s=0.0, is_free=True)
    except KeyboardInterrupt:
        return Ending(state=State.FAILED, error="stopped by hand")
    except Exception as error:
        log.exception("run.raised", job=claimed.job, run_id=claimed.run_id)
        return _again(claimed, _text(f"{type(error).__name__}: {error}"), random)


def _success(result: object) -> Ending:
    if not isinstance(result, Mapping):
        return Ending(state=State.FAILED, error=f"the job returned {type(result).__name__}, which is no mapping")
    return Ending(state=State.SUCCEEDED, result=_kept(result))


def _kept(result: Json) -> Json:
    """Return a result as its row keeps it, which is what the log can say as well."""
    kept: Json = json.loads(plain_json(result))
    return kept


def _told(result: Json | None) -> Json | None:
    """Return what the log says of a result: all of it when it is short."""
    if result is None or len(text := plain_json(result)) <= LONGEST_TOLD:
        return result
    return {"bytes": len(text), "begins": text[:LONGEST_LINE]}


def _of_ours(claimed: Claimed, error: NightdeskError, random: float) -> Ending:
    """The end of an attempt by one of our own errors, which say whether trying again can help."""
    if isinstance(error, FindingError):
        return Ending(state=State.FAILED, error=_text(str(error)), result=_kept(error.result))
    text = _text(f"{type(error).__name__}: {error}")
    return _again(claimed, text, random) if error.retryable else Ending(state=State.FAILED, error=text)


def _again(claimed: Claimed, text: str, random: float) -> Ending:
    if claimed.attempt >= claimed.attempts_allowed:
        return Ending(state=State.FAILED, error=text)
    wait_s = retry_delay_s(claimed.backoff_s, claimed.attempt, random)
    return Ending(state=State.QUEUED, error=text, wait_s=wait_s)


def _text(text: str) -> str:
    return storable(redacted(text))[:LONGEST_ERROR]


def _timed(work: Callable[[], Json], timeout_s: float) -> Json:
    with _signals(timeout_s):
        return work()


@contextmanager
def _signals(timeout_s: float) -> Iterator[None]:
    """Raise at the end of the time, and when the worker is stopped; only in the main thread, where signals arrive."""

    def overdue(_number: int, _frame: FrameType | None) -> None:
        raise OverdueSignal

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise StopSignal

    before = signal.signal(signal.SIGALRM, overdue), signal.signal(signal.SIGTERM, stop)
    signal.setitimer(signal.ITIMER_REAL, timeout_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before[0] or signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_IGN if before[1] is None else before[1])
        sys.stdout.flush()
