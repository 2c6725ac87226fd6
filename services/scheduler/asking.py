"""``POST /runs``: a run that somebody asks for."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from nightdesk import runs
from nightdesk.errors import UnavailableError
from nightdesk.problems import FieldProblem, RequestError
from nightdesk.running import Asked, NewRun
from nightdesk.runs import Origin, State
from nightdesk.schedule_config import Schedule
from nightdesk.store.runs import KeyTakenError, RunRows

router = APIRouter(tags=["runs"])


@router.post("/runs", summary="Start a job", status_code=HTTPStatus.ACCEPTED)
async def ask(request: Request, wanted: NewRun) -> Asked:
    """Write down a run of an entry of the schedule, to begin at once, or when the entry's run under way is over.

    The answer comes once the run is safe. A caller that gets none asks again with the same `idempotency_key`.
    """
    state = request.app.state
    made = wanted_run(state.schedule, wanted)
    try:
        return Asked(run_id=await asyncio.to_thread(_add, state.rows, made))
    except KeyTakenError as error:
        raise RequestError(HTTPStatus.CONFLICT, [_problem("idempotency_key", str(error))]) from error


def wanted_run(schedule: Schedule, wanted: NewRun) -> runs.Request:
    """Return the run to write down; raises RequestError for a job that the schedule does not have."""
    entry = schedule.jobs.get(wanted.job)
    if entry is None:
        known = ", ".join(sorted(schedule.jobs))
        raise RequestError(
            HTTPStatus.UNPROCESSABLE_ENTITY, [_problem("job", f"the schedule has no {wanted.job}; it has {known}")]
        )
    args: Mapping[str, Any] = {**entry.args, **wanted.args}
    return runs.Request(
        job=wanted.job,
        task=entry.task(wanted.job),
        args=args,
        idempotency_key=wanted.idempotency_key,
        origin=Origin.REQUEST,
        grace_s=entry.grace,
        max_age_s=entry.max_age,
        timeout_s=entry.timeout,
        attempts_allowed=entry.retry.attempts,
        backoff_s=entry.retry.backoff,
    )


def _add(rows: RunRows, wanted: runs.Request) -> int:
    return rows.request(wanted, state=State.EXPECTED, now=_now(rows))


def _now(rows: RunRows) -> datetime:
    """Return the database's time; the first question after an outage only finds the old connection dead."""
    try:
        return rows.now()
    except UnavailableError:
        return rows.now()


def _problem(field: str, detail: str) -> FieldProblem:
    return FieldProblem(field=field, place="body", detail=detail)
