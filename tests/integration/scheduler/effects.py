"""A job of a test: it does what its arguments say, and leaves a line of each thing in a table."""

import time
from contextlib import suppress
from typing import Literal

import structlog
from pydantic import Field

from nightdesk.errors import UnavailableError
from nightdesk.runs import Json
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()


class Arguments(job.Arguments):
    """What to do."""

    do: Literal["end", "hang", "swallow", "raise", "refuse", "find", "odd", "huge", "flaky"] = Field(
        "end", description="how it goes"
    )
    key: str = Field("", description="what its lines are marked with")
    seconds: float = Field(0.0, description="how long it takes")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Do it."""
    _note(desk, arguments, "began")
    log.info("effects.here", key=arguments.key, password="password=hush")
    desk.progress(1, 2, "halves")
    until = time.monotonic() + arguments.seconds
    while time.monotonic() < until:
        time.sleep(0.05)
    match arguments.do:
        case "hang":
            time.sleep(600)
        case "swallow":
            _swallow()
        case "raise":
            raise ValueError("it raises \0 \ud800 postgresql://me:hush@here/x")
        case "refuse":
            raise UnavailableError("it is away")
        case "flaky" if desk.attempt < 3:
            raise UnavailableError("not yet")
        case "find":
            raise FindingError("3 are wrong", {"wrong": 3})
        case "odd":
            return {"nan": float("nan"), "nul": "\0", "set": {1}, (1, 2): object}  # type: ignore[dict-item]
        case "huge":
            return {"text": "x" * 5_000_000}
    _note(desk, arguments, "ended")
    return {"key": arguments.key, "scheduled_for": desk.scheduled_for.isoformat()}


def _swallow() -> None:
    while True:
        with suppress(BaseException):  # as bad code does
            time.sleep(600)


def _note(desk: Desk, arguments: Arguments, what: str) -> None:
    with desk.connect("effects") as connection:
        connection.execute(
            "INSERT INTO effects (run_id, key, attempt, what) VALUES (%s, %s, %s, %s)",
            [desk.run_id, arguments.key, desk.attempt, what],
        )
