import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from nightdesk.errors import UnavailableError
from nightdesk.health import Status
from nightdesk.targets import Target
from services.api.fetch import Answer
from services.api.survey.survey import RedisState
from services.api.survey.surveyor import Surveyor, parts_of, samples_of

HEALTH = {
    "service": "worker",
    "status": "ok",
    "parts": [
        {"part": "database", "status": "ok", "detail": "fine", "age_s": 0.1, "threshold_s": 5, "facts": {"n": 1}}
    ],
}
METRICS = 'nightdesk_feed_ticks_total{feed="simulator"} 1\n'


class Network:
    """Two workers and no collector; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.broken: set[str] = set()

    async def resolve(self, host: str, _port: int) -> list[str]:
        if host == "collector":
            raise UnavailableError("collector is not a running service")
        return ["10.0.0.1", "10.0.0.2"]

    async def fetch(self, host: str, _port: int, path: str) -> Answer:
        self.asked.append((host, path))
        if host in self.broken:
            raise UnavailableError("no answer within 1 s")
        return Answer(status=200, body=json.dumps(HEALTH).encode() if path == "/health" else METRICS.encode())


class Store:
    """A database and a Redis that can be away."""

    def __init__(self) -> None:
        self.away = False

    async def leases(self) -> list[dict[str, object]]:
        if self.away:
            raise UnavailableError("the database does not answer")
        return [{"feed": "simulator"}]

    async def redis(self) -> RedisState:
        if self.away:
            raise UnavailableError("Redis does not answer")
        return RedisState(memory_ratio=0.25)


class Desk:
    """A surveyor over fakes, and a clock to turn."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.network = Network()
        self.store = Store()
        self.surveyor = Surveyor(
            targets=(
                Target(service="worker", host="worker", port=9100),
                Target(service="collector", host="collector", port=9100),
            ),
            leases=self.store.leases,
            redis=self.store.redis,
            fetch=self.network.fetch,
            resolve=self.network.resolve,
            monotonic_s=lambda: self.now_s,
            wall_s=lambda: 1000.0 + self.now_s,
        )


def test_every_address_of_a_service_is_asked() -> None:
    desk = Desk()

    survey = asyncio.run(desk.surveyor.survey())

    assert [report.instance for report in survey.reports] == ["10.0.0.1:9100", "10.0.0.2:9100", "collector"]
    assert sorted(desk.network.asked) == [
        (host, path) for host in ("10.0.0.1", "10.0.0.2") for path in ("/health", "/metrics")
    ]


def test_a_service_without_an_address_is_a_report_and_no_error() -> None:
    survey = asyncio.run(Desk().surveyor.survey())

    assert survey.reports[-1].problem == "collector is not a running service"


def test_an_instance_that_does_not_answer_is_a_report_and_no_error() -> None:
    desk = Desk()
    desk.network.broken.add("10.0.0.2")

    survey = asyncio.run(desk.surveyor.survey())

    assert [report.problem for report in survey.reports[:2]] == [None, "no answer within 1 s"]


def test_a_second_question_within_a_second_asks_nobody() -> None:
    desk = Desk()

    async def twice() -> None:
        first = await desk.surveyor.survey()
        desk.now_s = 0.9
        assert await desk.surveyor.survey() is first
        desk.now_s = 1.1
        assert await desk.surveyor.survey() is not first

    asyncio.run(twice())

    assert len(desk.network.asked) == 8


def test_many_questions_at_once_share_one_survey() -> None:
    desk = Desk()

    async def many() -> None:
        surveys = await asyncio.gather(*(desk.surveyor.survey() for _ in range(20)))
        assert len({id(survey) for survey in surveys}) == 1

    asyncio.run(many())

    assert len(desk.network.asked) == 4


def test_the_age_of_what_is_away_counts_from_its_last_answer() -> None:
    desk = Desk()

    async def loses_it() -> None:
        assert (await desk.surveyor.survey()).database.age_s == 0.0
        desk.store.away = True
        desk.now_s = 30.0
        survey = await desk.surveyor.survey()
        assert (survey.database.problem, survey.database.age_s) == ("the database does not answer", 30.0)
        assert (survey.redis.problem, survey.redis.age_s) == ("Redis does not answer", 30.0)

    asyncio.run(loses_it())


def test_what_never_answered_has_no_age() -> None:
    desk = Desk()
    desk.store.away = True

    assert asyncio.run(desk.surveyor.survey()).database.age_s is None


def test_a_later_survey_knows_an_earlier_reading() -> None:
    desk = Desk()

    async def twice() -> None:
        first = await desk.surveyor.survey()
        desk.now_s = 5.0
        second = await desk.surveyor.survey()
        assert second.before is first.reading

    asyncio.run(twice())


def test_parts_are_read_as_the_service_said_them() -> None:
    (part,) = parts_of(Answer(status=200, body=json.dumps(HEALTH).encode()))

    assert (part.part, part.status, part.age_s, part.threshold_s) == ("database", Status.OK, 0.1, 5.0)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ok",
        b"[]",
        b"{}",
        b'{"parts": 1}',
        b'{"parts": [1]}',
        b'{"parts": [{"part": "x", "status": "odd"}]}',
        b"\xff",
    ],
)
def test_a_health_that_cannot_be_read_is_no_answer(body: bytes) -> None:
    with pytest.raises(UnavailableError, match="cannot be read"):
        parts_of(Answer(status=200, body=body))


@pytest.mark.parametrize(
    "answer", [Answer(status=500, body=b""), Answer(status=200, body=b"nightdesk_x{"), Answer(status=200, body=b"\xff")]
)
def test_metrics_that_cannot_be_read_leave_health_as_it_is(answer: Answer) -> None:
    assert samples_of("worker", "10.0.0.1:9100", answer) == ()


JSON = some.recursive(
    some.none() | some.booleans() | some.floats() | some.text(max_size=5),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.sampled_from(["part", "parts", "status", "facts", "age_s"]), inner)
    ),
)


@given(JSON)
def test_whatever_json_a_service_sends_is_parts_or_no_answer(said: object) -> None:
    with contextlib.suppress(UnavailableError):
        parts_of(Answer(status=200, body=json.dumps(said).encode()))


@given(some.lists(some.text(max_size=30).map(lambda text: f"nightdesk_{text}"), max_size=4))
def test_whatever_text_a_service_sends_is_samples_or_none(lines: list[str]) -> None:
    samples_of("worker", "10.0.0.1:9100", Answer(status=200, body="\n".join(lines).encode(errors="replace")))
