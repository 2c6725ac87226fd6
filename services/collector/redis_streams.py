"""The publisher's Redis: one connection that never replaces itself and never sends anything twice."""

from collections.abc import Sequence
from typing import Any, Final

from redis.asyncio import Connection, Redis
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from nightdesk.errors import UnavailableError
from services.collector import entry_ids
from services.collector.entry_ids import ZERO, EntryId
from services.collector.publisher import StreamTop

CONNECT_TIMEOUT_S: Final = 3.05
ANSWER_TIMEOUT_S: Final = 15.0

FRAME_FIELD: Final = "f"
WRITER_FIELD: Final = "w"


class RedisStreams:
    """``StreamPort`` on redis-py.

    redis-py replaces a lost connection in silence when the next command comes. The Redis behind the new one may have
    forgotten frames, and a frame sent before they are sent again would close the way for them: so a connection is made
    only by ``connect``, and losing it is an error.
    """

    def __init__(self, *, url: str, password: str | None) -> None:
        self._url = url
        self._password = password
        self._redis: Redis | None = None
        self._may_connect = False
        self._known: set[str] = set()

    async def connect(self) -> None:
        """Open a new connection; from then on a lost one raises instead of being replaced."""
        await self.close()
        self._known.clear()
        self._may_connect = True
        pool = ConnectionPool.from_url(
            self._url,
            max_connections=1,
            password=self._password,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._on_connect,
        )
        self._redis = Redis(connection_pool=pool)
        await self._redis.ping()
        self._may_connect = False

    async def tops(self, streams: Sequence[str]) -> list[StreamTop]:
        """Return each stream's last id, with the writer of that entry while the stream holds it."""
        return [await self._top(stream) for stream in streams]

    async def add(self, entries: Sequence[tuple[str, EntryId, bytes]], writer: str) -> None:
        """Add all entries in one MULTI/EXEC, so that a refused frame is never overtaken by a later one.

        A stream that was there and is gone (FLUSHALL, DEL) is not begun anew: what it held and nobody has committed
        must come first. Raises UnavailableError then.
        """
        pipeline = self._client.pipeline(transaction=True)
        for stream, entry_id, payload in entries:
            only = ("NOMKSTREAM",) if stream in self._known else ()
            pipeline.execute_command("XADD", stream, *only, str(entry_id), FRAME_FIELD, payload, WRITER_FIELD, writer)
        if None in await pipeline.execute():
            raise UnavailableError("Redis forgot a stream while it was connected")
        self._known.update(stream for stream, _, _ in entries)

    async def committed(self, keys: Sequence[str]) -> list[EntryId]:
        """Return the committed positions under these keys, ``0-0`` where there is none that can be read."""
        pipeline = self._client.pipeline(transaction=False)
        for key in keys:
            pipeline.get(key)
        return list(map(position, await pipeline.execute()))

    async def memory_ratio(self) -> float:
        """Return used over allowed memory, 0 without a limit."""
        memory: dict[str, Any] = await self._client.info("memory")
        allowed = float(memory.get("maxmemory", 0))
        return float(memory["used_memory"]) / allowed if allowed else 0.0

    async def close(self) -> None:
        """Close the connection."""
        if self._redis is not None:
            redis, self._redis = self._redis, None
            await redis.aclose()
            await redis.connection_pool.disconnect()

    @property
    def _client(self) -> Redis:
        if self._redis is None:
            raise UnavailableError("not connected to Redis")
        return self._redis

    async def _on_connect(self, connection: Connection) -> None:
        if not self._may_connect:
            raise UnavailableError("the connection to Redis was lost")
        await connection.on_connect()

    async def _top(self, stream: str) -> StreamTop:
        last: Any = await self._client.xrevrange(stream, count=1)
        if last:
            self._known.add(stream)
            entry_id, fields = last[0]
            return StreamTop(entry_ids.parse(entry_id), _writer(fields))
        try:
            info: dict[Any, Any] = await self._client.xinfo_stream(stream)
        except ResponseError as error:
            if "no such key" in str(error).lower():
                return StreamTop(ZERO, None)
            raise
        self._known.add(stream)
        return StreamTop(entry_ids.parse(info["last-generated-id"]), None)


def position(value: bytes | None) -> EntryId:
    """Return a published position; one that somebody spoilt counts as lost, which only keeps more."""
    try:
        return entry_ids.parse(value)
    except ValueError:
        return ZERO


def _writer(fields: dict[bytes, bytes]) -> str | None:
    name = fields.get(WRITER_FIELD.encode())
    return None if name is None else name.decode(errors="replace")
