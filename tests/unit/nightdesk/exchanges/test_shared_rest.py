"""Asking within a shared budget: what is tried again, how long it waits, and when it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import requests
from structlog.testing import capture_logs

from nightdesk.clock import Clock
from nightdesk.errors import ExchangeError, RateLimitedError, UnavailableError
from nightdesk.exchanges.budget import RateBudget
from nightdesk.exchanges.histories import HISTORIES
from nightdesk.exchanges.history import Request
from nightdesk.exchanges.shared_rest import ATTEMPTS, LIMITED_MOST, SharedRest

REQUEST = Request(url="https://x.example/trades?key=secret", weight=25)
BEGAN_S = 1000.0


@dataclass
class FakeAnswer:
    status_code: int = 200
    content: bytes = b"[]"
    headers: Mapping[str, str] = field(default_factory=dict)


LIMITED = FakeAnswer(429, headers={"Retry-After": "7"})


class Exchange:
    """Answers in turn, on a clock that only waiting moves; it is its own budget."""

    def __init__(self, *answers: FakeAnswer | Exception, codec: str = "binance", per_minute: float = 6000) -> None:
        self._answers = iter(answers)
        self.now_s = BEGAN_S
        self.asked_s: list[float] = []
        self._budget = RateBudget(weight_per_minute=per_minute, now_s=self.now_s)
        self.closed_until_s = 0.0
        self.given_back = 0.0
        self.rest = SharedRest(
            HISTORIES[codec]("https://x.example"), budget=self, weight_per_minute=6000, headers={},
            call=self.answer, clock=Clock(wall_ns=lambda: int(self.now_s * 1e9)), random=lambda: 0.0, sleep=self.sleep,
        )  # fmt: skip

    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> FakeAnswer:
        self.asked_s.append(self.now_s - BEGAN_S)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds

    def spend(self, weight: float) -> float:
        return max(self._budget.spend(weight, self.now_s), self.closed_s())

    def give_back(self, weight: float) -> None:
        self.given_back += weight

    def close(self, seconds: float) -> None:
        self.closed_until_s = max(self.closed_until_s, self.now_s + seconds)

    def closed_s(self) -> float:
        return max(0.0, self.closed_until_s - self.now_s)


@pytest.mark.parametrize("trouble", [FakeAnswer(503), requests.ConnectionError(), requests.ReadTimeout()])
def test_what_may_pass_is_tried_again(trouble: FakeAnswer | Exception) -> None:
    exchange = Exchange(trouble, trouble, FakeAnswer(content=b"[1]"))

    assert exchange.rest.get(REQUEST) == b"[1]"
    assert len(exchange.asked_s) == 3
    assert exchange.rest.spent.weight == 75


def test_an_exchange_that_does_not_answer_is_left() -> None:
    exchange = Exchange(*[requests.ConnectionError()] * ATTEMPTS)

    with pytest.raises(UnavailableError) as left:
        exchange.rest.get(REQUEST)
    assert "secret" not in str(left.value)


@pytest.mark.parametrize("status", [429, 418])
def test_it_waits_as_long_as_it_is_told_to(status: int) -> None:
    limited = FakeAnswer(status, headers={"Retry-After": "7"})
    exchange = Exchange(limited, limited, FakeAnswer())

    exchange.rest.get(REQUEST)

    assert exchange.asked_s == [0.0, 7.0, 14.0]
    assert exchange.rest.spent.limited == 2


def test_code_3001_closes_the_budget_whatever_the_status() -> None:
    limited = FakeAnswer(200, b'{"code":3001,"message":"Rate limit exceeded"}', {"Retry-After": "9"})
    exchange = Exchange(limited, FakeAnswer(), codec="tickdb")

    exchange.rest.get(REQUEST)

    assert exchange.asked_s == [0.0, 9.0]


def test_an_exchange_that_always_refuses_is_left() -> None:
    exchange = Exchange(*[FakeAnswer(429, headers={"Retry-After": "0"})] * (LIMITED_MOST + 1))

    with pytest.raises(RateLimitedError):
        exchange.rest.get(REQUEST)
    assert exchange.asked_s == [float(second) for second in range(LIMITED_MOST + 1)]


def test_a_ban_of_an_hour_is_not_sat_out() -> None:
    exchange = Exchange(FakeAnswer(418, headers={"Retry-After": "3600"}))

    with pytest.raises(RateLimitedError) as left:
        exchange.rest.get(REQUEST)
    assert left.value.retry_after_s > 3000
    assert exchange.given_back == 25


def test_a_refusal_is_not_tried_again() -> None:
    exchange = Exchange(FakeAnswer(400, b'{"code":-1121}'))

    with pytest.raises(ExchangeError) as refused:
        exchange.rest.get(REQUEST)
    assert (refused.value.status, refused.value.content) == (400, b'{"code":-1121}')
    assert "secret" not in str(refused.value)


def test_the_rest_of_a_minute_is_left_to_others_once_enough_was_counted() -> None:
    exchange = Exchange(FakeAnswer(headers={"X-MBX-USED-WEIGHT-1M": "4500"}), FakeAnswer())

    exchange.rest.get(REQUEST)
    exchange.rest.get(REQUEST)

    assert exchange.asked_s == [0.0, 60.0 - BEGAN_S % 60]


def test_it_waits_for_its_turn() -> None:
    exchange = Exchange(*[FakeAnswer()] * 4, per_minute=100)

    for _ in range(4):
        exchange.rest.get(REQUEST)

    assert exchange.asked_s == pytest.approx([0.0, 0.0, 30.0, 60.0])


def test_every_answer_and_every_failure_is_told_without_the_key() -> None:
    exchange = Exchange(FakeAnswer(503), requests.ConnectionError(), FakeAnswer())

    with capture_logs() as lines:
        exchange.rest.get(REQUEST)

    assert [line["event"] for line in lines] == ["fetch.failed", "fetch.failed", "fetch.succeeded"]
    assert "secret" not in str(lines)
