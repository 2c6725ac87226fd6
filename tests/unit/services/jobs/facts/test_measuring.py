"""A day's series as one number each."""

from collections.abc import Iterable

import pytest

from services.jobs.facts.measuring import (
    FINE_S,
    MEASURES,
    Facts,
    Measure,
    Period,
    Series,
    Silenced,
    availability,
    grown,
    measured,
    starts,
)

HOUR = Period(begin_s=36_000.0, end_s=39_600.0)
ENDS = [HOUR.begin_s + FINE_S * step for step in range(1, 241)]
"""Ends of the hour's steps."""


def a_series(samples: Iterable[tuple[float, float]], **labels: str) -> Series:
    return Series(labels=labels, samples=list(samples))


def watched(*breaks: tuple[float, float]) -> list[Series]:
    """Rules that were evaluated all the time, but not in these breaks (seconds of the hour)."""
    alive = [at_s for at_s in ENDS if not any(low < at_s - HOUR.begin_s <= high for low, high in breaks)]
    return [a_series((at_s, 3.0) for at_s in alive)]


def away(service: str, since_s: float, until_s: float) -> Series:
    """A service that did not answer from one second of the hour to another."""
    begin = HOUR.begin_s + since_s
    late = [at_s for at_s in ENDS if at_s - begin > 15 and at_s <= HOUR.begin_s + until_s]
    return a_series(((at_s, at_s - begin) for at_s in late), service=service)


def facts(down: list[Series], silenced: list[Silenced] | None = None, observed: list[Series] | None = None) -> Facts:
    return availability(watched() if observed is None else observed, down, silenced or [], HOUR)


def test_a_service_is_down_from_its_last_answer() -> None:
    found = facts([away("worker", 100, 400)])

    assert found["down_s", "worker"] == pytest.approx(290, abs=FINE_S)
    assert found["downtime_s", ""] == found["down_s", "worker"]
    assert found["unobserved_s", ""] == 0


def test_two_that_are_down_together_are_one_downtime() -> None:
    found = facts([away("worker", 600, 1200), away("api", 900, 1500)])

    assert found["down_s", "worker"] == found["down_s", "api"] == 600
    assert found["downtime_s", ""] == 900


def test_nobody_was_down_that_nobody_watched() -> None:
    found = facts([away("worker", 600, 1800)], observed=watched((900, 1500)))

    assert found["unobserved_s", ""] == 600
    assert found["down_s", "worker"] == found["downtime_s", ""] == 600


def test_what_was_silenced_was_planned() -> None:
    silence = Silenced(span=(HOUR.begin_s + 600, HOUR.begin_s + 900), covers=lambda service: service == "worker")

    found = facts([away("worker", 600, 1200)], [silence])

    assert found["down_s", "worker"] == 600
    assert (found["downtime_s", ""], found["planned_downtime_s", ""]) == (300, 300)


def test_what_is_silenced_of_one_service_is_not_planned_of_another() -> None:
    silence = Silenced(span=(HOUR.begin_s, HOUR.end_s), covers=lambda service: service == "api")

    found = facts([away("worker", 600, 1200), away("api", 600, 1800)], [silence])

    assert (found["downtime_s", ""], found["planned_downtime_s", ""]) == (600, 600)


def test_what_began_before_the_day_counts_from_its_beginning() -> None:
    found = facts([a_series([(HOUR.begin_s + 15, 900.0), (HOUR.begin_s + 30, 915.0)], service="api")])

    assert found["down_s", "api"] == 30


def test_a_day_that_prometheus_forgot_is_unobserved() -> None:
    assert facts([], observed=[]) == {
        ("until_s", ""): 3600, ("unobserved_s", ""): 3600, ("downtime_s", ""): 0, ("planned_downtime_s", ""): 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        ([(60, 5), (120, 5)], 0),
        ([(60, 5), (120, 8)], 3),
        ([(60, 5), (120, 1), (180, 2)], 2),  # another process: from 0 to 1, to 2
        ([(120, 1), (180, 2)], 2),  # it began within the day, so at 0
        ([(60, 7)], 0),  # what was before the day
    ],
)
def test_a_counter_grew_by(samples: list[tuple[float, float]], count: float) -> None:
    assert grown(samples, 60.0) == count


@pytest.mark.parametrize(
    ("values", "count"), [([100, 100, 100], 0), ([100, 400, 400], 1), ([100, 103, 100], 0), ([100, 400, 700], 2)]
)
def test_another_start_is_a_restart_and_a_second_more_or_less_is_none(values: list[float], count: float) -> None:
    assert starts([(30.0 * place, value) for place, value in enumerate(values, 1)], 30.0) == count


def by_fact(fact: str) -> Measure:
    return next(one for one in MEASURES if one.fact == fact)


@pytest.mark.parametrize(
    ("fact", "label", "expected"),
    [
        ("disk_free_ratio_min", "volume", 2.0),
        ("memory_peak_bytes", "service", 9.0),
        ("memory_limit_bytes", "service", 4.0),
        ("restarts", "service", 1.0),  # from 9 to 3 in the one, and none in the other
        ("reconnects", "feed", 6.0),  # from 2 to 4, anew to 3, and 1 in the other
    ],
)
def test_series_of_one_subject_are_one_fact(fact: str, label: str, expected: float) -> None:
    measure = by_fact(fact)
    first = HOUR.begin_s + measure.step_s
    values = {"reconnects": ([2.0, 4.0, 3.0], [5.0, 6.0]), "restarts": ([9.0, 9.0, 3.0], [5.0, 5.0])}
    one, other = values.get(fact, ([2.0, 9.0, 4.0], [3.0, 3.0]))
    series = [
        a_series([(first + measure.step_s * place, value) for place, value in enumerate(one)], **{label: "a"}),
        a_series([(first + measure.step_s * place, value) for place, value in enumerate(other)], **{label: "a"}),
        a_series([], **{label: "nothing"}),
    ]

    assert measured(measure, series, HOUR) == {(fact, "a"): expected}
