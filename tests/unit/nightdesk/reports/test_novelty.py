import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.reports import novelty_text
from nightdesk.reports.novelty import STATEMENTS, LogDay, Novelty, build, judged, surprise

DAY = date(2026, 11, 19)
NOON = datetime(2026, 11, 19, 12, tzinfo=UTC)


def tail(lines: int, mean: float) -> float:
    """P(X >= lines), added up the slow way from below."""
    below = math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(lines))
    return 1 - below


@given(st.integers(1, 60), st.integers(0, 400), st.integers(1, 7))
def test_the_score_is_that_of_the_poisson_distribution(lines: int, before: int, days: int) -> None:
    mean = (before + 0.5) / days
    probability = tail(lines, mean)

    if lines <= mean:
        assert surprise(lines, before, days) == 0
    elif probability > 1e-9:  # below that the slow way has no digits left
        assert surprise(lines, before, days) == pytest.approx(-math.log10(probability), abs=0.01)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 7))
def test_any_numbers_have_a_score(lines: int, before: int, days: int) -> None:
    score = surprise(lines, before, days)

    assert math.isfinite(score)
    assert score >= 0


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 7))
def test_more_lines_are_never_less_surprising(lines: int, before: int, days: int) -> None:
    assert surprise(lines + 1, before, days) >= surprise(lines, before, days)


@pytest.mark.parametrize(
    ("lines", "before", "days", "ever", "expected"),
    [
        (1, 0, 7, False, Novelty.NEW),
        (1, 0, 0, False, Novelty.NEW),
        (500, 0, 7, True, Novelty.BACK),
        (10, 70, 7, True, Novelty.USUAL),
        (30, 70, 7, True, Novelty.RISING),
        (29, 70, 7, True, Novelty.USUAL),
        (4, 1, 7, True, Novelty.USUAL),
        (5, 1, 7, True, Novelty.RISING),
        (5, 7, 7, True, Novelty.USUAL),
    ],
)
def test_an_error_is_judged_by_the_days_before(
    lines: int, before: int, days: int, ever: bool, expected: Novelty
) -> None:
    assert judged(lines=lines, before=before, days=days, ever=ever) is expected


def error(name: str, lines: int, **changes: Any) -> dict[str, Any]:
    return {
        "day": DAY, "fingerprint": name, "service": "gateway", "level": "error", "event": "", "template": name,
        "sample": name, "lines": lines, "first_at": NOON, "last_at": NOON,
    } | changes  # fmt: skip


def before(name: str, lines: int, days: int) -> dict[str, Any]:
    return error(name, lines) | {"days": days, "first_day": DAY - timedelta(days=7)}


def a_day(days: int = 7, **rows: list[dict[str, Any]]) -> LogDay:
    observed = [{"day": DAY - timedelta(days=number)} for number in range(days + 1)]
    empty: Mapping[str, list[dict[str, Any]]] = {name: [] for name in STATEMENTS}
    return build(DAY, {**empty, "logs_days": observed, **rows})


def test_errors_are_ranked_by_novelty_then_gravity_then_surprise() -> None:
    found = a_day(
        logs_errors=[
            error("usual", 10), error("rising", 90), error("new, often", 50), error("new, once", 1),
            error("new and critical", 1, level="critical"), error("back", 3),
        ],
        logs_errors_before=[before("usual", 70, 7), before("rising", 70, 7), before("gone", 70, 7)],
        logs_errors_ever=[
            {"fingerprint": name, "first_day": date(2026, 1, 1)} for name in ("usual", "rising", "back")
        ],
    )  # fmt: skip

    assert [(one.fingerprint, one.novelty.value) for one in found.errors] == [
        ("new and critical", "new"), ("new, often", "new"), ("new, once", "new"), ("back", "back"),
        ("rising", "rising"), ("usual", "usual"), ("gone", "gone"),
    ]  # fmt: skip
    assert novelty_text.headline(found) == "3 new errors, 1 back, 1 rising, 1 gone"
    assert found.of(Novelty.BACK)[0].first_day == date(2026, 1, 1)
    assert found.error_lines == 155


@pytest.mark.parametrize(("seen", "days", "is_gone"), [(3, 5, True), (2, 3, False), (3, 6, False), (4, 7, True)])
def test_what_is_missing_is_gone_only_when_it_was_usual(seen: int, days: int, is_gone: bool) -> None:
    found = a_day(days, logs_errors_before=[before("x", 10, seen)])

    assert [one.novelty for one in found.errors] == ([Novelty.GONE] if is_gone else [])


def test_without_a_day_before_nothing_can_be_compared() -> None:
    found = a_day(0, logs_errors=[error("x", 3)])

    assert (found.compared_days, found.errors[0].score) == (0, 0)
    assert "nothing to compare with" in novelty_text.written(found)


def test_services_have_their_levels_fetches_reconnects_and_restarts() -> None:
    found = a_day(
        logs_counts=[
            {"service": "feed", "level": "info", "lines": 90},
            {"service": "feed", "level": "error", "lines": 10},
            {"service": "api", "level": "info", "lines": 5},
        ],
        logs_meanings=[
            {"service": "feed", "meaning": "fetch_succeeded", "lines": 15},
            {"service": "feed", "meaning": "fetch_failed", "lines": 5},
            {"service": "feed", "meaning": "reconnect", "lines": 2},
            {"service": "api", "meaning": "restart", "lines": 1},
        ],
    )

    api, feed = found.services
    assert feed.levels == {"error": 10, "info": 90}
    assert (feed.fetches, feed.failed_share, feed.reconnects, feed.restarts) == (20, 0.25, 2, 0)
    assert (api.failed_share, api.restarts) == (None, 1)
    assert found.lines == 105


def test_a_day_without_logs_says_so() -> None:
    found = build(DAY, {**{name: [] for name in STATEMENTS}, "logs_days": [{"day": DAY - timedelta(days=1)}]})

    assert not found.has_logs
    assert "No log of this day was loaded." in novelty_text.written(found)


def test_a_day_of_which_nothing_was_understood_has_logs() -> None:
    unparsed = [{"source": "app", "reason": "not UTF-8", "lines": 3, "samples": []}]

    found = build(DAY, {**{name: [] for name in STATEMENTS}, "logs_unparsed": unparsed})

    assert (found.has_logs, found.lines, found.unparsed_lines) == (True, 0, 3)


def test_the_text_fits_its_lines() -> None:
    found = a_day(logs_errors=[error("x" * 300, 10**9, service="y" * 80)])

    assert max(len(line) for line in novelty_text.written(found).splitlines()) <= 80
