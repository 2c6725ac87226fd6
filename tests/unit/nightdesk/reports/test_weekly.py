"""A week's goals, what a person had to do, and what every rule was worth."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from nightdesk.reports.weekly import (
    STATEMENTS,
    Advice,
    build,
    goal,
    interventions,
    monday_of,
    parameters,
    review,
    reviewed,
)
from nightdesk.reports.weekly_text import written

MONDAY = datetime(2026, 11, 16, tzinfo=UTC)


def an_alert(
    hour: int, *, told: float | None = 10, acked: float | None = None, lasted: float | None = 1200, name: str = "A",
    tier: str = "critical",
) -> dict[str, Any]:  # fmt: skip
    begin = MONDAY + timedelta(hours=hour)

    def after(seconds: float | None) -> datetime | None:
        return None if seconds is None else begin + timedelta(seconds=seconds)

    return {
        "name": name, "tier": tier, "started_at": begin, "ended_at": after(lasted), "told_at": after(told),
        "acknowledged_at": after(acked),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tier", "alerts", "advice"),
    [
        ("critical", [], Advice.NONE),
        ("critical", [an_alert(1), an_alert(2)], Advice.NONE),
        ("critical", [an_alert(hour) for hour in range(3)], Advice.LOWER),
        ("critical", [an_alert(hour, acked=60) for hour in range(3)], Advice.KEEP),
        ("critical", [an_alert(1, acked=60)], Advice.KEEP),
        ("critical", [an_alert(1, acked=60), an_alert(2), an_alert(3)], Advice.NONE),
        (
            "critical",
            [an_alert(1, acked=60, lasted=90), an_alert(2, lasted=90), an_alert(3, lasted=90)],
            Advice.LENGTHEN,
        ),
        ("critical", [an_alert(1, told=None), an_alert(2, told=None), an_alert(3, told=None)], Advice.NONE),
        ("warning", [an_alert(hour) for hour in range(3)], Advice.NONE),
        ("warning", [an_alert(hour, lasted=90) for hour in range(3)], Advice.LENGTHEN),
        ("warning", [an_alert(hour) for hour in range(10)], Advice.PRUNE),
        ("warning", [an_alert(hour) for hour in range(9)], Advice.NONE),
        ("warning", [an_alert(hour, told=None) for hour in range(10)], Advice.PRUNE),
    ],
)
def test_advice_follows_from_what_a_rule_did(tier: str, alerts: list[dict[str, Any]], advice: Advice) -> None:
    found = review("A", tier, alerts)

    assert found.advice is advice
    assert bool(found.why) == (advice is not Advice.NONE)


def test_a_rules_week_is_counted() -> None:
    found = review(
        "A", "critical", [an_alert(1, acked=70), an_alert(2, acked=190), an_alert(3), an_alert(4, told=None)]
    )

    assert (found.fired, found.told, found.acknowledged, found.ignored) == (4, 3, 2, 1)
    assert (found.median_acknowledge_s, found.median_lasted_s) == (120, 1200)


def test_what_still_fires_is_not_ignored_yet() -> None:
    assert review("A", "critical", [an_alert(1, lasted=None)]).ignored == 0


def test_rules_that_were_silent_are_named_after_the_loud_ones() -> None:
    alerts = [an_alert(1, name="Loud"), an_alert(2, name="Loud"), an_alert(3, name="Once")]
    known = [{"name": name, "tier": "warning"} for name in ("Loud", "Once", "Silent")]

    found = reviewed(alerts, known)

    assert [(one.name, one.fired) for one in found] == [("Loud", 2), ("Once", 1), ("Silent", 0)]


def an_act(minutes: int, act: str = "acknowledged A", by: str = "slack") -> dict[str, Any]:
    return {"at": MONDAY + timedelta(minutes=minutes), "act": act, "by": by}


@pytest.mark.parametrize(
    ("minutes", "count"), [([], 0), ([0], 1), ([0, 30], 1), ([0, 31], 2), ([0, 30, 60, 90], 1), ([0, 10, 100, 110], 2)]
)
def test_what_a_person_does_within_half_an_hour_of_the_last_thing_is_one_intervention(
    minutes: list[int], count: int
) -> None:
    assert len(interventions([an_act(one) for one in minutes])) == count


def test_an_intervention_names_each_act_once() -> None:
    (found,) = interventions([an_act(0), an_act(0), an_act(5, "started backfill_gaps", "make run")])

    assert found.acts == ["acknowledged A (slack), 2 times", "started backfill_gaps (make run)"]
    assert found.end - found.begin == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("value", "unit", "met"),
    [(899.9, "s", True), (900.0, "s", False), (None, "s", None), (1, "", True), (2, "", False), (None, "", None)],
)
def test_downtime_stays_below_its_limit_and_counts_may_reach_theirs(
    value: float | None, unit: str, met: bool | None
) -> None:
    assert goal("x", value, 900.0 if unit else 1, unit).is_met is met


@pytest.mark.parametrize(("value", "met"), [(0.0, None), (899.0, None), (900.0, False)])
def test_a_part_of_a_week_is_never_known_to_be_good_but_may_be_bad(value: float, met: bool | None) -> None:
    assert goal("x", value, 900.0, "s", is_whole=False).is_met is met


def test_a_week_begins_on_monday_and_has_seven_days() -> None:
    assert {monday_of(date(2026, 11, day)) for day in range(16, 23)} == {date(2026, 11, 16)}
    assert monday_of(date(2027, 1, 1)) == date(2026, 12, 28)
    assert parameters(date(2026, 11, 19))["end"] == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_week_nobody_measured_names_no_seconds() -> None:
    nothing: dict[str, list[dict[str, Any]]] = {name: [] for name in STATEMENTS}

    said = written(build(date(2026, 11, 19), nothing))

    assert "None of its days was measured." in said
    assert "0 s" not in said
