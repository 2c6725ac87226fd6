"""Binance's REST addresses."""

from nightdesk.exchanges.binance import depth_url


def test_a_depth_snapshot_is_asked_for_with_all_its_levels() -> None:
    assert depth_url("https://x.example/", "BTCUSDT") == "https://x.example/api/v3/depth?symbol=BTCUSDT&limit=1000"
