"""Whether a day was good, by its figures."""

from datetime import date
from typing import Any

import pytest

from nightdesk.reports.verdict import MOST_REASONS, RULES, Figures, Level, Section, counted, judge, percent

WHOLE: dict[str, Any] = {
    "day": date(2026, 11, 19),
    "symbols": 10,
    "symbols_seen": 10,
    "symbols_verified": 10,
    "complete_percent": 100.0,
    "least_percent": 100.0,
    "gaps_opened": 4,
    "gaps_open": 0,
    "gaps_unfillable": 0,
    "runs_succeeded": 80,
    "runs_failed": 0,
    "runs_missed": 0,
    "alerts_told": 0,
    "pages": 0,
    "pages_unanswered": 0,
    "pages_firing": 0,
    "errors": 2,
    "error_lines": 9,
    "new_errors": 0,
    "told_s": 86_400.0,
    "alerts_until_s": 86_400.0,
    "measured_until_s": 86_400.0,
    "unobserved_s": 0.0,
    "downtime_s": 0.0,
    "planned_downtime_s": 0.0,
    "restarts": 0.0,
    "disk_free_ratio": 0.4,
    "memory_available_ratio": 0.5,
    "memory_used_ratio": 0.7,
}


def figures(**changes: Any) -> Figures:
    return Figures.model_validate(WHOLE | changes)


def test_a_day_on_which_all_was_well_is_a_good_one() -> None:
    found = judge(figures())

    assert (found.level, found.words, found.reasons, found.so_far) == (Level.GOOD, "A good day", [], False)


@pytest.mark.parametrize(
    ("changes", "level", "section", "text"),
    [
        ({"symbols_seen": 0}, Level.BAD, Section.PRICES, "No trade was stored at all"),
        ({"downtime_s": 60.0}, Level.LOOK, Section.HEADROOM, "Services were down for 1 min"),
        ({"downtime_s": 900.0}, Level.BAD, Section.HEADROOM, "Services were down for 15 min"),
        ({"pages": 1}, Level.LOOK, Section.ALERTS, "1 page, acknowledged"),
        ({"pages": 3, "pages_unanswered": 2}, Level.LOOK, Section.ALERTS, "Nobody acknowledged 2 of 3 pages"),
        ({"pages_firing": 1}, Level.BAD, Section.ALERTS, "1 critical alert still fired at the end"),
        ({"least_percent": 99.95}, Level.GOOD, None, None),
        ({"least_percent": 99.89}, Level.LOOK, Section.COMPLETENESS, "A symbol is 99.89 % complete"),
        ({"least_percent": 98.9}, Level.BAD, Section.COMPLETENESS, "A symbol is 98.9 % complete"),
        ({"least_percent": None, "complete_percent": None}, Level.GOOD, None, None),
        ({"gaps_open": 1}, Level.LOOK, Section.GAPS, "1 gap is open"),
        ({"gaps_open": 2, "gaps_unfillable": 1}, Level.LOOK, Section.GAPS, "1 gap cannot be filled, 2 gaps are open"),
        ({"runs_failed": 2, "runs_missed": 1}, Level.LOOK, Section.RUNS, "2 runs failed, 1 run missed"),
        ({"new_errors": 1}, Level.LOOK, Section.ERRORS, "1 error never seen before"),
        ({"new_errors": None}, Level.GOOD, None, None),
        ({"restarts": 2.0}, Level.LOOK, Section.HEADROOM, "Services were started again 2 times"),
        ({"disk_free_ratio": 0.12}, Level.LOOK, Section.HEADROOM, "Only 12.0 % of a disk was free"),
        ({"disk_free_ratio": 0.04}, Level.BAD, Section.HEADROOM, "Only 4.0 % of a disk was free"),
        ({"memory_used_ratio": 0.95}, Level.LOOK, Section.HEADROOM, "A service used 95.0 % of its memory"),
        (
            {"memory_available_ratio": 0.05}, Level.LOOK, Section.HEADROOM,
            "Only 5.0 % of the machine's memory was available",
        ),
        ({"unobserved_s": 3600.0}, Level.LOOK, Section.HEADROOM, "Nobody watched for 1 h"),
        ({"unobserved_s": 60.0}, Level.GOOD, None, None),
        ({"alerts_until_s": None}, Level.LOOK, Section.ALERTS, "Not known: alerts"),
        ({"alerts_until_s": 70_000.0}, Level.LOOK, Section.ALERTS, "Not known: alerts"),
        ({"measured_until_s": None}, Level.LOOK, Section.HEADROOM, "Not known: disks, memory and restarts"),
    ],
)  # fmt: skip
def test_one_thing_that_was_not_well_is_the_reason(
    changes: dict[str, Any], level: Level, section: Section | None, text: str | None
) -> None:
    found = judge(figures(**changes))

    assert found.level is level
    assert [(one.section, one.text) for one in found.reasons] == ([] if section is None else [(section, text)])


def test_what_is_bad_comes_first_and_five_reasons_are_enough() -> None:
    found = judge(
        figures(
            gaps_open=1, runs_failed=1, new_errors=1, restarts=1.0, unobserved_s=3600.0, pages=1, disk_free_ratio=0.01
        )
    )

    assert found.reasons[0].text == "Only 1.0 % of a disk was free"
    assert len(found.reasons) == MOST_REASONS
    assert found.more == 2


def test_a_day_that_is_not_over_is_told_so_far() -> None:
    assert judge(figures(told_s=77_400.0, alerts_until_s=77_400.0)).words == "A good day so far"


def test_a_day_nobody_gathered_yet_lacks_what_only_others_know() -> None:
    found = judge(figures(told_s=None, alerts_until_s=None, measured_until_s=None))

    assert not found.so_far
    assert [one.text for one in found.reasons] == ["Not known yet: alerts, disks, memory and restarts"]


def test_of_a_day_without_anything_nothing_is_known() -> None:
    nothing = {name: None if value is None or isinstance(value, float) else 0 for name, value in WHOLE.items()}

    found = judge(Figures.model_validate(nothing | {"day": date(2020, 1, 1), "symbols": 10}))

    assert (found.level, found.reasons) == (Level.UNKNOWN, [])


def test_every_rule_has_nothing_to_say_of_a_good_day() -> None:
    assert [rule(figures()) for rule in RULES] == [None] * len(RULES)


@pytest.mark.parametrize(
    ("value", "text"), [(100.0, "100 %"), (99.9999, "99.99 %"), (99.5, "99.5 %"), (0.0, "0 %"), (99.72222, "99.72 %")]
)
def test_only_what_is_whole_is_a_hundred_percent(value: float, text: str) -> None:
    assert percent(value) == text


def test_a_number_has_its_noun() -> None:
    assert [counted(1, "page"), counted(2, "page"), counted(0, "gap is", "gaps are")] == [
        "1 page",
        "2 pages",
        "0 gaps are",
    ]
