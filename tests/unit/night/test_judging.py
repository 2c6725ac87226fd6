"""What judges the week notices a missed incident, a late one, a false page, a loud day, and slowness."""

import re
from dataclasses import replace

import pytest

from tests.night import report
from tests.night.judging import LEAST_INCIDENTS, SOFT_A_DAY, Case, Verdict, judged
from tests.night.reading import PUSHOVER, SLACK, Sign, Told

STRUCK_S = 1000.0
CONDITION_S = 1060.0


def a_case(number: int = 0, **fields: object) -> Case:
    name = f"thing-{number}"
    known = Case(
        name=name,
        expected=f"Broken{{{name}}}, page",
        words=re.compile(f"{name} is broken"),
        struck_s=STRUCK_S,
        condition_s=CONDITION_S,
        until_s=CONDITION_S + 100,
        limit_s=45.0,
    )
    return replace(known, **fields)  # type: ignore[arg-type]


def a_page(title: str, after_s: float = 10.0, **fields: object) -> Told:
    told = Told(at_s=CONDITION_S + after_s, channel=SLACK, sign=Sign.CRITICAL, title=title)
    return replace(told, **fields)  # type: ignore[arg-type]


CASES = [a_case(number) for number in range(LEAST_INCIDENTS)]
PAGES = [a_page(f"thing-{number} is broken") for number in range(LEAST_INCIDENTS)]


def verdict(cases: list[Case] = CASES, told: list[Told] = PAGES, others: list[str] | None = None) -> Verdict:
    return judged(cases, told, lambda at_s: f"day {at_s // 100:.0f}", others or [])


def test_a_week_in_which_everything_was_told_in_time_meets_the_goal() -> None:
    good = verdict()

    assert good.problems == ()
    assert good.median_s == 10.0
    assert [one.channel for one in good.findings] == [SLACK] * LEAST_INCIDENTS


def test_a_missed_incident_is_noticed() -> None:
    missed = verdict(told=PAGES[1:])

    assert missed.problems == ("thing-0: nobody was told",)
    assert "NO" in report.table(missed)
    assert missed.findings[0].as_json()["detected"] is False
    assert missed.findings[0].as_json()["seconds"] is None


def test_a_late_one_is_noticed() -> None:
    late = verdict(told=[a_page("thing-0 is broken", 46.0), *PAGES[1:]])

    assert late.problems == ("thing-0: told after 46 s, 45 s are allowed",)
    assert late.findings[0].as_json()["detected"] is True


def test_a_false_page_is_noticed() -> None:
    false = verdict(told=[*PAGES, a_page("nothing is broken")])

    assert false.problems == ("a false page on slack-desk: nothing is broken",)
    assert report.as_json(false, {}, [])["false_pages"] == 1


@pytest.mark.parametrize("after_s", [-61.0, 101.0])
def test_a_page_about_an_incident_of_another_time_is_a_false_one(after_s: float) -> None:
    assert len(verdict(told=[*PAGES, a_page("thing-1 is broken", after_s)]).false_pages) == 1


def test_one_line_of_a_page_that_nothing_explains_makes_it_a_false_one() -> None:
    both = a_page("Broken: 2 at once", lines=("• thing-1 is broken (5 s)", "• thing-99 is broken (5 s)"))
    ended = a_page("Broken: 2 at once", lines=("• thing-1 is broken (5 s)", "• over: thing-99 is broken (5 s)"))

    assert len(verdict(told=[*PAGES, both]).false_pages) == 1
    assert len(verdict(told=[*PAGES, ended]).false_pages) == 0


def test_a_second_call_about_what_somebody_looks_after_is_a_false_page() -> None:
    again = a_page("Nobody has acknowledged for 45 s: thing-0 is broken", 50.0, channel=PUSHOVER)
    seen = [replace(CASES[0], acknowledged_s=CONDITION_S + 20), *CASES[1:]]

    assert verdict(told=[*PAGES, again]).problems == ()
    assert len(verdict(cases=seen, told=[*PAGES, again]).false_pages) == 1


def test_a_page_that_its_channel_refused_told_nobody_but_is_a_page() -> None:
    refused = replace(PAGES[0], is_delivered=False)

    assert verdict(told=[refused, *PAGES[1:]]).problems == ("thing-0: nobody was told",)
    assert len(verdict(told=[*PAGES, a_page("nothing is broken", is_delivered=False)]).false_pages) == 1


def test_that_something_is_over_tells_nobody_of_it_and_is_no_page() -> None:
    over = replace(PAGES[0], sign=Sign.OVER, title="Over after 5 s: thing-0 is broken")

    assert verdict(told=[over, *PAGES[1:]]).problems == ("thing-0: nobody was told",)


@pytest.mark.parametrize("sign", [Sign.WARNING, Sign.INFO])
def test_eleven_soft_ones_in_a_day_are_noticed_and_ten_are_not(sign: Sign) -> None:
    soft = [a_page(f"by the way {number}", sign=sign) for number in range(SOFT_A_DAY + 1)]

    assert verdict(told=[*PAGES, *soft[1:]]).problems == ()
    loud = verdict(told=[*PAGES, *soft])
    assert loud.soft_a_day == SOFT_A_DAY + 1
    assert loud.problems == ("11 messages on one day that called for nobody, 10 are the goal",)


def test_soft_ones_of_two_days_are_counted_apart() -> None:
    soft = [a_page(f"by the way {number}", number * 60.0, sign=Sign.INFO) for number in range(SOFT_A_DAY + 1)]

    assert verdict(told=[*PAGES, *soft]).soft_a_day < SOFT_A_DAY


def test_a_slow_median_is_noticed() -> None:
    slow = [a_page(f"thing-{number} is broken", 31.0) for number in range(LEAST_INCIDENTS)]

    assert verdict(told=slow).problems == ("a median of 31.0 s, less than 30 s is the goal",)


def test_too_few_incidents_are_noticed() -> None:
    assert "only 3 incidents struck" in verdict(cases=CASES[:3], told=PAGES[:3]).problems[0]


def test_what_went_wrong_with_the_week_itself_misses_the_goal() -> None:
    assert verdict(others=["the exchange did not start"]).problems == ("the exchange did not start",)


def test_a_digest_says_that_it_is_one() -> None:
    digest = a_page("Digest: 1 new, 0 going on, 1 over", sign=Sign.WARNING, lines=("• thing-0 is broken (10:00)",))

    found = verdict(told=[digest, *PAGES[1:]]).findings[0]

    assert found.channel == "slack-desk (digest)"
    assert verdict(cases=[replace(CASES[0], is_digested=True), *CASES[1:]]).median_at_once_s == 10.0
