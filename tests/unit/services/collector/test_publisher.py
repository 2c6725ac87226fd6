"""The publisher when the disk under its spool is full; what it does with a real Redis is in tests/integration."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from nightdesk.clock import Clock
from services.collector.entry_ids import ZERO, EntryId
from services.collector.metrics import PublisherFamilies, PublisherMetrics
from services.collector.publisher import Publisher, PublisherLimits, StreamTop
from services.collector.spool import Spool, SpoolFullError

SHARDS = 2


class NoStreams:
    """A Redis that holds nothing and takes everything."""

    async def connect(self) -> None:
        return

    async def tops(self, streams: Sequence[str]) -> list[StreamTop]:
        return [StreamTop(ZERO, None) for _ in streams]

    async def add(self, entries: Sequence[tuple[str, EntryId, bytes]], writer: str) -> None:
        return

    async def committed(self, keys: Sequence[str]) -> list[EntryId]:
        return [ZERO for _ in keys]

    async def memory_ratio(self) -> float:
        return 0.0

    async def close(self) -> None:
        return


class FullDisk(Spool):
    """A spool that finds no room for the head of a new segment, the first time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, shards=SHARDS, max_bytes=10**6)
        self.has_room = False
        self.trimmed = asyncio.Event()

    def trim(self, committed: Sequence[EntryId]) -> None:
        if not self.has_room:
            self.has_room = True
            raise SpoolFullError("no space left on the disk")
        super().trim(committed)
        self.trimmed.set()


def test_a_disk_that_is_full_for_a_while_does_not_end_trimming(tmp_path: Path) -> None:
    async def body() -> None:
        spool = FullDisk(tmp_path / "spool")
        assert spool.lock()
        spool.open()
        publisher = Publisher(
            feed="simulator",
            shards=SHARDS,
            spool=spool,
            streams=NoStreams(),
            monitor=NoStreams(),
            clock=Clock(),
            limits=PublisherLimits(),
            metrics=PublisherMetrics(PublisherFamilies(CollectorRegistry()), "simulator"),
        )
        running = asyncio.create_task(publisher.run())
        await spool.trimmed.wait()
        await publisher.close()
        await running
        spool.close()

    asyncio.run(asyncio.wait_for(body(), 20))
