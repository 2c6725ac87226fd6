"""Each poison is one that the store sets aside, for another reason."""

import time

import numpy as np

from nightdesk import frames
from nightdesk.errors import FrameError
from nightdesk.store.batch import Origin, Source, gather, read
from nightdesk.ticks import Trade
from tests.chaos.faults.poison_frame import poisons

NOW_NS = time.time_ns()
GOOD = frames.encode([Trade("BTCUSDT", 7, 1.0, 1.0, 1, NOW_NS, NOW_NS)])


def reason(payload: bytes) -> str:
    try:
        frame, _ = read(payload)
    except FrameError as error:
        return str(error).partition(" ")[0]
    origin = Origin(feed="simulator", shard=0, entry_id="1-1", payload=payload)
    sources = [Source(origin=origin, frame=frame, symbol_ids=np.array([1], dtype=np.int32))]
    batch = gather(sources, low_ns=0, high_ns=2 * NOW_NS)
    return batch.refusals[0].reason if batch.refusals else ""


def test_a_good_frame_is_not_set_aside() -> None:
    assert reason(GOOD) == ""


def test_each_poison_is_set_aside() -> None:
    found = {name: reason(payload) for name, payload in poisons(GOOD, "BTCUSDT").items()}

    assert all(found.values())
    assert found["an id that is no exchange's"] == "id_out_of_range"
    assert found["of another century"] == "future_time"
