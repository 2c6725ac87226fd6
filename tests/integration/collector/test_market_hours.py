"""A symbol that falls silent: unusual in an open market, nothing at all in a closed one.

The simulator's stock falls silent when its session ends. One collector is told that the stock trades round the clock,
the other knows that the exchange is closed.
"""

import json
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.collector.test_process import Stack, fetch, stack, wait_for

__all__ = ["stack"]

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(120)]

SYMBOL = "AAPL.US"
SILENCE_S = 2.0


def decide_session(stack: Stack, *, is_open: bool) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.simulator_port}/sim/session",
        data=json.dumps({"calendar": "XNYS", "open": is_open}).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=5).close()


def started(stack: Stack, directory: Path, *, calendar: str) -> int:
    """Start a collector of the stock and wait until it hears it often; return the port of its health."""
    feeds = directory / "feeds.yaml"
    feeds.write_text(
        f"""
feeds:
  tickdb:
    codec: tickdb
    ws_url: ws://127.0.0.1:{stack.simulator_port}/v1/realtime
    rest_url: http://127.0.0.1:{stack.simulator_port}/v1
    symbols: [{SYMBOL}]
    kinds: [trade, quote]
    calendar: {calendar}
    symbol_silence_s: {SILENCE_S}
"""
    )
    today = datetime.now(UTC).date()
    days = "\n".join(f"    {today + timedelta(days=day)}: closed for this test" for day in (-1, 0, 1))
    closures = directory / "calendars.yaml"
    closures.write_text(f"closures:\n  XNYS:\n{days}\n")
    _, port = stack.collector(
        FEEDS="tickdb", TICKDB_API_KEY="test", FEEDS_CONFIG=str(feeds), CALENDARS_CONFIG=str(closures)
    )
    wait_for(lambda: ticks_heard(port) > 20, "the stock to trade")
    return port


def ticks_heard(port: int) -> float:
    return sum(
        metric(port, f'nightdesk_feed_ticks_total{{feed="tickdb",kind="{kind}"}}') for kind in ("trade", "quote")
    )


def metric(port: int, name: str) -> float:
    """Return a metric's value, 0 while it is not there."""
    for line in fetch(port, "/metrics")[1].splitlines():
        if line.startswith(f"{name} "):
            return float(line.rpartition(" ")[2])
    return 0.0


def silent(port: int) -> bool:
    return metric(port, f'nightdesk_symbol_silent{{feed="tickdb",symbol="{SYMBOL}"}}') == 1


def test_a_symbol_silent_in_its_open_market_is_told(stack: Stack, tmp_path: Path) -> None:
    decide_session(stack, is_open=True)
    port = started(stack, tmp_path, calendar="24/7")
    decide_session(stack, is_open=False)

    wait_for(lambda: silent(port), "the silence to be noticed")


def test_a_symbol_silent_in_its_closed_market_is_nothing(stack: Stack, tmp_path: Path) -> None:
    decide_session(stack, is_open=True)
    port = started(stack, tmp_path, calendar="XNYS")
    decide_session(stack, is_open=False)

    time.sleep(4 * SILENCE_S)

    assert not silent(port)
    assert metric(port, 'nightdesk_feed_disconnects_total{cause="mute",feed="tickdb"}') == 0
    assert metric(port, 'nightdesk_feed_connected{feed="tickdb"}') == 1
