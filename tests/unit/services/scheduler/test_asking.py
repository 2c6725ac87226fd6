"""A request becomes a run with the schedule's policy."""

import pytest
from pydantic import ValidationError

from nightdesk.problems import RequestError
from nightdesk.running import NewRun
from nightdesk.runs import Origin
from nightdesk.schedule_config import Schedule
from services.scheduler.asking import wanted_run

SCHEDULE = Schedule.model_validate(
    {
        "jobs": {
            "daily": {
                "run": "backfill_gaps",
                "cron": "0 7 * * *",
                "timezone": "UTC",
                "timeout": "2m",
                "grace": "3m",
                "max_age": "4m",
                "retry": {"attempts": 5, "backoff": "6s"},
                "args": {"days": 1, "feed": "binance"},
            }
        }
    }
)


def test_a_run_has_the_entrys_file_and_policy_and_arguments_over_its_own() -> None:
    run = wanted_run(SCHEDULE, NewRun(job="daily", args={"days": 3}, idempotency_key="k"))

    assert (run.job, run.task, run.origin, run.idempotency_key) == ("daily", "backfill_gaps", Origin.REQUEST, "k")
    assert run.args == {"days": 3, "feed": "binance"}
    assert (run.timeout_s, run.grace_s, run.max_age_s, run.attempts_allowed, run.backoff_s) == (120, 180, 240, 5, 6)


def test_a_job_that_the_schedule_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(RequestError) as caught:
        wanted_run(SCHEDULE, NewRun(job="other"))

    assert caught.value.status == 422
    assert "it has daily" in caught.value.errors[0].detail


@pytest.mark.parametrize(
    "body",
    [
        {"job": "../x"},
        {"job": "daily", "idempotency_key": ""},
        {"job": "daily", "idempotency_key": "a b"},
        {"job": "daily", "idempotency_key": "é"},
        {"job": "daily", "args": {"x" * 101: 1}},
        {"job": "daily", "args": {str(place): 1 for place in range(51)}},
        {"job": "daily", "args": {"x": float("nan")}},
        {"job": "daily", "args": {"x": ["\0"]}},
        {"job": "daily", "at": "noon"},
    ],
)
def test_what_no_run_can_be_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NewRun.model_validate(body)
