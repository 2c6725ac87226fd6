"""Ask an exchange's REST interface, within its budget.

Waiting happens in the event loop and the call in a thread, so that one host's ``Retry-After`` holds up nobody else. The
threads are the client's own: the event loop's look up names, and an exchange that answers slowly must not keep anyone
from reconnecting.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_headers

from nightdesk.backoff import delays_s
from nightdesk.clock import Clock
from nightdesk.errors import NightdeskError, RateLimitedError, UnavailableError
from nightdesk.exchanges.budget import RateBudget, retry_after_s

TIMEOUT_S: Final = (3.05, 15.0)
"""To connect, and between two pieces of the answer."""

DEADLINE_S: Final = 30.0
"""From the call to the answer's last byte, however it trickles in."""

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""Twenty times what the largest answer that is asked for takes."""

ATTEMPTS: Final = 4
THREADS: Final = 4
"""Calls of one client under way at once."""

LIMITED_STATUS: Final = frozenset({418, 429})
DEFAULT_RETRY_AFTER_S: Final = 60.0


class ExchangeError(NightdeskError):
    """The exchange refuses this request; the same one will be refused again."""


class Answer(Protocol):
    """What is read of an HTTP answer."""

    @property
    def status_code(self) -> int:
        """The answer's status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers."""

    @property
    def content(self) -> bytes:
        """The answer's body."""


Get = Callable[[str, Mapping[str, str]], Answer]
"""Do one GET of a URL with these headers; raises ``requests.RequestException``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer, read to its end."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class UnboundedError(requests.RequestException):
    """The answer is larger, or takes longer, than any that was asked for."""


def get(url: str, headers: Mapping[str, str]) -> Answer:
    """Do one GET over the network, within ``TIMEOUT_S``, ``DEADLINE_S`` and ``MAX_ANSWER_BYTES``.

    There is no session: it would take ``.netrc`` and the proxies of the environment (a login meant for something else
    must not reach an exchange, and the sockets beside it go directly as well), and would read a redirect's body
    whatever its size.
    """
    wanted = requests.Request("GET", url, headers={**default_headers(), **headers}).prepare()
    with _Cut() as cut:
        try:
            with cut.send(wanted, stream=True, timeout=TIMEOUT_S) as got:
                received = Received(status_code=got.status_code, headers=got.headers, content=_whole(got))
        except requests.RequestException:
            cut.check()
            raise
        cut.check()  # an answer without a length ends where the connection does
        return received


def _whole(answer: requests.Response) -> bytes:
    body = bytearray()
    for block in answer.iter_content(64 * 1024):
        body += block
        if len(body) > MAX_ANSWER_BYTES:
            raise UnboundedError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


class _Cut(HTTPAdapter):
    """One call's way to the network, which is cut when the deadline has passed: no timeout of ``requests`` is total."""

    def __init__(self) -> None:
        super().__init__()
        self._handles: list[socket.socket] = []
        self._is_late = False
        self._timer = threading.Timer(DEADLINE_S, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> "_Cut":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        for handle in self._handles:
            handle.close()
        self.close()

    def check(self) -> None:
        """Raise UnboundedError when the deadline passed before the answer was there."""
        if self._is_late:
            raise UnboundedError(f"no whole answer within {DEADLINE_S:g} s")

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Return the pool, whose connections are known here from their first byte on."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        kind: Any = pool.ConnectionCls

        class Known(kind):  # type: ignore[misc]
            def _new_conn(connection) -> socket.socket:  # noqa: N805  the adapter is self
                made: socket.socket = super()._new_conn()
                self._handles.append(made.dup())  # TLS takes the socket over, but not its copy
                return made

        pool.ConnectionCls = Known
        return pool

    def _cut(self) -> None:
        self._is_late = True
        for handle in self._handles:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)


class RestClient:
    """GET with one budget a host, bounded retries, and errors that say whether asking again can help."""

    def __init__(
        self,
        *,
        weight_per_minute: float,
        clock: Clock,
        random: Callable[[], float],
        get: Get = get,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._weight_per_minute = weight_per_minute
        self._clock = clock
        self._random = random
        self._get = get
        self._sleep = sleep
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
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._get, url, headers)
        except requests.RequestException as error:
            raise UnavailableError(f"{_named(url)}: {type(error).__name__}") from error
        if answer.status_code in LIMITED_STATUS:
            wait_s = retry_after_s(answer.headers, self._now(), DEFAULT_RETRY_AFTER_S)
            budget.close(wait_s, self._clock.monotonic_s())
            raise RateLimitedError(f"{_named(url)}: {answer.status_code}, wait {wait_s:g} s", wait_s)
        return _body(url, answer)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ns() / 1e9, UTC)


def _body(url: str, answer: Answer) -> bytes:
    if answer.status_code >= 500:
        raise UnavailableError(f"{_named(url)}: status {answer.status_code}")
    if answer.status_code != 200:
        raise ExchangeError(f"{_named(url)}: status {answer.status_code}: {answer.content[:200]!r}")
    return answer.content


def _named(url: str) -> str:
    """Return the URL without its query, which may carry a credential."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
