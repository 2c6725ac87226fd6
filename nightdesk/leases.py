"""Leases: which worker owns which consumer, renewed by a thread of its own.

A lease keeps two workers from doing the same work; it is not what keeps them from doing it twice, which is the
position (``nightdesk.consumer``).
"""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import structlog

from nightdesk.errors import NightdeskError

log = structlog.get_logger()

RENEWALS_PER_LEASE: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A server process of PostgreSQL; the start tells it from another that is given its number later."""

    process_id: int
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A lease just taken; ``old_owner`` and ``old_backend`` are set when it was taken over from someone."""

    consumer: str
    epoch: int
    old_owner: str | None
    old_backend: Backend | None


class Leases(Protocol):
    """The rows behind the leases; every method raises UnavailableError when the database does not answer."""

    def beat(self) -> list[str]:
        """Say that this worker lives; return all that do, in order."""

    def renew(self) -> dict[str, int]:
        """Renew what this worker owns; return its consumers and their epochs."""

    def count(self) -> int:
        """Return how many consumers there are."""

    def take(self, wanted: int, backend: Backend) -> list[Taken]:
        """Take at most so many that are free or expired."""

    def name_backend(self, backend: Backend) -> None:
        """Record the server process that commits for this worker."""

    def end_backend(self, backend: Backend) -> None:
        """Terminate the server process of an owner that lost its leases."""

    def release(self, consumers: Sequence[str]) -> None:
        """Give leases back."""

    def leave(self) -> None:
        """Say that this worker is gone."""

    def close(self) -> None:
        """End the connection; the next call makes a new one."""


def share(consumers: int, workers: Sequence[str], worker: str) -> int:
    """Return how many consumers a worker is to own: all workers the same, the first in order one more of a rest."""
    if worker not in workers:
        return 0
    each, rest = divmod(consumers, len(workers))
    return each + (sorted(workers).index(worker) < rest)


class Keeper:
    """Keep this worker's leases: renew them, take its share, and say which to give back.

    It runs in a thread with a connection of its own, so that a long turn does not cost the lease. ``now_s`` is a
    monotonic clock: what was not renewed for a lease's length is no longer believed to be owned.
    """

    def __init__(
        self,
        *,
        worker: str,
        leases: Leases,
        lease_s: float,
        now_s: Callable[[], float],
        on_takeover: Callable[[Taken], None] = lambda _: None,
        on_renewed: Callable[[], None] = lambda: None,
    ) -> None:
        self.worker = worker
        self._leases = leases
        self._lease_s = lease_s
        self._now_s = now_s
        self._on_takeover = on_takeover
        self._on_renewed = on_renewed
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}
        self._surplus: list[str] = []
        self._renewed_s = now_s()
        self._backend: Backend | None = None
        self._named: Backend | None = None
        self._unended: set[Backend] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the leases stay until they are released or expire."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(self._lease_s)

    def serve_with(self, backend: Backend) -> None:
        """Say which server process commits for this worker; nothing is taken before."""
        with self._lock:
            self._backend = backend

    def held(self) -> dict[str, int]:
        """Return the consumers this worker may believe to own, with their epochs."""
        with self._lock:
            return dict(self._held) if self._now_s() - self._renewed_s < self._lease_s else {}

    def surplus(self) -> list[str]:
        """Return what is more than this worker's share, to be given back between turns."""
        with self._lock:
            return [consumer for consumer in self._surplus if consumer in self._held]

    def forget(self, consumers: Iterable[str]) -> None:
        """No longer believe to own these: they were given back, or turned out to be another's."""
        with self._lock:
            for consumer in consumers:
                self._held.pop(consumer, None)

    def tick(self) -> None:
        """Renew, take what is free up to the share, and note what is beyond it."""
        live = self._leases.beat()
        now_s = self._now_s()
        held = self._leases.renew()
        with self._lock:
            backend = self._backend
        self._name(backend, held)
        wanted = share(self._leases.count(), live, self.worker) - len(held)
        taken = self._leases.take(wanted, backend) if backend and wanted > 0 else []
        held |= {one.consumer: one.epoch for one in taken}
        with self._lock:
            self._held, self._renewed_s = held, now_s
            self._surplus = sorted(held, key=_by_shard)[wanted:] if wanted < 0 else []
        self._on_renewed()
        self._take_note([one for one in taken if one.old_owner is not None])
        self._end_old()

    def _name(self, backend: Backend | None, held: Mapping[str, int]) -> None:
        if held and backend and backend != self._named:
            self._leases.name_backend(backend)
        self._named = backend

    def _take_note(self, taken_over: Sequence[Taken]) -> None:
        for one in taken_over:
            log.warning("lease.taken_over", consumer=one.consumer, old_owner=one.old_owner, epoch=one.epoch)
            self._on_takeover(one)
        self._unended |= {one.old_backend for one in taken_over if one.old_backend is not None}

    def _end_old(self) -> None:
        """End old owners' server processes; what cannot be asked for now is asked for again."""
        for backend in list(self._unended):
            self._leases.end_backend(backend)
            self._unended.discard(backend)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except NightdeskError as error:
                log.warning("lease.not_renewed", error=str(error))
                self._leases.close()
            self._stopping.wait(self._lease_s / RENEWALS_PER_LEASE)


def _by_shard(consumer: str) -> str:
    """Order consumers so that every feed's are spread alike: by shard before feed."""
    return consumer.rpartition("/")[2] + consumer
