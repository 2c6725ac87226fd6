"""What cannot be stored is kept aside with the reason, and holds nothing else up."""

import secrets

import pytest

from nightdesk import frames
from nightdesk.store import unit
from nightdesk.ticks import Trade
from tests.integration.store.conftest import NOW_NS, SECOND, Desk, a_quote, a_trade, an_event

pytestmark = pytest.mark.integration

DAY = 86_400 * SECOND
KEPT = "SELECT feed, shard, reason, error FROM quarantine ORDER BY quarantine_id"


def test_a_frame_that_cannot_be_read_is_kept_with_its_error_and_the_next_is_stored(desk: Desk) -> None:
    desk.commit([a_trade(1)], b"not a frame", [a_trade(2)])

    ((feed, shard, reason, error),) = desk.rows(KEPT)
    assert (feed, shard, reason) == ("simulator", 0, "malformed_frame")
    assert "frame" in error
    assert bytes(desk.one("SELECT payload FROM quarantine")) == b"not a frame"
    assert desk.one("SELECT count(*) FROM trades") == 2
    assert desk.done[-1].quarantined == {("simulator", "malformed_frame"): 1}


def test_an_entry_without_a_frame_is_no_frame(desk: Desk) -> None:
    desk.commit(b"")

    assert desk.one("SELECT reason FROM quarantine") == "malformed_frame"


def test_a_name_that_postgresql_cannot_hold_is_no_symbol(desk: Desk) -> None:
    desk.commit([a_trade(1, symbol="BTC\0USDT")])

    assert desk.rows(KEPT) == [("simulator", 0, "malformed_frame", "a name holds a NUL character")]


@pytest.mark.parametrize(
    ("exchange_ns", "reason"),
    [
        (NOW_NS - 40 * DAY, "outside_retention"),
        (-1, "outside_retention"),
        (NOW_NS + 2 * DAY, "future_time"),
        (2**63 - 1, "future_time"),
    ],
)
def test_a_tick_of_no_stored_day_is_kept_aside_and_its_id_stays_missing(
    desk: Desk, exchange_ns: int, reason: str
) -> None:
    desk.commit([a_trade(1), a_trade(2, exchange_ns=exchange_ns), a_trade(3)])

    assert [row[2] for row in desk.rows(KEPT)] == [reason]
    assert desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades") == [1, 3]
    assert desk.one("SELECT missing::text FROM gaps") == "{[2,3)}"


def test_an_absurd_id_does_not_become_the_mark(desk: Desk) -> None:
    desk.commit([a_trade(1), a_trade(2**63 - 1), a_trade(2)])

    assert [row[2] for row in desk.rows(KEPT)] == ["id_out_of_range"]
    assert desk.one("SELECT mark FROM marks") == 2


def test_a_frame_of_nothing_but_refused_ticks_moves_the_position(desk: Desk) -> None:
    before = desk.one("SELECT entry_id FROM positions WHERE consumer LIKE '%00'")
    desk.commit([a_trade(1, exchange_ns=NOW_NS + 2 * DAY)])

    assert desk.one("SELECT entry_id FROM positions WHERE consumer LIKE '%00'") != before


def test_the_table_keeps_the_newest_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "MOST_QUARANTINED", 5)
    for number in range(4):
        desk.commit(*[b"frame %d.%d" % (number, place) for place in range(3)])

    assert desk.one("SELECT count(*) FROM quarantine") == 5
    assert bytes(desk.one("SELECT payload FROM quarantine ORDER BY quarantine_id DESC LIMIT 1")) == b"frame 3.2"


def test_a_large_payload_is_cut(desk: Desk) -> None:
    desk.commit(b"x" * 1_000_000)

    assert desk.one("SELECT length(payload) FROM quarantine") == unit.LARGEST_PAYLOAD_BYTES


def test_any_price_a_frame_can_carry_can_be_stored(desk: Desk) -> None:
    odd = [float("inf"), float("-inf"), float("nan"), 5e-324, -0.0]
    desk.commit([a_trade(number, price=price, size=price) for number, price in enumerate(odd)])

    assert desk.one("SELECT count(*) FROM trades") == len(odd)


def test_extreme_times_and_sides_are_no_trouble(desk: Desk) -> None:
    ticks = [
        Trade("BTCUSDT", 1, 1.0, 1.0, -128, NOW_NS, -(2**63)),
        Trade("BTCUSDT", 2, 1.0, 1.0, 127, NOW_NS, 2**63 - 1),
    ]
    desk.commit(frames.encode(ticks))

    assert desk.one("SELECT count(*) FROM trades") == 2


def test_a_frame_on_which_the_program_failed_is_kept_whole(desk: Desk) -> None:
    good = desk.delivery(b"x" * (unit.LARGEST_PAYLOAD_BYTES + 1))
    desk.store.set_aside(good, "why")

    assert desk.one("SELECT length(payload) FROM quarantine") == unit.LARGEST_PAYLOAD_BYTES + 1


def test_sizes_whose_sum_no_double_holds_are_refused_and_the_rest_is_stored(desk: Desk) -> None:
    desk.commit([a_trade(1, size=1.7e308), a_trade(2)])
    desk.commit([a_trade(3, size=1.7e308), a_trade(4)])

    assert desk.one("SELECT array_agg(trade_id ORDER BY trade_id) FROM trades") == [2, 4]
    assert desk.one("SELECT array_agg(DISTINCT reason) FROM quarantine") == ["value_out_of_range"]


def test_a_break_up_to_the_highest_number_there_is_has_no_ids(desk: Desk) -> None:
    desk.commit([a_quote(5), an_event("sequence_break", kind=3, symbol="BTCUSDT", from_id=3, to_id=2**63 - 1)])

    assert desk.one("SELECT count(*) FROM quotes") == 1
    assert desk.one("SELECT count(*) FROM gaps WHERE missing IS NOT NULL") == 0


def test_a_symbol_longer_than_an_index_takes_is_a_malformed_frame(desk: Desk) -> None:
    desk.commit([a_trade(1, symbol=secrets.token_hex(6000))], [a_trade(1)])

    assert desk.one("SELECT reason FROM quarantine") == "malformed_frame"
    assert desk.one("SELECT count(*) FROM trades") == 1
