"""The changes of real order books through codec, book, spread and ratio to committed rows; sockets and Redis left out.

    DATABASE_PASSWORD=... python -m bench.depth DATABASE_URL DIRECTORY SECONDS

The recordings are read again and again, each time as a feed of its own, so that nothing is a duplicate. Snapshots are
not timed. After each pass the same messages are parsed as JSON, and nothing else.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec

from nightdesk import frames
from nightdesk.consumer import Delivery, Entry, Position
from nightdesk.shards import consumer_name, stream_key
from nightdesk.store.database import connect
from nightdesk.store.leases import LeaseRows
from nightdesk.store.store import Store
from nightdesk.ticks import Depth, Kind, Tick
from services.collector.codec import Codec, Fetch, Subscription
from services.collector.feeds import CODECS

FRAME_TICKS: Final = 500
TURN_FRAMES: Final = 16
WORKER: Final = "bench"


@dataclass(frozen=True, slots=True)
class Recording:
    """Messages of books as an exchange sent them, and the snapshots that it gave beside them, by URL's end."""

    codec: str
    symbols: tuple[str, ...]
    snapshots: Sequence[bytes]
    """Messages of the socket that are snapshots."""
    bodies: Mapping[str, bytes]
    """Answers of REST, by symbol."""
    changes: Sequence[bytes]


def binance(directory: Path) -> Recording:
    """Return the ``depth@100ms`` stream and its snapshots."""
    changes = [raw for raw in messages(directory / "binance-spot.ws.jsonl") if b"@depth@" in raw[:60]]
    answers = map(json.loads, (directory / "binance-spot.http.jsonl").read_text(encoding="utf-8").splitlines())
    bodies = {
        one["url"].partition("symbol=")[2].partition("&")[0]: json.dumps(one["body"]).encode()
        for one in answers
        if "/depth?" in one["url"]
    }
    symbols = {json.loads(raw)["data"]["s"] for raw in changes}
    return Recording("binance", tuple(sorted(symbols)), (), bodies, changes)


def coinbase(directory: Path) -> Recording:
    """Return the level 2 channel."""
    sent = list(messages(directory / "coinbase-exchange.ws.jsonl"))
    snapshots = [raw for raw in sent if raw.startswith(b'{"type":"snapshot"')]
    changes = [raw for raw in sent if raw.startswith(b'{"type":"l2update"')]
    symbols = {json.loads(raw)["product_id"] for raw in snapshots}
    return Recording("coinbase", tuple(sorted(symbols)), snapshots, {}, changes)


def messages(path: Path) -> Iterator[bytes]:
    """Yield the messages of a recording as they came."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["raw"].encode()


def opened(recording: Recording) -> Codec:
    """Return a codec that has taken the snapshots of the socket."""
    codec = CODECS[recording.codec](
        Subscription(
            feed="bench", ws_url="ws://bench", rest_url="http://bench", symbols=recording.symbols,
            kinds=frozenset({Kind.DEPTH}),
        )
    )  # fmt: skip
    for raw in recording.snapshots:
        codec.receive(raw, time.time_ns())
    return codec


class Committer:
    """Collect ticks to frames and frames to turns, and commit these."""

    def __init__(self, store: Store, position: Position) -> None:
        self._store = store
        self._position = position
        self._ticks: list[Tick] = []
        self._entries: list[Entry] = []
        self._issued = 0
        self.depths = 0

    def begin(self, feed: str) -> None:
        """Go on as another feed."""
        self._position = replace(self._position, feed=feed)

    def take(self, ticks: Sequence[Tick]) -> None:
        """Take what one message gave."""
        self._ticks += ticks
        if len(self._ticks) >= FRAME_TICKS:
            self._close()
            if len(self._entries) == TURN_FRAMES:
                self.commit()

    def commit(self) -> None:
        """Commit what there is."""
        if self._ticks:
            self._close()
        if self._entries:
            delivery = Delivery(position=self._position, entries=self._entries)
            self._store.commit([delivery])
            self._position, self._entries = replace(self._position, entry_id=delivery.following), []

    def _close(self) -> None:
        self._issued += 1
        self.depths += sum(type(tick) is Depth for tick in self._ticks)
        self._entries.append(Entry(entry_id=f"1-{self._issued}", payload=frames.encode(self._ticks)))
        self._ticks = []


def measure(recordings: Sequence[Recording], committer: Committer, seconds: float) -> dict[str, float]:
    """Return how many changes were committed and how many parsed, and in how many seconds each; and depth rows."""
    spent_s = parsed_s = 0.0
    count = passes = 0
    decode = msgspec.json.Decoder().decode
    while spent_s < seconds:
        passes += 1
        for recording in recordings:
            codec = opened(recording)
            committer.begin(f"{recording.codec}-{passes}")
            spent_s += through(codec, recording, committer)
            count += len(recording.changes)
            began_s = time.perf_counter()
            for raw in recording.changes:
                decode(raw)
            parsed_s += time.perf_counter() - began_s
    return {"count": count, "seconds": spent_s, "parsed_s": parsed_s, "depths": committer.depths}


def through(codec: Codec, recording: Recording, committer: Committer) -> float:
    """Return the seconds from the first change to the commit of the last, REST snapshots left out."""
    apart_s, began_s = 0.0, time.perf_counter()
    for raw in recording.changes:
        ticks, asked = codec.receive(raw, time.time_ns())
        committer.take(ticks)
        for fetch in asked:
            if isinstance(fetch, Fetch):
                fetched_s = time.perf_counter()
                committer.take(codec.fetched(fetch.key, recording.bodies[fetch.key], time.time_ns())[0])
                apart_s += time.perf_counter() - fetched_s
    committer.commit()
    return time.perf_counter() - began_s - apart_s


def main(url: str, password: str, directory: Path, seconds: float) -> None:
    """Print the figures."""
    store = Store(
        worker=WORKER, connect=lambda: connect(url, password, name=WORKER), now_ns=time.time_ns, retention_days=0
    )
    leases = LeaseRows(worker=WORKER, lease_s=3600, connect=lambda: connect(url, password, name=WORKER))
    consumer = consumer_name("store", WORKER, 0)
    leases.add([(consumer, stream_key(WORKER, 0), WORKER, 0)])
    leases.take(1, store.backend())
    (position,) = store.positions([consumer])
    print(json.dumps(measure([binance(directory), coinbase(directory)], Committer(store, position), seconds)))


if __name__ == "__main__":
    main(sys.argv[1], os.environ["DATABASE_PASSWORD"], Path(sys.argv[2]), float(sys.argv[3]))
