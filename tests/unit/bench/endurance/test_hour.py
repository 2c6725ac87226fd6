from collections import Counter
from pathlib import Path

import msgspec

from bench.desk.pairs import Pace
from bench.endurance.hour import Recorded, record
from deploy.replay.contents import contents_of
from services.simulator.recording import answers_of, frames_of, stream_of

BEGIN_MS = 1_700_000_000_000
PAIRS = {"BTCUSDT": Pace(20.0, 30.0), "DOGEUSDT": Pace(5.0, 10.0)}


def recorded(directory: Path) -> Recorded:
    return record(directory, PAIRS, begin_ms=BEGIN_MS, seconds=20.0, seed=3)


def test_a_recording_holds_as_many_messages_as_it_says_at_times_within_its_span(tmp_path: Path) -> None:
    made = recorded(tmp_path)

    frames = list(frames_of(made.path))

    assert len(frames) == made.total
    assert [one.ts for one in frames] == sorted(one.ts for one in frames)
    assert frames[0].ts > BEGIN_MS / 1000
    assert frames[-1].ts <= BEGIN_MS / 1000 + 20.0
    channels = Counter(stream_of(one.raw).partition("@")[2] for one in frames)
    assert channels["trade"] == made.messages["trade"] > 0
    assert channels["depth@100ms"] == made.messages["depth"] > 0


def test_trade_ids_are_contiguous_and_events_carry_the_recordings_own_time(tmp_path: Path) -> None:
    data = [msgspec.json.decode(one.raw)["data"] for one in frames_of(recorded(tmp_path).path)]
    trades = [one for one in data if one.get("e") == "trade" and one["s"] == "BTCUSDT"]

    assert [one["t"] for one in trades] == list(range(trades[0]["t"], trades[0]["t"] + len(trades)))
    assert all(BEGIN_MS <= one["T"] <= BEGIN_MS + 20_000 for one in trades)


def test_every_book_begins_with_a_snapshot_that_the_first_change_follows(tmp_path: Path) -> None:
    made = recorded(tmp_path)
    answers = answers_of(made.path)
    changes = [msgspec.json.decode(one.raw)["data"] for one in frames_of(made.path) if "depthUpdate" in one.raw]

    assert contents_of("binance", [one.raw for one in frames_of(made.path)]).snapshots.keys() == PAIRS.keys()
    for answer, symbol in zip(answers, PAIRS, strict=True):
        body = answer.body
        assert isinstance(body, dict)
        first = next(one for one in changes if one["s"] == symbol)
        assert first["U"] == body["lastUpdateId"] + 1
