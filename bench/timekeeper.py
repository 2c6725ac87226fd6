"""The real worker, and beside it a list of what it committed when.

    python -m bench.timekeeper OUTPUT

At its end it writes an array of four columns: a trade's symbol (its place in ``SYMBOLS``), its id, the number of the
turn that committed it, and the moment at which PostgreSQL had acknowledged that, Unix time in nanoseconds.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.market import SYMBOLS
from nightdesk.consumer import Delivery
from nightdesk.frames import decode
from nightdesk.ticks import Kind
from services.worker import app
from services.worker.observer import Observer

TURNS: list[tuple[int, list[bytes]]] = []
"""When each turn was acknowledged, and its frames; read once the worker is done."""


class Timekeeper(Observer):
    """Note every committed turn before anything else."""

    def turned(self, deliveries: Sequence[Delivery], elapsed_s: float) -> None:
        """A turn was committed."""
        TURNS.append((time.time_ns(), [entry.payload for one in deliveries for entry in one.entries]))
        super().turned(deliveries, elapsed_s)


def committed() -> npt.NDArray[np.int64]:
    """Return a row for each trade."""
    rows = [_trades(turn, at_ns, payload) for turn, (at_ns, frames) in enumerate(TURNS) for payload in frames]
    return np.concatenate([np.empty((0, 4), dtype=np.int64), *rows])


def _trades(turn: int, at_ns: int, payload: bytes) -> npt.NDArray[np.int64]:
    frame = decode(payload)
    columns = frame.columns.get(Kind.TRADE)
    if columns is None:
        return np.empty((0, 4), dtype=np.int64)
    places = np.array([SYMBOLS.index(name) if name in SYMBOLS else -1 for name in frame.names], dtype=np.int64)
    ids = columns["trade_id"].astype(np.int64)
    return np.stack([places[columns["symbol"]], ids, np.full_like(ids, turn), np.full_like(ids, at_ns)], axis=1)


if __name__ == "__main__":
    app.run(os.environ, Timekeeper)
    np.save(Path(sys.argv[1]), committed())
