import json

import pytest

from services.simulator.faults import Board, fault_of
from services.simulator.tampering import Sending, Tampering, nonsense
from tests.unit.services.simulator.making import SYMBOLS


class Wire:
    """Sends numbered trades through the faults of a board."""

    def __init__(self, **fault: object) -> None:
        self.board = Board()
        self.tampering = Tampering(self.board)
        self.now_ms = 0
        self.next_id = 1
        if fault:
            self.board.add(fault_of(fault, SYMBOLS), self.now_ms)

    def send(self, count: int, symbol: str = "BTCUSDT", kind: str = "trade") -> list[str]:
        texts = [f'{{"t":{n}}}' for n in range(self.next_id, self.next_id + count)]
        sending = Sending(f"{symbol}@{kind}", symbol, kind, texts, self.next_id)
        self.next_id += count
        pieces = self.tampering.apply(sending, self.now_ms)
        return texts if pieces is None else [piece.text for piece in pieces]

    def ids(self, count: int, symbol: str = "BTCUSDT", kind: str = "trade") -> list[int]:
        return [json.loads(text)["t"] for text in self.send(count, symbol, kind)]


def test_without_faults_nothing_is_touched() -> None:
    wire = Wire()

    assert wire.tampering.apply(Sending("a", "BTCUSDT", "trade", ["{}"], 1), 0) is None


def test_a_gap_withholds_the_next_messages() -> None:
    wire = Wire(fault="gap", count=3)

    assert wire.ids(2) + wire.ids(4) == [4, 5, 6]


def test_a_gap_of_one_symbol_leaves_others_alone() -> None:
    wire = Wire(fault="gap", count=3, symbol="BTCUSDT")

    assert wire.ids(2, symbol="AAPL.US") == [1, 2]
    assert wire.ids(4) == [6]


def test_a_gap_of_one_kind_leaves_others_alone() -> None:
    wire = Wire(fault="gap", count=1, kind="depth")

    assert wire.ids(1, kind="trade") + wire.ids(1, kind="depth") + wire.ids(1, kind="depth") == [1, 3]


def test_a_duplicate_comes_twice() -> None:
    assert Wire(fault="duplicate", count=2).ids(3) == [1, 1, 2, 2, 3]


def test_reordering_reverses_across_batches() -> None:
    wire = Wire(fault="reorder", count=4)

    assert wire.ids(1) == []
    assert wire.ids(2) == []
    assert wire.ids(3) == [4, 3, 2, 1, 5, 6]
    assert wire.ids(1) == [7]


def test_reordering_keeps_to_one_stream() -> None:
    wire = Wire(fault="reorder", count=2)

    assert wire.ids(1) == []
    assert wire.ids(2, symbol="AAPL.US") == [2, 3]
    assert wire.ids(1) == [4, 1]


def test_what_reordering_holds_is_let_go_when_it_is_ended() -> None:
    wire = Wire(fault="reorder", count=10)
    wire.ids(2)
    wire.board.clear()

    assert wire.ids(1) == [1, 2, 3]
    assert wire.ids(1) == [4]


def test_what_reordering_holds_is_let_go_when_its_time_is_over() -> None:
    wire = Wire(fault="reorder", count=10, seconds=1)
    wire.ids(2)
    wire.now_ms = 1000

    assert wire.ids(1) == [1, 2, 3]


def test_an_overlap_sends_a_range_again() -> None:
    wire = Wire(fault="overlap", count=3)

    assert wire.ids(2) + wire.ids(2) == [1, 2, 3, 1, 2, 3, 4]


def test_garbage_is_no_json_and_withholds_nothing() -> None:
    noise, *rest = Wire(fault="garbage").send(2)

    assert rest == ['{"t":1}', '{"t":2}']
    with pytest.raises(ValueError, match=r"Expecting|Extra"):
        json.loads(noise)


def test_a_truncated_message_is_half_a_message() -> None:
    wire = Wire(fault="truncated")
    pieces = wire.tampering.apply(Sending("a", "BTCUSDT", "trade", ['{"t":1234}', '{"t":1235}'], 1234), 0)

    assert pieces is not None
    assert (pieces[0].text, pieces[0].tail, pieces[0].trade_id) == ('{"t":', False, None)
    assert (pieces[1].text, pieces[1].trade_id) == ('{"t":1235}', 1235)


def test_wrong_types_keep_the_fields() -> None:
    text = nonsense('{"t":12,"p":"1.0","m":true,"b":[["1","2"]],"k":{"x":false}}')

    assert json.loads(text) == {
        "t": "NaN",
        "p": {"was": "1.0"},
        "m": "NaN",
        "b": {"was": [["1", "2"]]},
        "k": [{"x": False}],
    }


def test_a_mute_symbol_says_nothing_until_its_time_is_over() -> None:
    wire = Wire(fault="mute_symbol", symbol="BTCUSDT", seconds=1)

    assert wire.ids(2) == []
    assert wire.ids(1, symbol="AAPL.US") == [3]
    wire.now_ms = 1000
    assert wire.ids(1) == [4]


def test_a_symbol_may_be_mute_in_one_kind() -> None:
    wire = Wire(fault="mute_symbol", symbol="BTCUSDT", kinds=["depth"])

    assert wire.ids(1) + wire.ids(1, kind="depth") == [1]


def test_faults_work_together() -> None:
    wire = Wire(fault="gap", count=1)
    wire.board.add(fault_of({"fault": "duplicate", "count": 1}, SYMBOLS), 0)

    assert wire.ids(3) == [2, 2, 3]
