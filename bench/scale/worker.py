"""The real worker, and beside it how long after its receipt each trade was committed.

    python -m bench.scale.worker OUTPUT

At its end it writes an array of two columns: when a trade was received, and when PostgreSQL had acknowledged the turn
with it, both Unix time in nanoseconds.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

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
    rows = [_trades(at_ns, payload) for at_ns, frames in TURNS for payload in frames]
    return np.concatenate([np.empty((0, 2), dtype=np.int64), *rows])


def _trades(at_ns: int, payload: bytes) -> npt.NDArray[np.int64]:
    columns = decode(payload).columns.get(Kind.TRADE)
    received_ns = np.empty(0, dtype=np.int64) if columns is None else columns["received_ns"].astype(np.int64)
    return np.stack([received_ns, np.full_like(received_ns, at_ns)], axis=1)


if __name__ == "__main__":
    app.run(os.environ, Timekeeper)
    np.save(Path(sys.argv[1]), committed())
