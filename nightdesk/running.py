"""What is said of runs over HTTP, by the scheduler and the api alike."""

import json
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from nightdesk.plain_json import plain_json
from nightdesk.runs import Origin, State

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


def _kept(args: dict[str, Any]) -> dict[str, Any]:
    try:
        written = json.dumps(args)
    except RecursionError:
        written = ""
    if plain_json(args) != written:
        raise ValueError("hold what the database cannot: NaN, infinity, a NUL character, broken Unicode, or a megabyte")
    return args


class NewRun(BaseModel):
    """A run that is asked for."""

    model_config = ConfigDict(extra="forbid")

    job: Name = Field(examples=["backfill_gaps"], description="an entry of the schedule")
    args: Annotated[dict[Annotated[str, Field(max_length=100)], Any], AfterValidator(_kept)] = Field(
        default_factory=dict, max_length=50, description="what the job takes, over what the schedule says"
    )
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="a second request with the same key is the same run",
    )

    @field_validator("args")
    @classmethod
    def _storable(cls, args: dict[str, Any]) -> dict[str, Any]:
        if "\\u0000" in json.dumps(args):
            raise ValueError("holds a NUL character, which no database stores; leave it out")
        return args


class Asked(BaseModel):
    """The run that was asked for."""

    run_id: int = Field(description="its number: GET /runs/{run_id}")


class Run(BaseModel):
    """One run."""

    run_id: int
    job: str = Field(description="the schedule's name of it")
    task: str = Field(description="the job's file")
    scheduled_for: datetime
    origin: Origin = Field(description="schedule, gap, request or hand: why there is a run")
    chain: str = Field(description="the job that its chain begins with; its own where there is none")
    after: list[str] = Field(description="jobs of the same time that it comes after")
    args: dict[str, Any]
    state: State
    reason: str = Field(description="why it waits, is tried again, was missed or skipped")
    attempts: int
    attempts_allowed: int
    overlapped: bool = Field(description="whether it had to wait for an earlier run of its job")
    worker: str | None
    queued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None = Field(description="of the last attempt, seconds")
    progress: dict[str, Any] | None = Field(description="how far it is: done, of how much, of what")
    result: dict[str, Any] | None = Field(description="what the job returned")
    error: str | None
    log: str | None = Field(description="the last lines of its log")


class Runs(BaseModel):
    """A page of runs, the newest first."""

    runs: list[Run]
    next: int | None = Field(description="`before` of the next page; none when this is the last")
