"""The alerter by two clocks: ``python -m tests.night.disguise services.alerter``.

Whether a market is open, and the local day and times of the policy (digest, quiet hours, the day of the budget), follow
the fast week. Polls, waits, escalation, deliveries, links: everything that reacts goes by real time, as in production.
Only this test runs the alerter like this, and the alerter knows nothing of it.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from datetime import time as time_of_day
from pathlib import Path
from types import ModuleType
from typing import Final
from zoneinfo import ZoneInfo

from nightdesk.calendars import Calendars
from services.alerter import app, digest, noticing, times
from services.alerter.markets import Markets
from tests.night.week import Week

BEGAN_VARIABLE: Final = "NIGHT_BEGAN"
"""Names the file that holds when the week began, Unix seconds; before there is one, the calendar stands still."""


class Clock:
    """The fast clock, of every process that knows when the week began."""

    def __init__(self, week: Week, began: Path) -> None:
        self.week = week
        self._file = began
        self._began_s: float | None = None

    def begin(self, wall_s: float) -> None:
        """Let the week begin now."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(repr(wall_s), encoding="ascii")
        fresh.replace(self._file)

    @property
    def began_s(self) -> float | None:
        """When the week began, Unix seconds."""
        if self._began_s is None and self._file.exists():
            self._began_s = float(self._file.read_text(encoding="ascii"))
        return self._began_s

    def passed_s(self, wall_s: float) -> float:
        """Return how many seconds of the week have passed; 0 before it began."""
        began_s = self.began_s
        return 0.0 if began_s is None else max(0.0, wall_s - began_s)

    def simulated_s(self, wall_s: float) -> float:
        """Return the simulated time."""
        return self.week.simulated_s(self.passed_s(wall_s))

    def wall_s(self, simulated_s: float) -> float:
        """Return when a simulated moment comes or came; 0 for one before the week."""
        began_s, passed_s = self.began_s, self.week.real_s(simulated_s)
        return 0.0 if began_s is None or passed_s <= 0.0 else began_s + passed_s


def latest(clock: Clock, at: Iterable[time_of_day], zone: ZoneInfo, now_s: float) -> float:
    """Return when one of the times of the fast day last came, by the real clock."""
    return clock.wall_s(times.latest(at, zone, clock.simulated_s(now_s)))


def local(clock: Clock, now_s: float, zone: ZoneInfo) -> datetime:
    """Return the wall time of the fast day."""
    return times.local(clock.simulated_s(now_s), zone)


def put_on(clock: Clock, wall_s: Callable[[], float] = time.time) -> None:
    """Let the parts of the alerter that go by the calendar see the fast clock."""

    def fast_markets(names: Iterable[str], calendars: Calendars, _wall_ns: Callable[[], int]) -> Markets:
        return Markets(names, calendars, lambda: int(clock.simulated_s(wall_s()) * 1e9))

    _replace(app, "Markets", fast_markets)
    _replace(digest, "latest", lambda at, zone, now_s: latest(clock, at, zone, now_s))
    _replace(noticing, "local", lambda now_s, zone: local(clock, now_s, zone))


def _replace(module: ModuleType, name: str, value: object) -> None:
    """Replace what is there: a name that is gone would leave the real clock in its place."""
    if not hasattr(module, name):
        raise AttributeError(f"{module.__name__} has no {name} any more; the disguise has to follow")
    setattr(module, name, value)


def main() -> None:
    """Put it on, then run the module."""
    put_on(Clock(Week(), Path(os.environ[BEGAN_VARIABLE])))
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
