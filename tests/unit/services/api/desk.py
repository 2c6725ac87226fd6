"""The api over fakes: a store and an alerter that answer what they are told to, and a survey of our choice."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from nightdesk.errors import UnavailableError
from nightdesk.orders.batches import Placed
from nightdesk.orders.kinds import Kind
from nightdesk.orders.models import Counts
from services.api.access import Gate
from services.api.app import RUNBOOKS, build
from services.api.attempts import Attempts
from services.api.fetch import Answer, Question
from services.api.neighbour import Neighbour
from services.api.survey.samples import reading
from services.api.survey.survey import DatabaseReport, RedisReport, RedisState, Survey
from services.api.survey.surveyor import Surveyor

TOKEN = "open sesame"
OUTSIDE = {"X-Nightdesk-Outside": "yes"}
"""What the proxy says of every request."""

SCHEDULERS_TOKEN = "token-of-the-scheduler"
ALERTERS_TOKEN = "token of the alerter"


QUIET: dict[str, object] = {"open_gaps": 0, "unfillable_gaps": 0, "good_runs": 7, "bad_runs": 0, "worst": []}
ALWAYS: dict[str, list[dict[str, object]]] = {"last_day": [QUIET]}
"""What one row is always there of."""


@dataclass
class FakeStore:
    """Rows by statement; raises what it is given instead."""

    answers: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    error: Exception | None = None
    asked: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    async def rows(self, name: str, parameters: Mapping[str, object]) -> list[dict[str, object]]:
        self.asked.append((name, dict(parameters)))
        if self.error is not None:
            raise self.error
        return self.answers.get(name, ALWAYS.get(name, []))

    async def report(
        self, names: Iterable[str], parameters: Mapping[str, object]
    ) -> dict[str, list[dict[str, object]]]:
        return {name: await self.rows(f"reports/{name}", parameters) for name in names}


@dataclass
class FakeClerk:
    """Reads a batch to its end and adds all of it; raises what it is given instead."""

    error: Exception | None = None
    recorded: list[tuple[str, list[Placed], bool]] = field(default_factory=list)

    def record(self, kind: Kind, batch: Iterable[Placed], create: bool) -> Counts:
        if self.error is not None:
            raise self.error
        rows = list(batch)
        self.recorded.append((kind.name, rows, create))
        return Counts(received=len(rows), added=len(rows), changed=0, unchanged=0)


@dataclass
class FakeNeighbour:
    """Answers by method and path, the query left out; 404 for what it does not know, nothing while it is away."""

    answers: dict[tuple[str, str], Any] = field(default_factory=dict)
    status: int = 200
    away: bool = False
    asked: list[Question] = field(default_factory=list)

    async def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        if self.away:
            raise UnavailableError("no answer within 2 s")
        known = self.answers.get((question.method, question.path.partition("?")[0]))
        if known is None:
            return Answer(status=404, body=json.dumps(missing("it is not there")).encode())
        return Answer(status=self.status, body=json.dumps(known).encode())


def missing(detail: str, status: int = 404) -> dict[str, Any]:
    """Return the problem document of a service that refuses."""
    return {"status": status, "detail": detail, "errors": [{"field": "x", "place": "path", "detail": detail}]}


class FakeSurveyor(Surveyor):
    """Answers one survey for ever."""

    def __init__(self, survey: Survey) -> None:
        self.made = survey

    async def survey(self) -> Survey:
        return self.made

    def last_unix_s(self) -> float:
        return self.made.unix_s


def a_survey(*, database_problem: str | None = None) -> Survey:
    return Survey(
        at_s=1.0,
        unix_s=1_767_225_600.0,
        reports=(),
        database=DatabaseReport(problem=database_problem, age_s=0.0, latency_s=0.001),
        redis=RedisReport(age_s=0.0, latency_s=0.001, state=RedisState(memory_ratio=0.1)),
        reading=reading(1.0, []),
    )


def a_client(
    *,
    store: FakeStore | None = None,
    clerk: FakeClerk | None = None,
    alerter: FakeNeighbour | None = None,
    scheduler: FakeNeighbour | None = None,
    token: str | None = None,
    login_token: str | None = None,
    survey: Survey | None = None,
    runbooks: Path = RUNBOOKS,
    now_s: float = 1_000_000.0,
) -> TestClient:
    """Return a client of the api that raises nothing, as a server would, and follows no redirect."""
    attempts = Attempts(lambda: now_s)
    app = build(
        gate=Gate(token=token, login_token=login_token, secret="pepper", wall_s=lambda: now_s, attempts=attempts),
        rows=(store := store or FakeStore()).rows,
        report=store.report,
        record=(clerk or FakeClerk()).record,
        surveyor=FakeSurveyor(survey or a_survey()),
        alerter=Neighbour(
            name="alerter", url="http://alerter:9100", token=ALERTERS_TOKEN, ask=alerter or FakeNeighbour()
        ),
        scheduler=Neighbour(
            name="scheduler",
            url="http://scheduler:9100",
            token=SCHEDULERS_TOKEN,
            ask=scheduler or FakeNeighbour(away=True),
        ),
        runbooks=runbooks,
        links={"grafana": "http://localhost:3000", "prometheus": "http://localhost:9090"},
        registry=CollectorRegistry(),
    )
    return TestClient(app, base_url="http://desk", raise_server_exceptions=False, follow_redirects=False)


def away() -> FakeStore:
    return FakeStore(error=UnavailableError("the database does not answer"))
