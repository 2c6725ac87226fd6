"""How a service's process begins and ends."""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from nightdesk import logs
from nightdesk.errors import ConfigurationError

log = structlog.get_logger()

EXIT_CONFIGURATION: Final = 78
"""``EX_CONFIG`` of sysexits.h: the configuration is wrong, starting again will not help."""

EXIT_STUCK: Final = 70
"""``EX_SOFTWARE``: the watchdog saw work, working dependencies and no progress."""

PULSE_S: Final = 600.0


def entry(service: str, run: Callable[[Mapping[str, str]], None]) -> None:
    """Run a service to its end; errors a human must mend become one clear message and an exit status."""
    try:
        run(os.environ)
    except ConfigurationError as error:
        print(f"{service}: {logs.redacted(str(error))}", file=sys.stderr)  # noqa: T201  logging may not be set up yet
        raise SystemExit(EXIT_CONFIGURATION) from None
    except Exception as error:
        log.exception("service.failed", kind=type(error).__name__)
        raise SystemExit(1) from error


def exit_stuck() -> None:
    """End the process at once, once its last lines are written."""
    logs.flush()
    os._exit(EXIT_STUCK)


class Pulse:
    """Says every ten minutes that the service runs, so that a log that stops is known from a service that is quiet."""

    def __init__(
        self, log: logs.Log, *, every_s: float = PULSE_S, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._every_s = every_s
        self._monotonic_s = monotonic_s
        self._began_s = monotonic_s()

    def start(self) -> None:
        """Say it in a thread of its own, whatever the service does."""
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def say(self) -> None:
        """Say it once, whatever the least level of the log is."""
        self._log.say(
            "info", "service.alive", uptime_s=round(self._monotonic_s() - self._began_s), **self._log.figures()
        )

    def _run(self) -> None:
        while True:
            time.sleep(self._every_s)
            self.say()


class Watchdog:
    """End the process when work waits, its dependencies answer and nothing moves.

    Docker does not restart an unhealthy container, but it restarts one that exits. An outage of a dependency is waited
    out: ``excused`` says that one is under way.
    """

    def __init__(
        self,
        *,
        limit_s: float,
        excused: Callable[[], bool],
        monotonic_s: Callable[[], float] = time.monotonic,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._limit_s = limit_s
        self._excused = excused
        self._monotonic_s = monotonic_s
        self._stop = stop or exit_stuck
        self._moved_s = monotonic_s()
        self._closing = threading.Event()

    def moved(self) -> None:
        """Say that the service made progress, or looked and had nothing to do."""
        self._moved_s = self._monotonic_s()

    def idle_s(self) -> float:
        """Return the seconds since the last progress."""
        return self._monotonic_s() - self._moved_s

    def alive(self) -> bool:
        """Return whether progress was made lately or is rightly waiting."""
        return self._excused() or self.idle_s() < self._limit_s

    def check(self) -> None:
        """Stop the process if it is stuck; an excuse starts the waiting anew."""
        if self._excused():
            self.moved()
        elif not self.alive():
            log.critical("watchdog.stuck", idle_s=round(self.idle_s(), 1), limit_s=self._limit_s)
            self._stop()

    def start(self) -> None:
        """Check every second in a thread of its own: a stuck main thread cannot check itself."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def close(self) -> None:
        """Stop checking; the service is ending as it should."""
        self._closing.set()

    def _watch(self) -> None:
        while not self._closing.wait(1.0):
            self.check()
