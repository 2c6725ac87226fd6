"""A week of New York's exchange in a quarter of an hour: the calendar runs fast, whatever reacts does not.

Simulated time is a piecewise linear function of real time. Where the market is closed and would be open by a mistake (a
day of the weekend, a holiday, the hour by which summer time ends, the afternoon of a half day) it runs slowly enough
for that mistake to page: a feed has to be silent in an open market for a minute of real time. All else passes quickly.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

ZONE_OF_NEW_YORK: Final = "America/New_York"
CALENDAR: Final = "XNYS"
HOLIDAY: Final = "2026-11-03"
HALF_DAY: Final = "2026-11-06"
EARLY_CLOSE: Final = "13:00"
"""What the exchange does not know of: both come from ``config/calendars.yaml``."""


class Session(NamedTuple):
    """From the open to the close, Unix seconds."""

    open_s: float
    close_s: float


class Stretch(NamedTuple):
    """A piece of the week: up to which moment (Unix seconds), and how many real seconds it takes."""

    until_s: float
    real_s: float


def moment_s(text: str) -> float:
    """Return a moment written ``2026-10-29 13:30`` in UTC, Unix seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def written(simulated_s: float) -> str:
    """Return a moment for reading."""
    return datetime.fromtimestamp(simulated_s, UTC).strftime("%a %d %b %H:%M")


SESSIONS: Final = tuple(
    Session(moment_s(opens), moment_s(closes))
    for opens, closes in (
        ("2026-10-29 13:30", "2026-10-29 20:00"),
        ("2026-10-30 13:30", "2026-10-30 20:00"),
        # Clocks went back on Sunday: the same hours on the exchange's clock are an hour later.
        ("2026-11-02 14:30", "2026-11-02 21:00"),
        ("2026-11-04 14:30", "2026-11-04 21:00"),
        ("2026-11-05 14:30", "2026-11-05 21:00"),
        ("2026-11-06 14:30", "2026-11-06 18:00"),
    )
)
"""The hours of the week, written down by hand: neither the alerter nor its library is asked for them."""

BEGINS_S: Final = moment_s("2026-10-29 00:00")

WATCHED_S: Final = 80.0
"""How long a closed market is watched that a mistake would take for open: a scrape, a minute of silence, ``for``, two
evaluations and a poll."""

STRETCHES: Final = tuple(
    Stretch(moment_s(until), real_s)
    for until, real_s in (
        ("2026-10-29 13:30", 112.0),  # a night; the rules begin to look after a minute and a half
        ("2026-10-29 20:00", 104.0),
        ("2026-10-30 13:30", 8.0),
        ("2026-10-30 20:00", 62.0),
        ("2026-10-31 13:30", 6.0),
        ("2026-10-31 20:00", WATCHED_S),  # hours of a Saturday
        ("2026-11-02 13:30", 8.0),
        ("2026-11-02 14:30", WATCHED_S),  # an hour that summer time would have open
        ("2026-11-02 21:00", 94.0),
        ("2026-11-03 14:30", 5.0),
        ("2026-11-03 21:00", WATCHED_S),  # hours of a holiday
        ("2026-11-04 14:30", 5.0),
        ("2026-11-04 21:00", 28.0),
        ("2026-11-05 14:30", 6.0),
        ("2026-11-05 21:00", 42.0),
        ("2026-11-06 14:30", 6.0),
        ("2026-11-06 18:00", 48.0),
        ("2026-11-06 21:00", WATCHED_S),  # hours of an afternoon after an early close
        ("2026-11-07 00:00", 160.0),
    )
)


class Week:
    """Turns seconds since the beginning into simulated time, and back."""

    def __init__(self, begins_s: float = BEGINS_S, stretches: Sequence[Stretch] = STRETCHES) -> None:
        self._real_s = [0.0]
        self._simulated_s = [begins_s]
        for stretch in stretches:
            self._real_s.append(self._real_s[-1] + stretch.real_s)
            self._simulated_s.append(stretch.until_s)

    @property
    def length_s(self) -> float:
        """How many real seconds it takes."""
        return self._real_s[-1]

    def simulated_s(self, real_s: float) -> float:
        """Return the simulated time so many seconds after the beginning; before it, time stands still."""
        return _between(self._real_s, self._simulated_s, max(0.0, real_s))

    def real_s(self, simulated_s: float) -> float:
        """Return how many seconds after the beginning a moment comes; what was before it came then."""
        return max(0.0, _between(self._simulated_s, self._real_s, simulated_s))


def is_open(simulated_s: float) -> bool:
    """Return whether the exchange is open."""
    return any(session.open_s <= simulated_s < session.close_s for session in SESSIONS)


def _between(known: Sequence[float], wanted: Sequence[float], at: float) -> float:
    """Return the value of the line through the points; beyond them the first and the last piece go on."""
    place = min(max(bisect_right(known, at), 1), len(known) - 1)
    share = (at - known[place - 1]) / (known[place] - known[place - 1])
    return wanted[place - 1] + share * (wanted[place] - wanted[place - 1])
