"""The ledger: what was not received, why, and what became of it."""

import random
from collections.abc import Iterator

import pytest

from nightdesk.store.store import Ledger
from nightdesk.ticks import Event, Kind, Tick
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

LEDGER = "SELECT kind, from_id, to_id, missing::text, cause, state FROM gaps ORDER BY gap_id"


def test_a_jump_is_a_gap_with_its_ids_and_its_times(desk: Desk) -> None:
    desk.commit([a_trade(10)])
    desk.commit([a_trade(15, at_ns=NOW_NS + SECOND), a_trade(18, at_ns=NOW_NS + 2 * SECOND)])

    assert desk.rows(LEDGER) == [
        (1, 11, 14, "{[11,15)}", "sequence break", "open"),
        (1, 16, 17, "{[16,18)}", "sequence break", "open"),
    ]
    assert desk.rows("SELECT extract(epoch FROM to_time - from_time)::int FROM gaps") == [(1,), (1,)]


def test_late_ids_shrink_a_gap_until_it_is_filled(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(15)])

    desk.commit([a_trade(12)])
    assert desk.rows(LEDGER) == [(1, 11, 14, "{[11,12),[13,15)}", "sequence break", "open")]

    desk.commit([a_trade(14), a_trade(11), a_trade(12), a_trade(13)])
    assert desk.rows(LEDGER) == [(1, 11, 14, "{}", "sequence break", "filled")]
    assert desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades") == [10, 11, 12, 13, 14, 15]


def test_aggregate_trades_have_a_ledger_of_their_own(desk: Desk) -> None:
    desk.commit([a_trade(10), an_agg_trade(4), an_agg_trade(6), a_trade(11)])

    assert desk.rows(LEDGER) == [(2, 5, 5, "{[5,6)}", "sequence break", "open")]


def test_many_holes_at_once_share_one_row(desk: Desk) -> None:
    desk.commit([a_trade(2 * number) for number in range(100)])

    (row,) = desk.rows("SELECT from_id, to_id, (SELECT count(*) FROM unnest(missing)) FROM gaps")
    assert row == (1, 197, 99)


def test_what_is_announced_and_does_not_come_is_a_gap(desk: Desk) -> None:
    desk.commit([a_trade(10)])
    desk.commit([an_event("announced", kind=1, symbol="BTCUSDT", to_id=12)])
    assert desk.rows(LEDGER) == [(1, 11, 12, "{[11,13)}", "sequence break", "open")]

    desk.commit([a_trade(11), a_trade(13)])
    assert desk.rows(LEDGER) == [(1, 11, 12, "{[12,13)}", "sequence break", "open")]


class TestCauses:
    def test_a_lost_connection_is_the_cause_of_the_gap_it_leaves(self, desk: Desk) -> None:
        desk.commit([a_trade(10)])
        desk.commit([an_event("disconnected", cause="closed by the exchange with code 1006", at_ns=NOW_NS + SECOND)])
        desk.commit([an_event("connected", cause="closed with 1006", since_ns=NOW_NS, at_ns=NOW_NS + 2 * SECOND)])
        desk.commit([a_trade(15, at_ns=NOW_NS + 3 * SECOND)])

        assert desk.rows(LEDGER) == [
            (1, 11, 14, "{[11,15)}", "disconnected: closed by the exchange with code 1006", "open")
        ]

    def test_a_collector_that_was_killed_is_known_by_its_successor(self, desk: Desk) -> None:
        desk.commit([a_trade(10)])
        desk.commit([an_event("connected", cause="collector started", at_ns=NOW_NS + SECOND)])
        desk.commit([a_trade(15, at_ns=NOW_NS + 2 * SECOND)])

        assert desk.one("SELECT cause FROM gaps") == "collector restarted"

    def test_the_feeds_own_words_about_a_break_are_kept(self, desk: Desk) -> None:
        words = {"symbol": "BTCUSDT", "kind": 1, "from_id": 11, "to_id": 14, "cause": "4 ids of trade did not arrive"}
        desk.commit([a_trade(10)])
        desk.commit([an_event("sequence_break", at_ns=NOW_NS + SECOND, **words), a_trade(15, at_ns=NOW_NS + SECOND)])

        assert desk.one("SELECT cause FROM gaps") == "4 ids of trade did not arrive"

    def test_another_symbols_break_explains_nothing(self, desk: Desk) -> None:
        desk.commit([a_trade(10)])
        desk.commit([an_event("sequence_break", symbol="ETHUSDT", kind=1, cause="elsewhere"), a_trade(15)])

        assert desk.one("SELECT cause FROM gaps") == "sequence break"


class TestSilences:
    def test_quotes_and_depth_lost_with_a_connection_are_said_to_be_lost(self, desk: Desk) -> None:
        desk.commit([a_quote(5), a_depth(6), a_trade(7), a_kline(1.0)])
        desk.commit([an_event("connected", cause="mute", since_ns=NOW_NS, at_ns=NOW_NS + 2 * SECOND)])

        rows = desk.rows("SELECT kind, from_id, missing, cause, state, to_time - from_time FROM gaps ORDER BY kind")
        assert [row[:5] for row in rows] == [
            (Kind.QUOTE, None, None, "disconnected: mute", "unfillable"),
            (Kind.DEPTH, None, None, "disconnected: mute", "unfillable"),
        ]
        assert [row[5].total_seconds() for row in rows] == [2, 2]

    def test_trades_without_ids_may_still_be_filled(self, desk: Desk) -> None:
        desk.commit([a_trade(), a_trade(symbol="ETHUSDT", trade_id=5)])
        desk.commit([an_event("connected", cause="mute", since_ns=NOW_NS, at_ns=NOW_NS + SECOND)])

        assert desk.rows("SELECT s.symbol, g.kind, g.state FROM gaps g JOIN symbols s USING (symbol_id)") == [
            ("BTCUSDT", 1, "open")
        ]

    def test_a_silence_begins_with_the_last_tick_even_of_the_same_turn(self, desk: Desk) -> None:
        desk.commit([a_quote(5)])
        desk.commit(
            [
                a_quote(6, at_ns=NOW_NS + SECOND),
                an_event("connected", since_ns=NOW_NS, at_ns=NOW_NS + 3 * SECOND),
                a_quote(7, at_ns=NOW_NS + 4 * SECOND),
            ]
        )

        assert desk.one("SELECT extract(epoch FROM to_time - from_time)::int FROM gaps") == 2

    def test_the_first_connection_ever_ends_no_silence(self, desk: Desk) -> None:
        desk.commit([an_event("connected", cause="collector started"), a_quote(5, at_ns=NOW_NS + SECOND)])

        assert desk.rows(LEDGER) == []

    def test_one_silence_over_several_attempts_is_one_gap(self, desk: Desk) -> None:
        desk.commit([a_quote(5)])
        for second in (1, 2, 3):
            desk.commit([an_event("connected", since_ns=NOW_NS, at_ns=NOW_NS + second * SECOND)])

        assert desk.rows("SELECT extract(epoch FROM to_time - from_time)::int FROM gaps") == [(3,)]

    def test_a_rollover_leaves_no_silence(self, desk: Desk) -> None:
        desk.commit([a_quote(5)])
        desk.commit([an_event("rolled_over", cause="24 hours", since_ns=NOW_NS, at_ns=NOW_NS + SECOND)])

        assert desk.rows(LEDGER) == []

    def test_a_broken_book_is_a_gap_of_depth_that_nothing_fills(self, desk: Desk) -> None:
        desk.commit([a_depth(10)])
        words = {"symbol": "BTCUSDT", "kind": 4, "from_id": 11, "to_id": 14, "cause": "4 ids of depth did not arrive"}
        desk.commit([an_event("sequence_break", at_ns=NOW_NS + SECOND, **words)])

        assert desk.rows(LEDGER) == [(4, 11, 14, "{[11,15)}", "4 ids of depth did not arrive", "unfillable")]

    def test_depth_is_missing_until_its_book_is_synchronised_again(self, desk: Desk) -> None:
        desk.commit([a_depth(10), a_quote(10)])
        desk.commit([an_event("disconnected", cause="mute", at_ns=NOW_NS + SECOND)])
        desk.commit([an_event("connected", cause="mute", since_ns=NOW_NS, at_ns=NOW_NS + 2 * SECOND)])
        for frame in ([synchronised(9)], [a_depth(90, at_ns=NOW_NS + 9 * SECOND)]):
            desk.commit(frame)

        rows = desk.rows("SELECT kind, cause, extract(epoch FROM to_time - from_time)::int FROM gaps ORDER BY kind")
        assert rows == [(Kind.QUOTE, "disconnected: mute", 2), (Kind.DEPTH, "disconnected: mute", 9)]

    def test_a_connection_and_its_book_in_one_turn_are_one_gap(self, desk: Desk) -> None:
        desk.commit([a_depth(10)])
        connected = an_event("connected", cause="mute", since_ns=NOW_NS, at_ns=NOW_NS + 2 * SECOND)
        desk.commit([connected, synchronised(3), a_depth(90, at_ns=NOW_NS + 3 * SECOND)])

        assert desk.rows("SELECT kind, state, extract(epoch FROM to_time - from_time)::int FROM gaps") == [
            (Kind.DEPTH, "unfillable", 3)
        ]

    def test_a_broken_book_leaves_a_gap_until_it_is_synchronised(self, desk: Desk) -> None:
        words = {"symbol": "BTCUSDT", "kind": 4, "from_id": 11, "to_id": 14, "cause": "4 ids of depth did not arrive"}
        desk.commit([a_depth(10)])
        desk.commit([an_event("sequence_break", at_ns=NOW_NS + SECOND, **words)])
        desk.commit([synchronised(5), a_depth(90, at_ns=NOW_NS + 5 * SECOND)])

        rows = desk.rows(
            "SELECT from_id, cause, extract(epoch FROM to_time - from_time)::int FROM gaps ORDER BY gap_id"
        )
        assert rows == [(11, "4 ids of depth did not arrive", 1), (None, "4 ids of depth did not arrive", 5)]

    def test_the_first_book_ever_ends_no_silence(self, desk: Desk) -> None:
        desk.commit([synchronised(0), a_depth(10)])

        assert desk.rows(LEDGER) == []


def synchronised(second: int) -> Event:
    return an_event("synchronised", symbol="BTCUSDT", kind=4, at_ns=NOW_NS + second * SECOND)


def batches(ids: list[int], chance: random.Random) -> Iterator[list[Tick]]:
    while ids:
        size = chance.randint(1, 7)
        yield [a_trade(one) for one in ids[:size]]
        del ids[:size]


@pytest.mark.parametrize("seed", range(5))
def test_stored_and_ledgered_ids_are_disjoint_and_together_everything(desk: Desk, seed: int) -> None:
    chance = random.Random(seed)
    sent = list(range(1001, 1200))
    kept = [one for one in sent if chance.random() < 0.8]
    order = sorted(kept, key=lambda one: one + chance.uniform(0, 12))
    again = [1000, *(one for tick_id in order for one in [tick_id] * chance.choice((1, 1, 1, 2)))]
    for ticks in batches(again, chance):
        desk.commit(ticks)

    stored = desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades")
    missing = [one for (one,) in desk.rows(
        "SELECT generate_series(lower(r), upper(r) - 1) FROM gaps, unnest(missing) AS r ORDER BY 1"
    )]  # fmt: skip
    assert stored == [1000, *kept]
    assert sorted(stored + missing) == list(range(1000, max(kept) + 1))
    assert desk.one("SELECT count(*) FROM gaps WHERE (state = 'filled') <> isempty(missing)") == 0


def test_the_ledgers_figures_are_by_feed_and_kind(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(15), an_agg_trade(1), an_agg_trade(3)])

    found = desk.store.gap_figures(["store/simulator/00"])
    assert {key: (one.open, one.missing_ids) for key, one in found.items()} == {
        ("simulator", Kind.TRADE): (1, 4),
        ("simulator", Kind.AGG_TRADE): (1, 1),
    }
    assert desk.store.gap_figures(["store/simulator/01"]) == {}


def figures(desk: Desk) -> Ledger:
    (one,) = desk.store.gap_figures(["store/simulator/00"]).values()
    return one


def test_the_ledger_knows_since_when_a_gap_is_open_unless_it_is_an_old_one(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(15)])
    desk.commit([a_trade(20)])
    desk.execute("UPDATE gaps SET opened_at = now() - interval '2 hours' WHERE from_id = 11")
    oldest_s = desk.one("SELECT extract(epoch FROM min(opened_at))::float8 FROM gaps")
    assert figures(desk).oldest_s == pytest.approx(oldest_s)

    desk.execute("UPDATE gaps SET opened_at = opened_at - interval '2 days'")
    assert (figures(desk).open, figures(desk).oldest_s) == (2, 0)


def test_what_cannot_be_filled_is_counted_apart_with_its_time(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(15)])
    assert (figures(desk).unfillable, figures(desk).unfillable_s) == (0, 0)

    desk.execute("UPDATE gaps SET state = 'unfillable', updated_at = '2030-01-01T00:00:00Z'")
    ledger = figures(desk)
    assert (ledger.open, ledger.missing_ids, ledger.oldest_s) == (0, 0, 0)
    assert (ledger.unfillable, ledger.unfillable_s) == (1, 1_893_456_000)


def test_a_gap_with_the_exchanges_candles_beside_it_wakes_nobody(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(15)])
    desk.execute("UPDATE gaps SET state = 'unfillable', quality = 'bars'")

    assert (figures(desk).unfillable, figures(desk).unfillable_s) == (1, 0)


def test_a_filled_gap_is_in_no_figure(desk: Desk) -> None:
    desk.commit([a_trade(10), a_trade(12)])
    desk.commit([a_trade(11)])

    assert desk.store.gap_figures(["store/simulator/00"]) == {}


def test_the_server_says_since_when_it_runs(desk: Desk) -> None:
    assert desk.store.server_started_s() == desk.one("SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
