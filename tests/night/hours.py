"""Whether New York was said to be open when it was: every scrape, against hours written down by hand. Pure."""

from collections.abc import Iterable
from typing import Final

from tests.night.week import Week, is_open, written

EDGE_S: Final = 1.0
"""Of real time: a scrape has a time of its own, and so close to an edge it may say either."""


def wrong_hours(week: Week, samples: Iterable[tuple[float, bool]]) -> list[str]:
    """Return where ``market_open`` was wrong; a sample is the second of the week, and what was said."""
    return [
        f"{written(week.simulated_s(passed_s))}: New York is said to be {'open' if said else 'closed'}"
        for passed_s, said in samples
        if said not in _right(week, passed_s)
    ]


def _right(week: Week, passed_s: float) -> set[bool]:
    return {is_open(week.simulated_s(passed_s + shift_s)) for shift_s in (-EDGE_S, 0.0, EDGE_S)}
