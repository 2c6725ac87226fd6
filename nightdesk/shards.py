"""Which shard a symbol belongs to, the same in every process and every release."""

import zlib
from typing import Final

DEFAULT_SHARDS: Final = 8


def shard_of(symbol: str, shards: int) -> int:
    """Return the shard of a symbol: CRC-32 of its UTF-8 name modulo the number of shards."""
    return zlib.crc32(symbol.encode()) % shards


def stream_key(feed: str, shard: int) -> str:
    """Return the Redis stream of one shard; the braces keep a shard's keys together on a cluster."""
    return f"ticks:{{{feed}:{shard:02d}}}"


def position_key(feed: str, shard: int) -> str:
    """Return the key in which the store publishes the committed position of one shard's stream."""
    return f"position:{{{feed}:{shard:02d}}}"


def consumer_name(kind: str, feed: str, shard: int) -> str:
    """Return the name of the consumer of one shard, for example ``store/binance/07``."""
    return f"{kind}/{feed}/{shard:02d}"
