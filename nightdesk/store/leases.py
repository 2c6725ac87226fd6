"""The rows behind the leases, on a connection of their own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nightdesk.consumer import Position
from nightdesk.leases import Backend, Taken
from nightdesk.store.database import Connection, statement, translated


class LeaseRows:
    """Leases of one worker, as ``nightdesk.leases.Leases`` wants them; safe to use from two threads."""

    def __init__(
        self, *, worker: str, lease_s: float, connect: Callable[[], Connection],
        on_time: Callable[[int], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._worker = worker
        self._lease_s = lease_s
        self._connect = connect
        self._on_time = on_time
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def beat(self) -> list[str]:
        """Say that this worker lives; return all that do, in order. What the database's time is goes to ``on_time``."""
        ((now_us,),) = self._rows("beat")
        self._on_time(now_us * 1000)
        return [worker for (worker,) in self._rows("live_workers")]

    def renew(self) -> dict[str, int]:
        """Renew what this worker owns; return its consumers and their epochs."""
        return dict(self._rows("renew_leases"))

    def count(self) -> int:
        """Return how many consumers there are."""
        return int(self._rows("count_leases")[0][0])

    def take(self, wanted: int, backend: Backend) -> list[Taken]:
        """Take at most so many that are free or expired."""
        return [
            Taken(consumer=consumer, epoch=epoch, old_owner=owner, old_backend=_backend(process_id, started_at))
            for consumer, epoch, owner, process_id, started_at in self._rows(
                "take_leases", wanted=wanted, **_named(backend)
            )
        ]

    def name_backend(self, backend: Backend) -> None:
        """Record the server process that commits for this worker."""
        self._rows("name_backend", **_named(backend))

    def end_backend(self, backend: Backend) -> None:
        """Terminate the server process of an owner that lost its leases."""
        self._rows("end_backend", **_named(backend))

    def release(self, consumers: Sequence[str]) -> None:
        """Give leases back."""
        self._rows("release_leases", consumers=list(consumers))

    def leave(self) -> None:
        """Say that this worker is gone."""
        self._rows("forget_workers")

    def add(self, consumers: Sequence[tuple[str, str, str, int]]) -> None:
        """Make the consumers there are to be, as (consumer, stream, feed, shard); existing ones stay as they are."""
        names = ("consumers", "streams", "feeds", "shards")
        self._rows("add_consumers", **{name: [one[place] for one in consumers] for place, name in enumerate(names)})

    def claim_feed(self, feed: str, shards: int) -> int:
        """Record how many shards a feed has at its first start; return what was recorded."""
        return int(self._rows("claim_feed", feed=feed, shards=shards)[0][0])

    def feed_positions(self, feed: str) -> list[Position]:
        """Return where every consumer of a feed is, whoever owns it."""
        return [
            Position(consumer=consumer, stream=stream, entry_id=entry_id, feed=feed, shard=shard)
            for consumer, stream, entry_id, shard in self._rows("feed_positions", feed=feed)
        ]

    def feed_symbols(self, feed: str) -> list[str]:
        """Return all symbols ever seen of a feed."""
        return [symbol for (symbol,) in self._rows("feed_symbols", feed=feed)]

    def reshard(self, feed: str, shards: int, places: Mapping[str, int]) -> None:
        """Record a new number of shards, and the new shard of each symbol."""
        self._rows("reshard", feed=feed, shards=shards, symbols=list(places), places=list(places.values()))

    def close(self) -> None:
        """End the connection; the next call makes a new one."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _rows(self, name: str, **values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  whatever SQL takes
        common: Mapping[str, Any] = {"worker": self._worker, "lease_s": self._lease_s}
        with self._lock, translated():
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            cursor = self._connection.execute(statement(name), {**common, **values}, prepare=True)
            return cursor.fetchall() if cursor.description else []


def _backend(process_id: int | None, started_at: Any) -> Backend | None:  # noqa: ANN401  a datetime or NULL
    return None if process_id is None else Backend(process_id=process_id, started_at=started_at)


def _named(backend: Backend) -> dict[str, Any]:
    return {"backend_pid": backend.process_id, "backend_start": backend.started_at}
