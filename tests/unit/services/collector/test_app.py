"""How the collector's parts appear in /health, and what its configuration refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import load_feeds
from nightdesk.health import Status
from nightdesk.ticks import Kind
from services.collector.app import _feed_detail, _feed_status, _say_left_behind, configuration, subscription

SHIPPED = Path(__file__).parents[4] / "config" / "feeds.yaml"


def environment(**settings: str) -> dict[str, str]:
    return {"FEEDS_CONFIG": str(SHIPPED), **settings}


def status(*, connected: bool = True, ready: bool = True, silent: bool = False, for_s: float = 100) -> Status:
    return _feed_status(connected, ready, silent, for_s, 30)


def test_a_connected_feed_in_step_is_ok() -> None:
    assert status() is Status.OK


def test_a_feed_that_is_away_is_degraded_at_first_and_down_after_the_limit() -> None:
    assert status(connected=False, for_s=30) is Status.DEGRADED
    assert status(connected=False, for_s=31) is Status.DOWN


def test_a_feed_may_take_a_moment_to_get_in_step() -> None:
    assert status(ready=False, for_s=5) is Status.OK
    assert status(ready=False, for_s=31) is Status.DEGRADED


def test_a_silent_symbol_degrades_its_feed_and_is_named() -> None:
    assert status(silent=True) is Status.DEGRADED
    assert _feed_detail(True, True, ("BTCUSDT",), "", 1) == "connected, but silent: BTCUSDT"


def test_a_feed_that_is_away_says_why() -> None:
    assert _feed_detail(False, False, (), "connection lost", 12.4) == "not connected for 12 s: connection lost"


def test_without_any_setting_the_simulator_is_collected() -> None:
    options, feeds = configuration(environment())

    assert list(feeds) == ["simulator"]
    assert options.transport == "websockets"
    assert options.record_dir is None


def test_settings_and_feeds_are_refused_together() -> None:
    with pytest.raises(ConfigurationError) as caught:
        configuration(environment(FEEDS="nowhere", MAX_QUEUE_DEPTH="-1", TRANSPORT="pigeon"))

    for named in ("MAX_QUEUE_DEPTH", "TRANSPORT", "'nowhere'"):
        assert named in str(caught.value)


def test_a_codec_nobody_wrote_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "feeds.yaml"
    path.write_text(SHIPPED.read_text().replace("codec: binance", "codec: bynance"))

    with pytest.raises(ConfigurationError, match=r"'bynance'.*binance, coinbase, tickdb"):
        configuration({"FEEDS_CONFIG": str(path)})


def test_a_codec_gets_all_it_needs_to_know() -> None:
    feed = load_feeds(SHIPPED, {"FEEDS": "tickdb", "TICKDB_API_KEY": "hush"})["tickdb"]
    asked = subscription("tickdb", feed, 5)

    assert (asked.feed, asked.depth_levels, asked.api_key) == ("tickdb", 5, "hush")
    assert asked.kinds == {Kind.TRADE, Kind.QUOTE, Kind.DEPTH}
    assert asked.ws_url == feed.ws_url


def test_importing_the_collector_brings_no_pandas_and_starts_nothing() -> None:
    program = (
        "import sys, threading, services.collector.app as _; print('pandas' in sys.modules, threading.active_count())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "1"]


def test_the_spool_of_a_feed_that_is_no_longer_collected_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for feed in ("simulator", "coinbase", "tickdb"):
        (tmp_path / feed).mkdir()
    for feed in ("simulator", "coinbase"):
        (tmp_path / feed / "000000000001.seg").write_bytes(b"NDSG" + bytes(300) + b"NDSR")

    _say_left_behind(tmp_path, {"simulator"})

    out = capsys.readouterr().out
    assert "coinbase" in out
    assert "simulator" not in out
    assert "tickdb" not in out
