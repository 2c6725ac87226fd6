"""Ask an exchange's REST interface within a budget that others share; one question at a time, for jobs."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

import requests
import structlog

from nightdesk.backoff import delays_s
from nightdesk.clock import Clock
from nightdesk.errors import NightdeskError, RateLimitedError, UnavailableError
from nightdesk.exchanges.history import History, Request
from nightdesk.exchanges.rest import DEFAULT_RETRY_AFTER_S, Outcome, body_of, named, outcome_of
from nightdesk.logs import redacted
from nightdesk.outbound import Answer, Call, retry_after_s

log = structlog.get_logger()

ATTEMPTS: Final = 5
"""Of one question, when the exchange does not answer."""

LIMITED_MOST: Final = 20
"""How often in a row the exchange may say that too much was asked for; each time it is waited as long as it says."""

LONGEST_WAIT_S: Final = 600.0
"""Who would have to wait for longer leaves, to be tried again later."""

USED_MOST: Final = 0.75
"""The share of a minute's weight, as the exchange counts it for all who share the address, from which on the rest of it
is left to the live feed."""

LEAST_WAIT_S: Final = 1.0
"""After a refusal, even if the exchange asks for less: who asks again at once is banned."""

MINUTE_S: Final = 60.0


class Budget(Protocol):
    """What a call is paid from."""

    def spend(self, weight: float) -> float:
        """Take ``weight`` out and return the seconds to wait before the call it pays for."""

    def give_back(self, weight: float) -> None:
        """Put back what was taken for a call that will not be made."""

    def close(self, seconds: float) -> None:
        """Let nobody ask for ``seconds``."""

    def closed_s(self) -> float:
        """Return for how many seconds nobody may ask."""


class Spent:
    """What was asked so far: a count, weight in the exchange's own measure, and seconds spent waiting for a turn."""

    def __init__(self) -> None:
        self.requests = 0
        self.weight = 0.0
        self.waited_s = 0.0
        self.limited = 0


class SharedRest:
    """GET from one exchange, patiently: it waits for its turn, and as long as the exchange asks."""

    def __init__(
        self,
        history: History,
        *,
        budget: Budget,
        weight_per_minute: float,
        headers: Mapping[str, str],
        call: Call,
        clock: Clock,
        random: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``weight_per_minute`` is what the exchange allows in all, whatever share of it the budget is."""
        self._history = history
        self._budget = budget
        self._weight_per_minute = weight_per_minute
        self._headers = headers
        self._call = call
        self._clock = clock
        self._random = random
        self._sleep = sleep
        self.spent = Spent()

    def get(self, request: Request) -> bytes:
        """Return the body of a good answer.

        Raises UnavailableError once the exchange did not answer ``ATTEMPTS`` times, RateLimitedError when it wants to
        be left alone for longer than ``LONGEST_WAIT_S``, ExchangeError at once for what it refuses.
        """
        delays = delays_s(base_s=0.5, cap_s=8.0, random=self._random)
        failed = limited = 0
        while True:
            self._wait(request.weight)
            try:
                return self._attempt(request)
            except RateLimitedError:
                limited += 1
                if limited > LIMITED_MOST:
                    raise
            except UnavailableError:
                failed += 1
                if failed >= ATTEMPTS:
                    raise
                self._pause(next(delays))

    def _wait(self, weight: float) -> None:
        """Take the weight and wait for its turn, and on while others are told to wait."""
        wait_s = self._budget.spend(weight)
        while wait_s > 0:
            if wait_s > LONGEST_WAIT_S:
                self._budget.give_back(weight)
                raise RateLimitedError(f"nothing may be asked for {wait_s:.0f} s", wait_s)
            self._pause(wait_s)
            wait_s = self._budget.closed_s()

    def _pause(self, seconds: float) -> None:
        self.spent.waited_s += seconds
        self._sleep(seconds)

    def _attempt(self, request: Request) -> bytes:
        self.spent.requests += 1
        self.spent.weight += request.weight
        try:
            body = self._asked(request)
        except NightdeskError as error:
            log.warning("fetch.failed", url=named(request.url), error=redacted(str(error)))
            raise
        log.info("fetch.succeeded", url=named(request.url))
        return body

    def _asked(self, request: Request) -> bytes:
        try:
            answer = self._call("GET", request.url, self._headers, None)
        except requests.RequestException as error:
            raise UnavailableError(f"{named(request.url)}: {type(error).__name__}") from error
        self._heed(answer)
        outcome = outcome_of(answer.status_code)
        if outcome is Outcome.RATE_LIMITED or self._history.limited(answer.content):
            self._limited(request, answer)
        return body_of(request.url, answer, outcome)

    def _limited(self, request: Request, answer: Answer) -> None:
        self.spent.limited += 1
        wait_s = max(LEAST_WAIT_S, retry_after_s(answer.headers, self._now(), DEFAULT_RETRY_AFTER_S))
        self._budget.close(wait_s)
        raise RateLimitedError(f"{named(request.url)}: {answer.status_code}, wait {wait_s:g} s", wait_s)

    def _heed(self, answer: Answer) -> None:
        """Leave the rest of the minute to others once the exchange has counted enough of it."""
        used = self._history.used(answer.headers)
        if used is not None and used >= USED_MOST * self._weight_per_minute:
            self._budget.close(MINUTE_S - self._clock.wall_ns() / 1e9 % MINUTE_S)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ns() / 1e9, UTC)
