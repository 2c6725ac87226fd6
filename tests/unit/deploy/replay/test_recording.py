import gzip
import json
from pathlib import Path

import pytest
import yaml

from deploy.local.stack import SOURCE
from deploy.replay.recording import feeds_file, open_recording
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import read_feeds

FEEDS = read_feeds(SOURCE / "config" / "feeds.yaml")
TRADE = {"ts": 1.0, "raw": '{"stream":"btcusdt@trade","data":{}}'}
CHANGE = {"ts": 1.0, "raw": '{"stream":"btcusdt@depth@100ms","data":{}}'}
SNAPSHOT = {"ts": 1.0, "url": "https://x/api/v3/depth?symbol=BTCUSDT&limit=1000", "body": {}}


def written(path: Path, *lines: object) -> Path:
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def test_the_replay_subscribes_to_what_is_recorded_and_nothing_else(tmp_path: Path) -> None:
    recording = open_recording(written(tmp_path / "x.ws.jsonl", TRADE), "binance", FEEDS)

    feed = yaml.safe_load(feeds_file(recording, 4711))["feeds"]["binance"]

    assert (feed["codec"], feed["symbols"], feed["kinds"]) == ("binance", ["BTCUSDT"], ["trade"])
    assert (feed["ws_url"], feed["rest_url"]) == ("ws://127.0.0.1:4711", "http://127.0.0.1:4711")


def test_the_feeds_file_is_one_that_the_services_read(tmp_path: Path) -> None:
    recording = open_recording(written(tmp_path / "x.ws.jsonl", TRADE), "binance", FEEDS)
    path = tmp_path / "feeds.yaml"
    path.write_text(feeds_file(recording, 4711))

    assert read_feeds(path)["binance"].symbols == ("BTCUSDT",)


def test_a_compressed_recording_is_read_as_well(tmp_path: Path) -> None:
    assert open_recording(written(tmp_path / "x.ws.jsonl.gz", TRADE), "binance", FEEDS).contents.symbols


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"FILE=.*x.ws.jsonl: there is no such file"):
        open_recording(tmp_path / "x.ws.jsonl", "binance", FEEDS)


def test_an_unknown_feed_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"FEED=krakn: .* has simulator, binance, coinbase, tickdb"):
        open_recording(tmp_path / "x.ws.jsonl", "krakn", FEEDS)


def test_a_line_of_another_format_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ws.jsonl", TRADE, {"time": 1})

    with pytest.raises(ConfigurationError, match=r"x.ws.jsonl, line 2"):
        open_recording(path, "binance", FEEDS)


def test_a_recording_of_another_feed_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"x.ws.jsonl: none of its 1 messages .* is FEED the right one"):
        open_recording(written(tmp_path / "x.ws.jsonl", TRADE), "coinbase", FEEDS)


def test_changes_of_a_book_without_its_snapshot_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "x.ws.jsonl", CHANGE)

    with pytest.raises(ConfigurationError, match=r"changes of the books of BTCUSDT, and no snapshot .*\.http\.jsonl"):
        open_recording(path, "binance", FEEDS)


def test_changes_of_a_book_with_their_snapshot_beside_them_are_taken(tmp_path: Path) -> None:
    written(tmp_path / "x.http.jsonl", SNAPSHOT)

    assert open_recording(written(tmp_path / "x.ws.jsonl", CHANGE), "binance", FEEDS).contents.snapshots
