"""The api over fakes: a store that answers what it is told to, and a survey of our choice."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from nightdesk.errors import UnavailableError
from services.api.access import Gate
from services.api.app import build
from services.api.survey.samples import reading
from services.api.survey.survey import DatabaseReport, RedisReport, RedisState, Survey
from services.api.survey.surveyor import Surveyor

TOKEN = "open sesame"


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
        return self.answers.get(name, [])


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
    token: str | None = None,
    survey: Survey | None = None,
    now_s: float = 1_000_000.0,
) -> TestClient:
    """Return a client of the api that raises nothing, as a server would, and follows no redirect."""
    app = build(
        gate=Gate(token=token, secret="pepper", wall_s=lambda: now_s),
        rows=(store or FakeStore()).rows,
        surveyor=FakeSurveyor(survey or a_survey()),
        links={"grafana": "http://localhost:3000", "prometheus": "http://localhost:9090"},
        registry=CollectorRegistry(),
    )
    return TestClient(app, base_url="http://desk", raise_server_exceptions=False, follow_redirects=False)


def away() -> FakeStore:
    return FakeStore(error=UnavailableError("the database does not answer"))
