"""A gap filled by the job itself from pages made before, and the same rows copied into the same table at once.

DATABASE_PASSWORD=... python -m bench.backfill DATABASE_URL PAGES

The exchange answers from memory: what is measured is reading, admission, rows, bars and commits, a page at a time.
"""

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import numpy as np
import structlog

from nightdesk import frames
from nightdesk.clock import Clock
from nightdesk.exchanges.binance import ROWS, BinanceHistory
from nightdesk.feeds_config import FeedConfig
from nightdesk.store import tables
from nightdesk.store.batch import Origin, Source, gather
from nightdesk.store.database import Connection, connect
from nightdesk.store.rows import HEADER, TRAILER
from nightdesk.store.unit import COPY
from nightdesk.ticks import Kind, Trade
from services.jobs import backfill_gaps
from services.jobs.runner.job import Desk
from services.jobs.settings import JobsSettings

FIRST_ID: Final = 1_000_000
TRADES_A_SECOND: Final = 200
CONFIG: Final = FeedConfig.model_validate(
    {
        "codec": "binance", "ws_url": "ws://bench", "rest_url": "http://bench", "symbols": ["BTCUSDT"],
        "kinds": ["trade"], "rest_weight_per_minute": 1e12,
    }
)  # fmt: skip

OPEN: Final = Path(__file__).with_name("backfill.sql")
"""Writes a feed of two symbols, a mark and a gap."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the exchange's."""

    content: bytes
    status_code: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def page(first_id: int, begin_ms: int) -> bytes:
    """Return a page of trades as the exchange prints them."""
    return json.dumps(
        [
            {
                "id": one, "price": f"{67_000 + one % 977 / 100:.8f}", "qty": f"{one % 89 / 1000 + 0.001:.8f}",
                "quoteQty": "67.00000000", "time": begin_ms + (one - FIRST_ID) * 1000 // TRADES_A_SECOND,
                "isBuyerMaker": one % 3 == 0, "isBestMatch": True,
            }
            for one in range(first_id, first_id + ROWS)
        ],
        separators=(",", ":"),
    ).encode()  # fmt: skip


def filled(url: str, password: str, bodies: Mapping[int, bytes]) -> float:
    """Fill the gap; return the seconds it took."""

    def answer(_method: str, asked: str, _headers: Mapping[str, str], _body: bytes | None) -> Page:
        return Page(bodies[int(parse_qs(urlsplit(asked).query)["fromId"][0])])

    desk = Desk(
        run_id=1, job="bench", scheduled_for=datetime.now(UTC), attempt=1, by_hand=False,
        settings=JobsSettings.model_validate({"database_url": url, "database_password": password}),
        feeds={"bench": CONFIG}, clock=Clock(),
        random=lambda: 0.5, connect=lambda name: connect(url, password, name=name), call=answer,
        progress=lambda *_: None, notify=lambda *_: 0,
    )  # fmt: skip
    began = time.perf_counter()
    result = backfill_gaps.run(desk, backfill_gaps.Arguments.model_validate({"max_seconds": 0}))
    took_s = time.perf_counter() - began
    if result["trades"] != len(bodies) * ROWS:
        raise SystemExit(f"{result['trades']} of {len(bodies) * ROWS} trades were stored: {result['gaps']}")
    return took_s


def copied(connection: Connection, bodies: Mapping[int, bytes]) -> float:
    """Copy the same rows, of another symbol, in one COPY made before; return the seconds it took."""
    pieces: list[bytes | bytearray] = [HEADER, *(piece for body in bodies.values() for piece in _rows(body)), TRAILER]
    began = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy(COPY[Kind.TRADE]) as copy:
        for piece in pieces:
            copy.write(piece)
    return time.perf_counter() - began


def _rows(body: bytes) -> list[bytearray]:
    found = BinanceHistory("").read_ticks(Kind.TRADE, "ETHUSDT", body, (0, 2**62), time.time_ns()).ticks
    trades = [one for one in found if isinstance(one, Trade)]
    frame = frames.decode(frames.encode(trades))
    origin = Origin(feed="bench", shard=0, entry_id="", payload=b"")
    source = Source(origin=origin, frame=frame, symbol_ids=np.full(len(frame.names), 2, dtype=np.int32))
    batch = gather([source], low_ns=0, high_ns=2**63 - 1)
    return tables.copied(Kind.TRADE, batch.groups[Kind.TRADE].columns)


def main(url: str, pages: int) -> None:
    """Measure both and print what was found."""
    password = os.environ["DATABASE_PASSWORD"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    seconds = pages * ROWS // TRADES_A_SECOND
    begin_ms = int(time.time() - seconds - 60) * 1000
    bodies = {first: page(first, begin_ms) for first in range(FIRST_ID, FIRST_ID + pages * ROWS, ROWS)}
    with connect(url, password, name="bench") as connection:
        connection.execute(OPEN.read_bytes(), {"first": FIRST_ID, "last": FIRST_ID + pages * ROWS})
        figures = {
            "rows": pages * ROWS,
            "seconds": filled(url, password, bodies),
            "bare_seconds": copied(connection, bodies),
        }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
