"""Silence is judged against what is usual, and only while it means something."""

from hypothesis import given
from hypothesis import strategies as st

from services.collector.liveness import NS, Channel, Symbols, Usual


def a_channel(heartbeat_s: float | None = None) -> Channel:
    return Channel(heartbeat_s=heartbeat_s, silence_s=30, opened_ns=0)


class Market:
    """Symbols looked at once a second, as the session does."""

    def __init__(self, *symbols: str) -> None:
        self.symbols = Symbols(symbols, floor_s=60, factor=5)
        self.symbols.restart(0)
        self.marks = dict.fromkeys(symbols, 0)
        self.closed: set[str] = set()
        self.now_s = 0

    def run(self, seconds: int, *, every: dict[str, int]) -> list[tuple[str, str]]:
        said = []
        for _ in range(seconds):
            self.now_s += 1
            for symbol, period_s in every.items():
                if self.now_s % period_s == 0:
                    self.marks[symbol] += 1
            fell, spoke = self.symbols.look(self.now_s * NS, self.marks.__getitem__, self._is_open)
            said += [("fell", symbol) for symbol in fell] + [("spoke", symbol) for symbol in spoke]
        return said

    def _is_open(self, symbol: str) -> bool:
        return symbol not in self.closed


def test_a_channel_is_mute_after_the_limit_without_a_message() -> None:
    channel = a_channel()

    assert channel.mute_s(30 * NS, 0, excused=False) is None
    assert channel.mute_s(31 * NS, 0, excused=False) == 31


def test_every_message_starts_the_wait_anew() -> None:
    channel = a_channel()

    assert channel.mute_s(29 * NS, 1, excused=False) is None
    assert channel.mute_s(59 * NS, 1, excused=False) is None
    assert channel.mute_s(60 * NS, 1, excused=False) == 31


def test_an_excused_silence_does_not_count_towards_a_later_one() -> None:
    channel = a_channel()

    assert channel.mute_s(100 * NS, 0, excused=True) is None
    assert channel.mute_s(130 * NS, 0, excused=False) is None
    assert channel.mute_s(131 * NS, 0, excused=False) == 31


def test_a_promised_heartbeat_may_be_missed_twice() -> None:
    channel = a_channel(heartbeat_s=1)

    assert channel.promised
    assert channel.mute_s(3 * NS, 0, excused=False) is None
    assert channel.mute_s(4 * NS, 0, excused=False) == 4


def test_a_symbol_that_ticks_each_second_is_silent_after_the_floor() -> None:
    market = Market("A")

    assert market.run(100, every={"A": 1}) == []
    assert market.run(60, every={}) == []
    assert market.run(1, every={}) == [("fell", "A")]
    assert market.symbols.silent["A"] == 61


def test_a_symbol_that_ticks_each_two_minutes_is_not_silent_after_five() -> None:
    market = Market("A")

    assert market.run(1200, every={"A": 120}) == []
    assert market.run(300, every={}) == []
    assert ("fell", "A") in market.run(1800, every={})


def test_a_silent_symbol_says_so_once_and_speaks_again_once() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})

    assert market.run(500, every={}) == [("fell", "A")]
    assert market.run(10, every={"A": 1}) == [("spoke", "A")]
    assert not market.symbols.silent


def test_a_symbol_that_never_ticked_is_never_silent() -> None:
    assert Market("THIN").run(100_000, every={}) == []


def test_one_mute_symbol_among_others_is_the_only_silent_one() -> None:
    market = Market("A", "B")
    market.run(100, every={"A": 1, "B": 1})

    assert market.run(120, every={"A": 1}) == [("fell", "B")]


def test_nothing_is_silent_while_its_market_is_closed_and_waiting_begins_at_the_opening() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})
    market.closed.add("A")
    assert market.run(10_000, every={}) == []
    market.closed.clear()

    assert market.run(60, every={}) == []
    assert market.run(1, every={}) == [("fell", "A")]


def test_a_silent_symbol_is_released_when_its_market_closes() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})
    market.run(100, every={})
    market.closed.add("A")

    assert market.run(1, every={}) == [("spoke", "A")]


def test_a_night_teaches_nothing_about_the_day() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})
    limit_s = market.symbols.limit_s("A")
    market.closed.add("A")
    market.run(50_000, every={})
    market.closed.clear()
    market.run(10, every={"A": 1})

    assert market.symbols.limit_s("A") == limit_s


def test_a_reconnection_teaches_nothing_either_and_keeps_the_silent_silent() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})
    market.run(100, every={})
    market.symbols.restart(market.now_s * NS)

    assert market.run(50, every={}) == []
    assert "A" in market.symbols.silent
    assert market.run(2, every={"A": 1}) == [("spoke", "A")]
    assert market.symbols.limit_s("A") == 60


def test_one_tick_alone_is_no_speech() -> None:
    market = Market("A")
    market.run(100, every={"A": 1})
    market.run(100, every={})
    market.symbols.restart(market.now_s * NS)

    assert market.run(1, every={"A": 1}) == []
    assert market.run(50, every={}) == []
    assert "A" in market.symbols.silent


@given(st.lists(st.floats(min_value=0.01, max_value=1e5), min_size=1, max_size=100))
def test_what_is_usual_never_exceeds_what_was_seen_by_much(gaps_s: list[float]) -> None:
    usual = Usual()
    assert usual.gap_s is None
    for gap_s in gaps_s:
        usual.learn(gap_s)

    assert usual.gap_s is not None
    assert 0 < usual.gap_s <= 5 * max(gaps_s) + 1e-6
