"""What storing costs: trades a CPU second of the worker's, and how long turns of several sizes take.

``python -m bench.store`` runs the worker's own store on a PostgreSQL of its own; Redis is left out.
"""

import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from deploy import databases
from nightdesk import frames
from nightdesk.consumer import Delivery, Entry, Position
from nightdesk.shards import consumer_name, stream_key
from nightdesk.store import migrate
from nightdesk.store.database import connect
from nightdesk.store.leases import LeaseRows
from nightdesk.store.store import Store
from nightdesk.ticks import Depth, Quote, Tick, Trade

WORKER = "bench"
PASSWORDS = {migrate.OWNER: "owner", migrate.WRITER: "writer", migrate.READER: "reader"}


class Market:
    """Frames of trades, or of everything, for several symbols on several shards."""

    def __init__(self, shards: int, symbols: int) -> None:
        self._symbols = [f"SYM{number}" for number in range(symbols)]
        self._ids: Counter[tuple[str, int]] = Counter()
        self.shards = shards
        self.issued = 0

    def deliveries(self, positions: list[Position], frame_count: int, ticks: int, *, mixed: bool) -> list[Delivery]:
        """Return so many frames for each position, continuing where the last ones ended."""
        return [
            Delivery(position=one, entries=[self._entry(one.shard, ticks, mixed=mixed) for _ in range(frame_count)])
            for one in positions
        ]

    def _entry(self, shard: int, ticks: int, *, mixed: bool) -> Entry:
        self.issued += 1
        mine = [symbol for number, symbol in enumerate(self._symbols) if number % self.shards == shard]
        now_ns = time.time_ns()
        rows = [self._tick(random.choice(mine), now_ns, place % 3 if mixed else 0) for place in range(ticks)]
        return Entry(entry_id=f"1-{self.issued}", payload=frames.encode(rows))

    def _tick(self, symbol: str, now_ns: int, kind: int) -> Tick:
        self._ids[symbol, kind] += 1
        tick_id = self._ids[symbol, kind]
        if kind == 1:
            return Quote(symbol, tick_id, 1.0, 2.0, 3.0, 4.0, 0, now_ns)
        if kind == 2:
            return Depth(symbol, tick_id, [1.0, 2.0] * 10, [3.0, 4.0] * 10, 0.1, 1.5, now_ns, now_ns)
        return Trade(symbol, tick_id, 100.0 + random.random(), 1.5, random.choice((1, -1)), now_ns, now_ns)


def measure(store: Store, market: Market, frame_count: int, ticks: int, *, mixed: bool, turns: int) -> str:
    """Commit so many turns and say what one cost."""
    wall_s, cpu_s, rows = [], 0.0, 0
    for _ in range(turns):
        positions = store.positions([consumer_name("store", "bench", shard) for shard in range(market.shards)])
        deliveries = market.deliveries(positions, frame_count, ticks, mixed=mixed)
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        store.commit(deliveries)
        wall_s.append(time.perf_counter() - started_s)
        cpu_s += time.process_time() - started_cpu_s
        rows += sum(len(one.entries) for one in deliveries) * ticks
    middle_ms = sorted(wall_s)[len(wall_s) // 2] * 1000
    kind = "mixed" if mixed else "trades"
    return (
        f"{market.shards:2} shards x {frame_count:3} frames x {ticks:3} {kind:6}: {middle_ms:7.2f} ms a turn, "
        f"{rows / cpu_s:12,.0f} ticks a CPU second, {rows / sum(wall_s):12,.0f} a second"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        with databases.postgres(directory / "postgres") as server:
            run(server)


def run(server: databases.RunningPostgres) -> None:
    migrate.migrate(server.url("nightdesk"), server.password, PASSWORDS)
    url = server.url("nightdesk", migrate.WRITER)
    store = Store(
        worker=WORKER,
        connect=lambda: connect(url, PASSWORDS[migrate.WRITER], name=WORKER),
        now_ns=time.time_ns,
        retention_days=30,
    )
    leases = LeaseRows(
        worker=WORKER, lease_s=3600, connect=lambda: connect(url, PASSWORDS[migrate.WRITER], name=WORKER)
    )
    leases.add([(consumer_name("store", "bench", n), stream_key("bench", n), "bench", n) for n in range(8)])
    leases.take(8, store.backend())
    market = Market(shards=8, symbols=16)
    for frame_count, ticks, mixed, turns in ((1, 1, False, 200), (1, 5, True, 200), (1, 500, False, 30),
                                             (16, 500, False, 15), (16, 500, True, 8)):  # fmt: skip
        print(measure(store, market, frame_count, ticks, mixed=mixed, turns=turns))


if __name__ == "__main__":
    main()
