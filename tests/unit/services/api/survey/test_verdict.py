from dataclasses import replace

import pytest

from nightdesk.backpressure import REDIS_FULL_RATIO
from nightdesk.health import Part, Status
from services.api.survey.flow import Flow
from services.api.survey.samples import reading
from services.api.survey.survey import Backlog, DatabaseReport, RedisReport, RedisState, Report, Survey
from services.api.survey.verdict import line, merged, redis_part, stream_part, verdict

REDIS = RedisState(memory_ratio=0.1, backlogs=(Backlog(feed="simulator", entries=3, oldest_ms=999_900),))
FEED = Part(part="feed/simulator", status=Status.OK, detail="connected", age_s=0.2, threshold_s=30.0)


def leases(*, owned: int = 8, unowned_s: float | None = None) -> DatabaseReport:
    row = {"feed": "simulator", "consumers": 8, "owned": owned, "workers": 2, "unowned_s": unowned_s}
    return DatabaseReport(age_s=0.0, latency_s=0.002, leases=[row])


def a_survey() -> Survey:
    reports = (
        Report(service="collector", instance="c:1", parts=(FEED,)),
        Report(service="worker", instance="w1:1"),
        Report(service="worker", instance="w2:1"),
        Report(service="simulator", instance="s:1"),
    )
    return Survey(
        at_s=10.0,
        unix_s=1000.0,
        reports=reports,
        database=leases(),
        redis=RedisReport(age_s=0.0, latency_s=0.001, state=REDIS),
        reading=reading(10.0, []),
    )


def status_of(survey: Survey, name: str) -> Status:
    return next(part.status for part in verdict(survey).parts if part.part == name)


def replaced(survey: Survey, service: str, **changes: object) -> Survey:
    reports = tuple(
        replace(report, **changes) if report.service == service else report  # type: ignore[arg-type]
        for report in survey.reports
    )
    return replace(survey, reports=reports)


def test_all_is_well_when_every_part_is() -> None:
    found = verdict(a_survey())

    assert found.status is Status.OK
    assert [part.part for part in found.parts] == [
        "feed/simulator", "streams/simulator", "consumers/simulator", "database", "redis",
        "collector", "worker", "simulator",
    ]  # fmt: skip


def test_a_service_of_which_nobody_answers_is_down() -> None:
    survey = replaced(a_survey(), "collector", parts=(), problem="no answer within 1 s")

    assert status_of(survey, "collector") is Status.DOWN
    assert verdict(survey).status is Status.DOWN


def test_a_replica_that_does_not_answer_degrades() -> None:
    survey = a_survey()
    first, second, third, fourth = survey.reports
    survey = replace(survey, reports=(first, replace(second, problem="no answer within 1 s"), third, fourth))

    assert status_of(survey, "worker") is Status.DEGRADED
    assert verdict(survey).status is Status.DEGRADED


def test_the_exchange_is_not_ours_and_degrades_at_most() -> None:
    survey = replaced(a_survey(), "simulator", problem="no answer within 1 s")

    assert verdict(survey).status is Status.DEGRADED


def test_a_database_that_does_not_answer_is_down_with_its_age() -> None:
    survey = replace(a_survey(), database=DatabaseReport(problem="the database does not answer", age_s=42.0))
    part = verdict(survey).parts[0]

    assert (part.part, part.status, part.age_s) == ("database", Status.DOWN, 42.0)


@pytest.mark.parametrize(("unowned_s", "status"), [(3.0, Status.DEGRADED), (16.0, Status.DOWN), (None, Status.DOWN)])
def test_a_consumer_without_owner_is_down_after_the_time_a_takeover_takes(
    unowned_s: float | None, status: Status
) -> None:
    survey = replace(a_survey(), database=leases(owned=7, unowned_s=unowned_s))

    assert status_of(survey, "consumers/simulator") is status


@pytest.mark.parametrize(
    ("flow", "status"),
    [
        (Flow(feed="f", lag_s=0.2), Status.OK),
        (Flow(feed="f", lag_s=20.0, committed_per_s=100.0), Status.DEGRADED),
        (Flow(feed="f", lag_s=200.0, committed_per_s=100.0), Status.DEGRADED),
        (Flow(feed="f", lag_s=200.0, committed_per_s=0.0), Status.DOWN),
        (Flow(feed="f"), Status.DEGRADED),
    ],
)
def test_a_stream_far_behind_is_down_only_when_nothing_moves(flow: Flow, status: Status) -> None:
    assert stream_part(flow).status is status


def test_a_nearly_full_redis_degrades() -> None:
    assert redis_part(RedisReport(age_s=0.0, state=RedisState(memory_ratio=REDIS_FULL_RATIO))).status is Status.DEGRADED
    assert (
        redis_part(RedisReport(age_s=0.0, state=RedisState(memory_ratio=REDIS_FULL_RATIO - 0.01))).status is Status.OK
    )
    assert redis_part(RedisReport(age_s=0.0, state=RedisState())).status is Status.OK
    assert redis_part(RedisReport(problem="Redis does not answer")).status is Status.DOWN


def test_of_several_words_on_a_part_the_worst_counts() -> None:
    bad = replace(FEED, status=Status.DOWN)

    assert merged([FEED, bad, FEED]) == [bad]


def test_the_collector_at_work_speaks_for_the_feed_and_not_its_standby() -> None:
    standby = Part(part="feed/simulator", status=Status.OK, detail="standby")

    assert merged([standby, FEED]) == [FEED]


def test_the_worst_part_comes_first() -> None:
    survey = replaced(a_survey(), "worker", problem="gone")

    assert verdict(survey).parts[0].part == "worker"


def test_a_part_is_one_plain_line() -> None:
    assert line(FEED) == "ok       feed/simulator: connected (0.2 of 30 s)"
    assert line(Part(part="worker", status=Status.DOWN, detail="0 of 1 answer")) == "down     worker: 0 of 1 answer"


def with_alerter(*parts: Part, problem: str | None = None) -> Survey:
    survey = a_survey()
    return replace(
        survey, reports=(*survey.reports, Report(service="alerter", instance="a:1", parts=parts, problem=problem))
    )


def a_part(name: str, status: Status, detail: str = "") -> Part:
    return Part(part=name, status=status, detail=detail)


def test_what_fires_and_who_would_be_told_come_before_the_services() -> None:
    parts = [a_part(name, Status.OK) for name in ("watch", "alerts", "channels", "outbox", "state")]

    found = [part.part for part in verdict(with_alerter(*parts)).parts]

    assert found[5:] == [
        "alerts", "channels", "collector", "worker", "alerter", "alerter/outbox", "alerter/state", "alerter/watch",
        "simulator",
    ]  # fmt: skip


def test_a_part_of_the_alerters_is_never_taken_for_another_services() -> None:
    survey = replaced(
        with_alerter(a_part("state", Status.DEGRADED, "the disk takes nothing")),
        "worker",
        parts=(a_part("state", Status.OK, "the worker's own"),),
    )

    found = {part.part: part.detail for part in verdict(survey).parts}

    assert (found["state"], found["alerter/state"]) == ("the worker's own", "the disk takes nothing")


def test_a_desk_without_a_channel_is_ok_and_says_that_nobody_would_be_woken() -> None:
    found = verdict(with_alerter(a_part("channels", Status.OK, "nobody would be woken")))

    assert found.status is Status.OK
    assert "ok       channels: nobody would be woken" in [line(part) for part in found.parts]


def test_an_alert_that_fires_degrades_the_whole() -> None:
    assert verdict(with_alerter(a_part("alerts", Status.DEGRADED))).status is Status.DEGRADED


def test_ticks_flow_without_the_alerter_so_that_alone_is_no_reason_to_be_down() -> None:
    assert verdict(with_alerter(problem="no answer within 1 s")).status is Status.DEGRADED
    assert verdict(with_alerter(a_part("watch", Status.DOWN))).status is Status.DEGRADED
