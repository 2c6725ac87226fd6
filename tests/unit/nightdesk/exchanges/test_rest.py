"""The REST client: what it tries again, how long it waits, and what it says."""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import requests

from nightdesk.clock import Clock
from nightdesk.errors import RateLimitedError, UnavailableError
from nightdesk.exchanges.rest import ATTEMPTS, ExchangeError, Outcome, RestClient

URL = "https://x.example/depth?symbol=A&api_key=secret"


@dataclass
class FakeAnswer:
    status_code: int = 200
    content: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


class FakeExchange:
    """Answers in turn, on a clock that only sleeping moves."""

    def __init__(self, *answers: FakeAnswer | Exception) -> None:
        self._answers = iter(answers)
        self.now_s = 1000.0
        self.asked: list[tuple[float, str, dict[str, str]]] = []
        self.outcomes: list[Outcome] = []
        clock = Clock(wall_ns=lambda: int(self.now_s * 1e9), monotonic_ns=lambda: int(self.now_s * 1e9))
        self.client = RestClient(
            weight_per_minute=6000,
            clock=clock,
            random=lambda: 0.0,
            call=self.answer,
            sleep=self.sleep,
            on_answer=self.outcomes.append,
        )

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> FakeAnswer:
        assert (method, body) == ("GET", None)
        self.asked.append((self.now_s, url, dict(headers)))
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def get(self, url: str = URL, weight: float = 1) -> bytes:
        return asyncio.run(self.client.get(url, weight=weight, headers={"X-API-Key": "secret"}))

    @property
    def times_s(self) -> list[float]:
        return [at_s - 1000.0 for at_s, _, _ in self.asked]


def test_an_answer_is_its_body() -> None:
    exchange = FakeExchange(FakeAnswer(content=b"[1]"))

    assert exchange.get() == b"[1]"
    assert exchange.asked == [(1000.0, URL, {"X-API-Key": "secret"})]


@pytest.mark.parametrize(
    "trouble", [FakeAnswer(503), FakeAnswer(500), requests.ConnectionError(), requests.ReadTimeout()]
)
def test_what_may_pass_is_tried_again_after_a_growing_while(trouble: FakeAnswer | Exception) -> None:
    exchange = FakeExchange(trouble, trouble, FakeAnswer(content=b"[1]"))

    assert exchange.get() == b"[1]"
    assert exchange.times_s == pytest.approx([0.0, 0.25, 0.75])


def test_attempts_are_bounded() -> None:
    exchange = FakeExchange(*[requests.ConnectionError()] * (ATTEMPTS + 1))

    with pytest.raises(UnavailableError):
        exchange.get()
    assert len(exchange.asked) == ATTEMPTS


@pytest.mark.parametrize("status", [429, 418])
def test_a_limit_is_waited_out_as_long_as_the_exchange_asks(status: int) -> None:
    exchange = FakeExchange(FakeAnswer(status, headers={"Retry-After": "30"}), FakeAnswer())
    exchange.get()

    assert exchange.times_s == [0.0, 30.0]


def test_a_limit_that_lasts_says_how_long_to_wait() -> None:
    exchange = FakeExchange(*[FakeAnswer(429, headers={"Retry-After": "30"})] * ATTEMPTS)

    with pytest.raises(RateLimitedError) as limited:
        exchange.get()
    assert limited.value.retry_after_s == 30.0
    assert limited.value.retryable


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [
        (FakeAnswer(429, headers={"Retry-After": "1"}), Outcome.RATE_LIMITED),
        (FakeAnswer(418), Outcome.RATE_LIMITED),
        (FakeAnswer(502), Outcome.UNAVAILABLE),
        (requests.ReadTimeout(), Outcome.UNAVAILABLE),
    ],
)
def test_each_call_is_told_by_what_became_of_it(trouble: FakeAnswer | Exception, outcome: Outcome) -> None:
    exchange = FakeExchange(trouble, FakeAnswer())
    exchange.get()

    assert exchange.outcomes == [outcome, Outcome.OK]


def test_a_refusal_is_told_as_one() -> None:
    exchange = FakeExchange(FakeAnswer(404))
    with pytest.raises(ExchangeError):
        exchange.get()

    assert exchange.outcomes == [Outcome.REFUSED]


def test_a_limit_closes_its_host_for_everyone_and_no_other_host() -> None:
    exchange = FakeExchange(*[FakeAnswer(429, headers={"Retry-After": "30"})] * ATTEMPTS, FakeAnswer(), FakeAnswer())
    with pytest.raises(RateLimitedError):
        exchange.get()
    exchange.get("https://y.example/depth")
    exchange.get()

    last_s, other_s, same_s = exchange.times_s[-3:]
    assert other_s == last_s
    assert same_s == last_s + 30.0


def test_weight_is_spent_before_the_call() -> None:
    exchange = FakeExchange(*[FakeAnswer()] * 3)
    for _ in range(3):
        exchange.get(weight=1500)

    assert exchange.times_s == [0.0, 0.0, 30.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302])
def test_what_will_be_refused_again_is_not_tried_again(status: int) -> None:
    exchange = FakeExchange(FakeAnswer(status, b'{"code":-1121,"msg":"Invalid symbol."}'))

    with pytest.raises(ExchangeError, match=r"Invalid symbol") as refused:
        exchange.get()
    assert not refused.value.retryable


@pytest.mark.parametrize("trouble", [FakeAnswer(404), FakeAnswer(503), FakeAnswer(429), requests.ConnectionError(URL)])
def test_no_error_tells_a_credential(trouble: FakeAnswer | Exception) -> None:
    exchange = FakeExchange(*[trouble] * ATTEMPTS)

    with pytest.raises((ExchangeError, UnavailableError)) as failed:
        exchange.get()
    assert "secret" not in str(failed.value)
    assert "https://x.example/depth" in str(failed.value)


def test_calls_that_hang_leave_the_event_loops_own_threads_free() -> None:
    release = threading.Event()

    def hang(_method: str, _url: str, _headers: Mapping[str, str], _body: bytes | None) -> FakeAnswer:
        release.wait(10)
        return FakeAnswer()

    async def scenario() -> None:
        client = RestClient(weight_per_minute=6000, clock=Clock(), random=lambda: 0.0, call=hang)
        calls = [asyncio.create_task(client.get(URL)) for _ in range(64)]
        await asyncio.sleep(0.05)
        try:
            await asyncio.wait_for(asyncio.to_thread(int), 5)
        finally:
            release.set()
            await asyncio.gather(*calls)

    asyncio.run(scenario())
