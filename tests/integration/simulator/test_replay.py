"""Recordings played back to real clients."""

import gzip
import json
import os
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.integration.simulator.serving import TIMEOUT_S, simulator

RECORDINGS = Path(os.environ.get("NIGHTDESK_RECORDINGS", Path(__file__).parents[3].parent / "shared" / "recordings"))


def recording(name: str) -> Path:
    path = RECORDINGS / name
    if not path.exists():
        pytest.skip(f"no recording {path}; NIGHTDESK_RECORDINGS says where they are")
    return path


def raws_of(path: Path) -> list[str]:
    return [json.loads(line)["raw"] for line in path.read_text().splitlines()]


def test_a_small_recording_is_played_completely_with_its_answers(tmp_path: Path) -> None:
    raws = [json.dumps({"stream": "a@trade", "data": {"t": number}}, separators=(",", ":")) for number in range(5)]
    lines = "".join(json.dumps({"ts": 100 + number / 100, "raw": raw}) + "\n" for number, raw in enumerate(raws))
    (tmp_path / "x.ws.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    answer = {"ts": 100, "url": "https://x/api/v3/depth?symbol=A&limit=9", "body": {"lastUpdateId": 1}}
    (tmp_path / "x.http.jsonl").write_text(json.dumps(answer))

    with simulator(SIMULATOR_REPLAY=str(tmp_path / "x.ws.jsonl.gz")) as running:
        with connect(running.ws + "/stream?streams=a@trade") as client:
            assert [client.recv(TIMEOUT_S) for _ in raws] == raws
        assert running.until(lambda: running.state()["replay"]["done"])
        assert running.get("/api/v3/depth?symbol=A&limit=5000").json() == {"lastUpdateId": 1}
        assert running.get("/api/v3/depth?symbol=B").status_code == 404


def test_the_binance_recording_is_played_as_it_was_received() -> None:
    path = recording("binance-spot.ws.jsonl")
    raws = raws_of(path)
    streams = "/".join(sorted({json.loads(raw)["stream"] for raw in raws}))
    with (
        simulator(SIMULATOR_REPLAY=str(path), SIMULATOR_REPLAY_SPEED="max") as running,
        connect(f"{running.ws}/stream?streams={streams}", max_size=None) as client,
    ):
        assert [client.recv(TIMEOUT_S) for _ in raws] == raws


def test_the_coinbase_recording_is_played_as_it_was_received() -> None:
    path = recording("coinbase-exchange.ws.jsonl")
    raws = raws_of(path)
    with (
        simulator(SIMULATOR_REPLAY=str(path), SIMULATOR_REPLAY_SPEED="max") as running,
        connect(running.ws, max_size=None) as client,
    ):
        client.send(json.dumps({"type": "subscribe", "product_ids": ["YFI-BTC"], "channels": ["matches"]}))
        assert [client.recv(TIMEOUT_S) for _ in raws] == raws
