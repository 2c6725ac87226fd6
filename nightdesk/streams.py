"""What the store reads from Redis, and what it tells the collector there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from nightdesk.consumer import Delivery, Entry, Position
from nightdesk.errors import UnavailableError
from nightdesk.shards import position_key

TIMEOUT_S: Final = 3.05
"""To connect and to answer, beyond the time a read is asked to wait."""

FRAME_FIELD: Final = b"f"


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A stream's last entry id ever, its oldest entry still there, and how many entries wait beyond the position."""

    entry_id: str
    first_id: str
    waiting: int


def connect(url: str, password: str | None) -> "redis.Redis":
    """Return a client that waits briefly and never repeats a command by itself; nothing is sent yet."""
    return redis.Redis.from_url(
        url,
        password=password,
        protocol=2,
        socket_connect_timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


class RedisStreams:
    """The streams of ticks, read without consumer groups: the positions are PostgreSQL's."""

    def __init__(self, client: "redis.Redis") -> None:
        self._client = client

    def read(self, positions: Sequence[Position], *, frames: int, block_ms: int) -> list[Delivery]:
        """Return what follows the positions, at most ``frames`` in all; raises UnavailableError."""
        by_stream = {one.stream.encode(): one for one in positions}
        after = {one.stream: one.entry_id for one in positions}
        with translated():
            answer: Any = self._client.xread(after, count=max(1, frames // len(after)), block=block_ms)  # type: ignore[arg-type]
        return [Delivery(position=by_stream[stream], entries=_entries(found)) for stream, found in answer if found]

    def publish(self, positions: Sequence[Position]) -> None:
        """Publish committed positions and drop what lies below them; raises UnavailableError."""
        pipeline = self._client.pipeline(transaction=False)
        for one in positions:
            pipeline.set(position_key(one.feed, one.shard), one.entry_id)
            pipeline.xtrim(one.stream, minid=one.entry_id, approximate=False)
        with translated():
            pipeline.execute()

    def last_published(self, positions: Sequence[Position]) -> dict[str, str]:
        """Return the position published last of each consumer that has one; raises UnavailableError."""
        pipeline = self._client.pipeline(transaction=False)
        for one in positions:
            pipeline.get(position_key(one.feed, one.shard))
        with translated():
            answers = pipeline.execute()
        return {one.consumer: found.decode() for one, found in zip(positions, answers, strict=True) if found}

    def tops(self, positions: Sequence[Position]) -> dict[str, Top]:
        """Return the end of each consumer's stream; a stream that does not exist has none."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.ping()  # so that Redis is asked something even when nothing is owned
        for one in positions:
            pipeline.xinfo_stream(one.stream)
        with translated():
            _, *answers = pipeline.execute(raise_on_error=False)
        return {
            one.consumer: _top(answer, one.entry_id)
            for one, answer in zip(positions, answers, strict=True)
            if isinstance(answer, dict)
        }

    def uptime_s(self) -> int:
        """Return for how many whole seconds Redis has been running; raises UnavailableError."""
        with translated():
            answer: Any = self._client.info("server")
        return int(answer["uptime_in_seconds"])


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours; whatever Redis says, it may say otherwise later."""
    try:
        yield
    except redis.RedisError as error:
        raise UnavailableError(f"Redis: {error}") from error


def _entries(found: Sequence[tuple[bytes, dict[bytes, bytes] | None]]) -> list[Entry]:
    return [
        Entry(entry_id=entry_id.decode(), payload=(fields or {}).get(FRAME_FIELD, b"")) for entry_id, fields in found
    ]


def _top(answer: dict[str, Any], position: str) -> Top:
    last_id = answer["last-generated-id"].decode()
    first_id = answer["first-entry"][0].decode() if answer["first-entry"] else last_id
    waiting = 0 if last_id == position else answer["length"] - (first_id == position)
    return Top(entry_id=last_id, first_id=first_id, waiting=waiting)
