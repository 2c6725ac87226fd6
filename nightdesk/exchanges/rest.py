"""Ask an exchange's REST interface, within its budget.

Waiting happens in the event loop and the call in a thread, so that one host's ``Retry-After`` holds up nobody else. The
threads are the client's own: the event loop's look up names, and an exchange that answers slowly must not keep anyone
from reconnecting.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import requests

from nightdesk.backoff import delays_s
from nightdesk.clock import Clock
from nightdesk.errors import ExchangeError, RateLimitedError, UnavailableError
from nightdesk.exchanges.budget import RateBudget
from nightdesk.outbound import Answer, Call, call, retry_after_s

ATTEMPTS: Final = 4
THREADS: Final = 4
"""Calls of one client under way at once."""

LIMITED_STATUS: Final = frozenset({418, 429})
DEFAULT_RETRY_AFTER_S: Final = 60.0


class Outcome(StrEnum):
    """What became of one call: the closed set of labels in metrics."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"


class RestClient:
    """GET with one budget a host, bounded retries, and errors that say whether asking again can help."""

    def __init__(
        self,
        *,
        weight_per_minute: float,
        clock: Clock,
        random: Callable[[], float],
        call: Call = call,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_answer: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        self._weight_per_minute = weight_per_minute
        self._clock = clock
        self._random = random
        self._call = call
        self._sleep = sleep
        self._on_answer = on_answer
        self._budgets: dict[str, RateBudget] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="rest")

    async def get(self, url: str, *, weight: float = 1, headers: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a 200 answer.

        Tries ``ATTEMPTS`` times on connection errors, 429, 418 and 5xx, waiting as told or with backoff. Raises
        UnavailableError (RateLimitedError among them) after the last, ExchangeError at once for any other answer.
        """
        delays = delays_s(base_s=0.5, cap_s=8.0, random=self._random)
        budget = self._budget_of(url)
        for _ in range(ATTEMPTS - 1):
            await self._sleep(budget.spend(weight, self._clock.monotonic_s()))
            try:
                return await self._attempt(url, headers or {}, budget)
            except RateLimitedError:
                continue  # the budget is closed for as long as the exchange asked
            except UnavailableError:
                await self._sleep(next(delays))
        await self._sleep(budget.spend(weight, self._clock.monotonic_s()))
        return await self._attempt(url, headers or {}, budget)

    def _budget_of(self, url: str) -> RateBudget:
        host = urlsplit(url).netloc
        if host not in self._budgets:
            now_s = self._clock.monotonic_s()
            self._budgets[host] = RateBudget(weight_per_minute=self._weight_per_minute, now_s=now_s)
        return self._budgets[host]

    async def _attempt(self, url: str, headers: Mapping[str, str], budget: RateBudget) -> bytes:
        try:
            answer = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._call, "GET", url, headers, None
            )
        except requests.RequestException as error:
            self._on_answer(Outcome.UNAVAILABLE)
            raise UnavailableError(f"{named(url)}: {type(error).__name__}") from error
        outcome = outcome_of(answer.status_code)
        self._on_answer(outcome)
        if outcome is Outcome.RATE_LIMITED:
            wait_s = retry_after_s(answer.headers, self._now(), DEFAULT_RETRY_AFTER_S)
            budget.close(wait_s, self._clock.monotonic_s())
            raise RateLimitedError(f"{named(url)}: {answer.status_code}, wait {wait_s:g} s", wait_s)
        return body_of(url, answer, outcome)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ns() / 1e9, UTC)


def outcome_of(status: int) -> Outcome:
    """Return what an answer of this status is."""
    if status in LIMITED_STATUS:
        return Outcome.RATE_LIMITED
    if status >= 500:
        return Outcome.UNAVAILABLE
    return Outcome.OK if status == 200 else Outcome.REFUSED


def body_of(url: str, answer: Answer, outcome: Outcome) -> bytes:
    """Return what an answer holds; raises UnavailableError or ExchangeError for one that is not good."""
    if outcome is Outcome.UNAVAILABLE:
        raise UnavailableError(f"{named(url)}: status {answer.status_code}")
    if outcome is Outcome.REFUSED:
        text = f"{named(url)}: status {answer.status_code}: {answer.content[:200]!r}"
        raise ExchangeError(text, status=answer.status_code, content=answer.content)
    return answer.content


def named(url: str) -> str:
    """Return the URL without its query, which may carry a credential."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
