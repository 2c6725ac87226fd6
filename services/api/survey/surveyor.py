"""Ask every service and the database how they are, all at once and within a second.

A survey is kept for a second, and one that is under way is shared, so that many callers cost no more than one.
"""

import asyncio
import contextlib
import socket
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import structlog

from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.health import Part, read_report
from nightdesk.targets import Target
from services.api.fetch import Answer, get
from services.api.survey.samples import Reading, Sample, parse, reading
from services.api.survey.survey import DatabaseReport, RedisReport, RedisState, Report, Survey

log = structlog.get_logger()

ANSWER_S: Final = 1.0
RESOLVE_S: Final = 0.5
KEPT_S: Final = 1.0
MEMORY_READINGS: Final = 8

Leases: TypeAlias = Callable[[], Awaitable[list[dict[str, object]]]]
LookAtRedis: TypeAlias = Callable[[], Awaitable[RedisState]]
Fetch: TypeAlias = Callable[[str, int, str], Awaitable[Answer]]
Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]


async def fetch(host: str, port: int, path: str) -> Answer:
    """Return one answer within the survey's time."""
    return await get(host, port, path, timeout_s=ANSWER_S)


async def resolve(host: str, port: int) -> list[str]:
    """Return every address of a name; raises UnavailableError when it has none or DNS is slow."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except TimeoutError as error:
        raise UnavailableError(f"{host} did not resolve within {RESOLVE_S:g} s") from error
    except OSError as error:
        raise UnavailableError(f"{host} is not a running service: {error.strerror}") from error
    return sorted({str(address[0]) for _, _, _, _, address in found})


class Surveyor:
    """Make surveys, at most one at a time."""

    def __init__(
        self,
        *,
        targets: tuple[Target, ...],
        leases: Leases,
        redis: LookAtRedis,
        fetch: Fetch = fetch,
        resolve: Resolve = resolve,
        monotonic_s: Callable[[], float] = time.monotonic,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._targets = targets
        self._leases = leases
        self._look_at_redis = redis
        self._fetch = fetch
        self._resolve = resolve
        self._monotonic_s = monotonic_s
        self._wall_s = wall_s
        self._readings: deque[Reading] = deque(maxlen=MEMORY_READINGS)
        self._last: Survey | None = None
        self._lock = asyncio.Lock()
        self._database_seen_s: float | None = None
        self._redis_seen_s: float | None = None

    async def survey(self) -> Survey:
        """Return a survey not older than a second; never raises for what is down."""
        async with self._lock:
            if self._last is None or self._monotonic_s() - self._last.at_s >= KEPT_S:
                self._last = await self._make()
            return self._last

    def last_unix_s(self) -> float:
        """Return when the last survey was made, Unix time; 0 before the first."""
        return 0.0 if self._last is None else self._last.unix_s

    async def _make(self) -> Survey:
        database, redis, services = await asyncio.gather(
            self._database(),
            self._redis(),
            asyncio.gather(*(self._service(target) for target in self._targets)),
        )
        reports = tuple(report for service in services for report in service)
        now = reading(self._monotonic_s(), (sample for report in reports for sample in report.samples))
        survey = Survey(
            at_s=now.at_s,
            unix_s=self._wall_s(),
            reports=reports,
            database=database,
            redis=redis,
            reading=now,
            before=self._readings[0] if self._readings else None,
        )
        self._readings.append(now)
        return survey

    async def _service(self, target: Target) -> list[Report]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except UnavailableError as error:
            return [Report(service=target.service, instance=target.host, problem=str(error))]
        return await asyncio.gather(*(self._instance(target, address) for address in addresses))

    async def _instance(self, target: Target, address: str) -> Report:
        instance = f"{address}:{target.port}"
        try:
            health, metrics = await asyncio.gather(
                self._fetch(address, target.port, "/health"), self._fetch(address, target.port, "/metrics")
            )
            parts, samples = parts_of(health), samples_of(target.service, instance, metrics)
        except NightdeskError as error:
            return Report(service=target.service, instance=instance, problem=str(error))
        return Report(service=target.service, instance=instance, parts=parts, samples=samples)

    async def _database(self) -> DatabaseReport:
        started_s = self._monotonic_s()
        try:
            leases = await self._leases()
        except NightdeskError as error:
            return DatabaseReport(problem=str(error), age_s=self._since_s(self._database_seen_s))
        self._database_seen_s = self._monotonic_s()
        return DatabaseReport(age_s=0.0, latency_s=self._database_seen_s - started_s, leases=leases)

    async def _redis(self) -> RedisReport:
        started_s = self._monotonic_s()
        try:
            state = await self._look_at_redis()
        except NightdeskError as error:
            return RedisReport(problem=str(error), age_s=self._since_s(self._redis_seen_s))
        self._redis_seen_s = self._monotonic_s()
        return RedisReport(age_s=0.0, latency_s=self._redis_seen_s - started_s, state=state)

    def _since_s(self, seen_s: float | None) -> float | None:
        return None if seen_s is None else self._monotonic_s() - seen_s


def parts_of(answer: Answer) -> tuple[Part, ...]:
    """Return the parts of a service's ``/health``; raises UnavailableError when it cannot be read."""
    try:
        return read_report(answer.body)
    except ValueError as error:
        raise UnavailableError(f"/health answers {answer.status} and cannot be read") from error


def samples_of(service: str, instance: str, answer: Answer) -> tuple[Sample, ...]:
    """Return the samples of a service's ``/metrics``, none when they cannot be read: health does without."""
    if answer.status == 200:
        with contextlib.suppress(ValueError, KeyError, IndexError):
            return tuple(parse(instance, answer.body.decode()))
    log.warning("survey.unreadable_metrics", target=service, instance=instance, status=answer.status)
    return ()
