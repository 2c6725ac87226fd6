"""What is received is what is stored, by kind."""

from datetime import UTC, datetime, timedelta
from math import nan

import pytest

from nightdesk.ticks import Kind
from tests.integration.store.conftest import (
    NOW_NS,
    SECOND,
    Desk,
    a_depth,
    a_kline,
    a_quote,
    a_trade,
    an_agg_trade,
    an_event,
)  # fmt: skip

pytestmark = pytest.mark.integration

NOON = datetime.fromtimestamp(NOW_NS / 1e9, tz=UTC)


def test_a_trade_is_stored_with_both_times(desk: Desk) -> None:
    desk.commit([a_trade(7, price=1.5, size=2.5, side=-1, at_ns=NOW_NS + 2000, exchange_ns=NOW_NS)])

    row = desk.one("SELECT trade_id, price, size, side, time, exchange_time, received_at FROM trades")
    assert row == (7, 1.5, 2.5, -1, NOON, NOON, NOON + timedelta(microseconds=2))


def test_where_the_exchange_sends_no_time_the_receive_time_sorts_and_its_own_stays_null(desk: Desk) -> None:
    desk.commit([a_trade(exchange_ns=0)])

    assert desk.one("SELECT trade_id, time, exchange_time FROM trades") == (None, NOON, None)


def test_an_empty_side_is_null(desk: Desk) -> None:
    desk.commit([a_quote(5, bid_price=nan, bid_size=nan), a_quote(6)])

    rows = desk.rows("SELECT sequence, bid_price, bid_size, ask_price, ask_size FROM quotes ORDER BY sequence")
    assert rows == [(5, None, None, 3.0, 4.0), (6, 1.0, 2.0, 3.0, 4.0)]


def test_depth_keeps_the_order_of_its_levels_whatever_their_number(desk: Desk) -> None:
    desk.commit(
        [
            a_depth(1, bids=[9.0, 1.0, 8.0, 2.0], asks=[10.0, 3.0]),
            a_depth(2, bids=[], asks=[10.0, 3.0], spread=nan, pressure_ratio=nan),
            a_depth(3, bids=[9.0, 1.0], asks=[]),
        ],
        [a_depth(4, bids=[7.0, 1.0, 6.0, 2.0], asks=[11.0, 3.0])],
    )

    assert desk.rows("SELECT sequence, bids, asks, spread, pressure_ratio FROM depths ORDER BY sequence") == [
        (1, [9.0, 1.0, 8.0, 2.0], [10.0, 3.0], 2.0, 0.5),
        (2, [], [10.0, 3.0], None, None),
        (3, [9.0, 1.0], [], 2.0, 0.5),
        (4, [7.0, 1.0, 6.0, 2.0], [11.0, 3.0], 2.0, 0.5),
    ]


def test_an_aggregate_trade_makes_no_bar(desk: Desk) -> None:
    desk.commit([an_agg_trade(3)])

    assert desk.one("SELECT agg_id, first_id, last_id FROM agg_trades") == (3, 6, 7)
    assert desk.rows("SELECT * FROM bars") == []


def test_a_closed_kline_is_final(desk: Desk) -> None:
    desk.commit([a_kline(2.0), a_kline(3.0, closed=True), a_kline(4.0)])
    desk.commit([a_kline(5.0)])

    assert desk.one('SELECT "interval", close, closed FROM klines') == ("1m", 3.0, True)


def test_the_latest_tick_is_the_newest_by_time(desk: Desk) -> None:
    desk.commit([a_trade(2, price=20.0, at_ns=NOW_NS + SECOND), a_trade(1, price=10.0)])
    desk.commit([a_trade(3, price=5.0, at_ns=NOW_NS - SECOND)])

    assert desk.one("SELECT sequence, price FROM latest WHERE kind = 1") == (2, 20.0)


def test_the_latest_quote_is_the_last_one_although_our_clock_stepped_back(desk: Desk) -> None:
    desk.commit([a_quote(1), a_quote(2, bid_price=7.0, at_ns=NOW_NS - 60 * SECOND)])
    assert desk.one("SELECT sequence, bid_price FROM latest WHERE kind = 3") == (2, 7.0)

    desk.commit([a_quote(3, bid_price=8.0, at_ns=NOW_NS - 61 * SECOND)])
    assert desk.one("SELECT sequence, bid_price FROM latest WHERE kind = 3") == (3, 8.0)


def test_events_are_kept_as_they_were_said(desk: Desk) -> None:
    desk.commit([an_event("connected", cause="collector started"), an_event("conflated", kind=3, symbol="BTCUSDT")])

    rows = desk.rows("SELECT feed, shard, symbol_id IS NULL, name, kind, from_id, cause FROM events ORDER BY kind")
    assert rows == [
        ("simulator", 0, True, "connected", 0, None, "collector started"),
        ("simulator", 0, False, "conflated", 3, None, ""),
    ]


def test_marks_count_what_was_stored_and_what_was_dropped(desk: Desk) -> None:
    desk.commit([a_trade(1), a_trade(2), a_trade(2), a_trade(1), a_trade(3)])

    assert desk.one("SELECT mark, stored, duplicates FROM marks") == (3, 3, 2)
    assert desk.done[-1].stored == {("simulator", Kind.TRADE): 3}
    assert desk.done[-1].duplicates == {("simulator", Kind.TRADE): 2}


def test_frames_of_several_shards_are_one_transaction(desk: Desk) -> None:
    desk.store.commit([desk.delivery([a_trade(1)]), desk.delivery([a_trade(1, symbol="ETHUSDT")], shard=1)])

    assert desk.one("SELECT count(DISTINCT xmin::text) FROM positions") == 1
    assert desk.rows("SELECT symbol, shard FROM symbols ORDER BY 1") == [("BTCUSDT", 0), ("ETHUSDT", 1)]


class TestBars:
    def test_a_bar_is_folded_over_turns_in_any_order(self, desk: Desk) -> None:
        desk.commit([a_trade(12, price=12.0), a_trade(13, price=9.0, side=-1)])
        desk.commit([a_trade(20, price=14.0, size=2.0)])
        desk.commit([a_trade(15, price=20.0)])

        row = desk.one("SELECT open, high, low, close, volume, buy_volume, quote_volume, trades, closed FROM bars")
        assert row == (12.0, 20.0, 9.0, 14.0, 5.0, 4.0, 12.0 + 9.0 + 28.0 + 20.0, 4, False)

    def test_a_later_minute_closes_a_bar(self, desk: Desk) -> None:
        desk.commit([a_trade(1)])
        desk.commit([a_trade(2, at_ns=NOW_NS + 60 * SECOND)])

        assert desk.rows("SELECT closed FROM bars ORDER BY time") == [(True,), (False,)]

    def test_a_late_trade_goes_into_its_closed_bar(self, desk: Desk) -> None:
        desk.commit([a_trade(1, price=5.0), a_trade(3, at_ns=NOW_NS + 60 * SECOND)])
        desk.commit([a_trade(2, price=6.0)])

        assert desk.rows("SELECT close, trades, closed FROM bars ORDER BY time") == [(6.0, 2, True), (100.0, 1, False)]

    def test_the_clock_closes_a_quiet_symbols_bar(self, desk: Desk) -> None:
        desk.commit([a_trade(1)])
        consumers = ["store/simulator/00"]

        desk.now_ns = NOW_NS + 34 * SECOND
        desk.store.close_bars(consumers, grace_s=5)
        assert desk.one("SELECT closed FROM bars") is False

        desk.now_ns = NOW_NS + 36 * SECOND
        desk.store.close_bars(["store/simulator/01"], grace_s=5)
        assert desk.one("SELECT closed FROM bars") is False
        desk.store.close_bars(consumers, grace_s=5)
        assert desk.one("SELECT closed FROM bars") is True


class TestDays:
    def test_a_missing_day_inside_the_retention_is_made_on_demand(self, desk: Desk) -> None:
        desk.commit([a_trade(1, at_ns=NOW_NS, exchange_ns=NOW_NS - 20 * 86_400 * SECOND)])

        assert desk.one("SELECT time FROM trades") == NOON - timedelta(days=20)

    def test_days_are_made_ahead(self, desk: Desk) -> None:
        desk.store.make_days()

        made = desk.one("SELECT count(*) FROM pg_inherits WHERE inhparent = 'quotes'::regclass")
        assert made == 5

    def test_a_replay_has_no_retention(self, desk: Desk) -> None:
        replay = Desk(desk.database, retention_days=0)
        replay.commit([a_trade(1, exchange_ns=1_500_000_000 * SECOND)])
        replay.close()

        assert desk.one("SELECT extract(year FROM time) FROM trades") == 2017

    def test_a_day_that_was_dropped_behind_its_back_is_made_again(self, desk: Desk) -> None:
        old_ns = NOW_NS - 20 * 86_400 * SECOND
        desk.commit([a_trade(1, exchange_ns=old_ns)])
        desk.rows("SELECT drop_day('trades', (now() - interval '20 days')::date)")

        with pytest.raises(Exception, match="no partition"):
            desk.commit([a_trade(2, exchange_ns=old_ns)])
        desk.commit([a_trade(2, exchange_ns=old_ns)])

        assert desk.one("SELECT trade_id FROM trades") == 2
