"""What was to run and what became of it, and a way to start a job."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.problems import FieldProblem, RequestError, responses
from nightdesk.running import Asked, Name, NewRun, Run, Runs
from nightdesk.runs import ENDED, State
from services.api.access import by_our_pages, wants_page
from services.api.layout import PAGE, page
from services.api.neighbour import Neighbour
from services.api.paging import paging

router = APIRouter(tags=["runs"])

MAX_RUNS: Final = 200
MAX_ID: Final = 2**63 - 1

MARKS: Final = {
    State.EXPECTED: "quiet",
    State.QUEUED: "quiet",
    State.RUNNING: "info",
    State.SUCCEEDED: "ok",
    State.FAILED: "down",
    State.MISSED: "down",
    State.SKIPPED: "degraded",
}
"""How good or bad a state looks."""

RunNumber = Annotated[int, Path(ge=1, le=MAX_ID, description="number of the run", examples=[12])]


class RunsQuery(BaseModel):
    """Which runs."""

    model_config = ConfigDict(extra="forbid")

    job: Name | None = Field(None, description="only of this entry of the schedule")
    chain: Name | None = Field(None, description="only of chains that begin with this entry")
    state: State | None = Field(None, description="only runs in this state")
    before: int | None = Field(None, ge=1, le=MAX_ID, description="only runs older than this run_id: `next` of a page")
    limit: int = Field(50, ge=1, le=MAX_RUNS, description="at most so many runs")


@router.get("/runs", response_model=Runs, summary="What ran, what did not, what is to come", responses=PAGE)
async def runs(request: Request, query: Annotated[RunsQuery, Query()]) -> Runs | Response:
    """Return a page of runs, the newest first; for browsers, a page to read."""
    asked = {**query.model_dump(), "run_id": None, "limit": query.limit + 1}
    rows = await request.app.state.rows("runs", asked)
    newest = [Run.model_validate(row) for row in rows[: query.limit]]
    found = Runs(runs=newest, next=newest[-1].run_id if len(rows) > query.limit else None)
    return await _page(request, query, found) if wants_page(request) else found


@router.get(
    "/runs/{run_id}",
    response_model=Run,
    summary="One run and its result",
    responses={**PAGE, **responses({404: "no such run"})},
)
async def run(request: Request, run_id: RunNumber) -> Run | Response:
    """Return a run: its state, and once it is over, its result or its error; for browsers, a page to read."""
    nothing = dict.fromkeys(RunsQuery.model_fields)
    rows = await request.app.state.rows("runs", {**nothing, "run_id": run_id, "limit": 1})
    if not rows:
        raise RequestError(
            HTTPStatus.NOT_FOUND, [FieldProblem(field="run_id", place="path", detail=f"there is no run {run_id}")]
        )
    found = Run.model_validate(rows[0])
    if wants_page(request):
        return page(request, "run.html", run=found, mark=MARKS[found.state], is_over=found.state in ENDED)
    return found


async def _page(request: Request, query: RunsQuery, found: Runs) -> Response:
    jobs = await request.app.state.rows("jobs", {})
    expected = [one for one in found.runs if one.state is State.EXPECTED]
    return page(
        request,
        "runs.html",
        query=query,
        runs=[(one, MARKS[one.state]) for one in found.runs if query.state or one.state is not State.EXPECTED],
        to_come=[] if query.state else sorted(expected, key=lambda one: one.scheduled_for),
        paging=paging(query, found.next),
        jobs=[row["job"] for row in jobs],
        states=list(State),
    )


@router.post(
    "/runs",
    summary="Start a job",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(
        {
            400: "the body is no text",
            408: "the body did not arrive in time",
            409: "the idempotency key belongs to another request",
            413: "the body is larger than any that makes sense",
        }
    ),
    dependencies=[Depends(by_our_pages)],
)
async def start(request: Request, wanted: NewRun) -> Asked:
    """Start an entry of the schedule now, or when its run under way is over; `GET /runs/{run_id}` says how it goes.

    A caller that gets no answer asks again with the same `idempotency_key`.
    """
    scheduler: Neighbour = request.app.state.scheduler
    return await scheduler.send(Asked, "POST", "/runs", wanted)
