"""The session keeps a feed connected whatever the exchange does; in virtual time, so waiting times are exact."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from prometheus_client import CollectorRegistry

from nightdesk.errors import ConfigurationError, RateLimitedError, UnavailableError
from nightdesk.ticks import Event, EventName, Quote, Trade
from services.collector.codec import Fetch, Keepalive
from services.collector.link import Cause
from services.collector.publisher import Pressure
from services.collector.session import Policy, Session
from services.collector.tally import SessionMetrics, Tally
from tests.unit.services.collector.fakes import FakeExchange, FakeSink, WordCodec
from tests.virtual_time import EPOCH_NS, clock, run

SYMBOLS = ("A", "B")


@dataclass
class Desk:
    """A session with everything around it."""

    exchange: FakeExchange = field(default_factory=FakeExchange)
    sink: FakeSink = field(default_factory=FakeSink)
    new_codec: Callable[[], WordCodec] = WordCodec
    policy: Policy = field(default_factory=Policy)
    answers: list[bytes | Exception] = field(default_factory=list)
    asked: list[tuple[float, Fetch]] = field(default_factory=list)
    market_open: bool = True
    codecs: list[WordCodec] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = CollectorRegistry()
        self.tally = Tally("f", dict.fromkeys(SYMBOLS, "24/7"), list(Cause), SessionMetrics(self.registry))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"nightdesk_{name}", {"feed": "f", **labels})

    async def rest(self, fetch: Fetch) -> bytes:
        self.asked.append((asyncio.get_running_loop().time(), fetch))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _codec(self) -> WordCodec:
        self.codecs.append(self.new_codec())
        return self.codecs[-1]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Session]:
        session = Session(
            feed="f",
            symbols=SYMBOLS,
            new_codec=self._codec,
            connect=self.exchange.connect,
            rest=self.rest,
            sink=self.sink,
            tally=self.tally,
            policy=self.policy,
            clock=clock(),
            random=lambda: 1.0,
            is_open=lambda _symbol, _now_ns: self.market_open,
        )
        task = asyncio.create_task(session.run())
        try:
            yield session
        finally:
            task.cancel()
            results = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, "the session left tasks behind"


async def keep_saying(socket: object, *messages: str, every_s: float = 1.0) -> None:
    while True:
        socket.say(*messages)  # type: ignore[attr-defined]
        await asyncio.sleep(every_s)


# -- connecting ------------------------------------------------------------------------------------------------


def test_the_first_event_says_that_the_collector_started_and_comes_before_the_first_tick() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.exchange.greeting = ["t A 1"]
        async with desk.open():
            await desk.exchange.opened(1)
            first, second = desk.sink.taken
            assert isinstance(first, Event)
            assert (first.name, first.cause, first.since_ns, first.symbol) == (
                EventName.CONNECTED,
                "collector started",
                0,
                "",
            )
            assert isinstance(second, Trade)

    run(scenario())


def test_the_opening_is_sent_at_a_pace_every_exchange_allows() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(openings=("one", "two", "three")))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            await asyncio.sleep(1)
            assert [text for _, text in socket.sent] == ["one", "two", "three"]
            assert [moment for moment, _ in socket.sent] == pytest.approx([0, 0.25, 0.5])

    run(scenario())


def test_after_a_disconnection_both_events_name_its_cause_and_since_when_nothing_was_heard() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            await asyncio.sleep(5)
            socket.say("t A 1")
            heard_ns = clock().wall_ns()
            await asyncio.sleep(3)
            socket.hang_up(1001, "maintenance")
            await desk.exchange.opened(2)
            _, ended, again = desk.sink.events
            assert ended.name == EventName.DISCONNECTED
            assert ended.cause == "closed by the exchange with code 1001: maintenance"
            assert again.name == EventName.CONNECTED
            assert again.cause == ended.cause
            assert ended.since_ns == again.since_ns == heard_ns > EPOCH_NS
            assert desk.value("feed_disconnects_total", cause="closed") == 1

    run(scenario())


def test_a_stop_is_said_before_the_end_and_the_socket_is_closed() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
        assert desk.sink.said(EventName.DISCONNECTED) == ["collector stopped"]
        assert socket.closed
        socket.say("t A 1")
        assert desk.sink.ids() == []

    run(scenario())


def test_refusals_double_the_wait_up_to_the_longest() -> None:
    async def scenario() -> None:
        desk = Desk(FakeExchange(*[UnavailableError("no")] * 8))
        async with desk.open():
            await desk.exchange.opened(1)
            moments = desk.exchange.attempts
            waits = [round(later - before) for before, later in pairwise(moments)]
            assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
            assert desk.value("feed_disconnects_total", cause="refused") == 8

    run(scenario())


def test_an_exchange_that_accepts_and_closes_is_not_asked_faster_and_faster() -> None:
    async def scenario() -> None:
        desk = Desk()
        desk.exchange.greeting = ["hello"]
        desk.exchange.on_open = lambda socket: socket.hang_up(1000)
        async with desk.open():
            await asyncio.sleep(100)
            moments = desk.exchange.attempts
            assert [round(later - before) for before, later in pairwise(moments)] == [
                1,
                2,
                4,
                8,
                16,
                32,
            ]

    run(scenario())


def test_valid_ticks_make_the_next_wait_short_again() -> None:
    async def scenario() -> None:
        desk = Desk(FakeExchange(*[UnavailableError("no")] * 5))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("t A 1")
            socket.hang_up()
            ended_s = asyncio.get_running_loop().time()
            await desk.exchange.opened(2)
            assert desk.exchange.attempts[-1] - ended_s == pytest.approx(1.0)

    run(scenario())


def test_a_handshake_that_asks_to_wait_is_obeyed() -> None:
    async def scenario() -> None:
        desk = Desk(FakeExchange(RateLimitedError("HTTP 429", 42)))
        async with desk.open():
            await desk.exchange.opened(1)
            assert 42 <= desk.exchange.attempts[1] <= 44
            assert desk.value("feed_disconnects_total", cause="rate_limited") == 1

    run(scenario())


def test_what_only_a_human_can_mend_waits_longest() -> None:
    async def scenario() -> None:
        desk = Desk(FakeExchange(ConfigurationError("no WebSocket address")))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            assert desk.exchange.attempts[1] == pytest.approx(60)
            socket.say("fatal 0 symbol limit exceeded")
            ended_s = asyncio.get_running_loop().time()
            await desk.exchange.opened(2)
            assert desk.exchange.attempts[2] - ended_s == pytest.approx(60)
            assert desk.sink.said(EventName.DISCONNECTED) == ["symbol limit exceeded"]

    run(scenario())


def test_a_refusal_that_names_a_time_waits_that_long() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("fatal 7 rate limit")
            ended_s = asyncio.get_running_loop().time()
            await desk.exchange.opened(2)
            assert 7 <= desk.exchange.attempts[1] - ended_s <= 8.1

    run(scenario())


@pytest.mark.parametrize(("word", "cause"), [("fatal", "fatal"), ("limited", "rate_limited")])
def test_a_refusal_is_counted_by_whether_we_asked_too_often(word: str, cause: str) -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say(f"{word} 7 no")
            await desk.exchange.opened(2)
            assert desk.value("feed_disconnects_total", cause=cause) == 1

    run(scenario())


def test_before_anything_was_heard_the_cause_stays_that_the_collector_started() -> None:
    async def scenario() -> None:
        desk = Desk(FakeExchange(UnavailableError("no")))
        async with desk.open():
            await desk.exchange.opened(1)
            assert desk.sink.said(EventName.CONNECTED) == ["collector started"]

    run(scenario())


# -- messages --------------------------------------------------------------------------------------------------


def test_no_message_ends_the_session_and_each_is_counted_by_reason() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("t A 1", "bad", "boom", "bad", "t A 2")
            await asyncio.sleep(2)
            assert desk.sink.ids() == [1, 2]
            assert desk.value("feed_rejected_total", reason="not_json") == 2
            assert desk.value("feed_rejected_total", reason="codec_failure") == 1
            assert desk.value("feed_messages_total") == 5
            assert len(desk.exchange.sockets) == 1

    run(scenario())


def test_a_pump_that_breaks_is_a_disconnection_like_any_other() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.break_down(RuntimeError("surprise"))
            await desk.exchange.opened(2)
            assert desk.value("feed_disconnects_total", cause="failure") == 1

    run(scenario())


def test_the_codec_may_answer_and_the_keepalive_is_sent() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(keepalive=Keepalive(10, "ping")))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("send pong")
            await asyncio.sleep(21)
            assert [text for _, text in socket.sent] == ["subscribe", "pong", "ping", "ping"]

    run(scenario())


def test_a_fetch_is_tried_until_the_codec_can_read_the_answer() -> None:
    async def scenario() -> None:
        desk = Desk(answers=[UnavailableError("no"), RateLimitedError("wait", 20), b"bad", b"boom", b"t A 9"])
        async with desk.open():
            socket = await desk.exchange.opened(1)
            asyncio_task = asyncio.create_task(keep_saying(socket, "hello"))
            socket.say("fetch snapshot/A")
            await asyncio.sleep(60)
            asyncio_task.cancel()
            moments = [moment for moment, _ in desk.asked]
            assert [round(later - before) for before, later in pairwise(moments)] == [1, 20, 4, 8]
            assert desk.sink.ids() == [9]
            assert desk.value("feed_rejected_total", reason="not_json") == 1
            assert desk.value("feed_rejected_total", reason="codec_failure") == 1

    run(scenario())


def test_a_fetch_that_fails_in_an_unforeseen_way_is_tried_again() -> None:
    async def scenario() -> None:
        desk = Desk(answers=[ZeroDivisionError(), b"t A 1"])
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("fetch book")
            await asyncio.sleep(5)
            assert desk.sink.ids() == [1]

    run(scenario())


def test_a_second_fetch_of_the_same_key_replaces_the_first() -> None:
    async def scenario() -> None:
        desk = Desk(answers=[UnavailableError("no"), b"t A 1"])
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("fetch k")
            await asyncio.sleep(0.5)
            socket.say("fetch k")
            await asyncio.sleep(10)
            assert len(desk.asked) == 2
            assert desk.sink.ids() == [1]

    run(scenario())


def test_a_fetch_ends_with_its_connection() -> None:
    async def scenario() -> None:
        desk = Desk(answers=[UnavailableError("no")])
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("fetch k")
            await asyncio.sleep(0.5)
            socket.hang_up()
            await asyncio.sleep(20)
            assert len(desk.asked) == 1

    run(scenario())


# -- liveness --------------------------------------------------------------------------------------------------


def test_connected_but_mute_is_a_disconnection() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            await desk.exchange.opened(1)
            await desk.exchange.opened(2)
            assert 30 < desk.exchange.attempts[1] < 34
            [cause] = desk.sink.said(EventName.DISCONNECTED)
            assert cause.startswith("connected but mute for 3")
            assert desk.value("feed_disconnects_total", cause="mute") == 1

    run(scenario())


def test_garbage_is_no_sign_of_life() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            noise = asyncio.create_task(keep_saying(socket, "bad"))
            await desk.exchange.opened(2)
            noise.cancel()
            assert desk.value("feed_disconnects_total", cause="mute") == 1

    run(scenario())


def test_a_heartbeat_keeps_a_quiet_market_connected_and_its_absence_is_noticed_soon() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(heartbeat_s=1))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            beats = asyncio.create_task(keep_saying(socket, "alive"))
            await asyncio.sleep(300)
            assert len(desk.exchange.attempts) == 1
            beats.cancel()
            await desk.exchange.opened(2)
            assert 300 < desk.exchange.attempts[1] < 307

    run(scenario())


def test_silence_of_a_closed_market_is_no_reason_to_reconnect() -> None:
    async def scenario() -> None:
        desk = Desk(market_open=False)
        async with desk.open():
            await desk.exchange.opened(1)
            await asyncio.sleep(1_000)
            assert len(desk.exchange.attempts) == 1
            desk.market_open = True
            await desk.exchange.opened(2)

    run(scenario())


def test_a_symbol_that_is_never_heard_is_named() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open() as session:
            socket = await desk.exchange.opened(1)
            only_a = asyncio.create_task(keep_saying(socket, "t A 1"))
            await asyncio.sleep(Policy().unheard_s - 10)
            assert session.state.unheard == ()
            await asyncio.sleep(20)
            assert session.state.unheard == ("B",)
            assert (desk.value("symbol_heard", symbol="A"), desk.value("symbol_heard", symbol="B")) == (1, 0)
            only_a.cancel()
            socket.say("alive B")
            await asyncio.sleep(2)
            assert session.state.unheard == ()
            assert desk.value("symbol_heard", symbol="B") == 1

    run(scenario())


def test_a_mute_symbol_is_shown_and_healed_by_a_rollover_that_costs_the_others_nothing() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open() as session:
            socket = await desk.exchange.opened(1)
            both = asyncio.create_task(keep_saying(socket, "t A 1", "t B 1"))
            await asyncio.sleep(30)
            both.cancel()
            only_a = asyncio.create_task(keep_saying(socket, "t A 2"))
            second = await desk.exchange.opened(2)
            assert session.state.silent == ("B",)
            assert desk.value("symbol_silent", symbol="B") == 1
            assert desk.value("symbol_silent", symbol="A") == 0
            await asyncio.sleep(3)
            only_a.cancel()
            second.say("t B 2")
            await asyncio.sleep(2)
            second.say("t B 3")
            await asyncio.sleep(2)
            assert desk.value("symbol_silent", symbol="B") == 0
            assert desk.sink.said(EventName.ROLLED_OVER) == ["silent: B"]
            assert desk.sink.said(EventName.DISCONNECTED) == []

    run(scenario())


def test_a_symbol_that_stays_mute_rolls_over_once_in_ten_minutes_only() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.say("t B 1")
            await asyncio.sleep(5)
            socket.say("t B 2")
            speaking = asyncio.create_task(_say_on_all(desk.exchange))
            await asyncio.sleep(1900)
            speaking.cancel()
            assert len(desk.sink.said(EventName.ROLLED_OVER)) in {3, 4}

    async def _say_on_all(exchange: FakeExchange) -> None:
        while True:
            for socket in exchange.sockets:
                socket.say("t A 1")
            await asyncio.sleep(1)

    run(scenario())


# -- rollover --------------------------------------------------------------------------------------------------


def test_at_a_rollover_no_id_is_missing_and_none_comes_twice() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("t A 1", "t A 2", "rollover serverShutdown")
            new = await desk.exchange.opened(2)
            new.say("t A 4", "t A 5")
            old.say("t A 3")
            await asyncio.sleep(0.6)
            old.say("t A 4")
            await asyncio.sleep(0.2)
            new.say("t A 6")
            old.say("t A 6")
            await asyncio.sleep(1)
            assert desk.sink.ids() == [1, 2, 3, 4, 5, 6]
            assert desk.sink.said(EventName.ROLLED_OVER) == ["serverShutdown"]
            assert desk.sink.said(EventName.DISCONNECTED) == []
            assert old.closed
            assert not new.closed
            assert desk.value("feed_connected") == 1

    run(scenario())


def test_an_old_connection_that_never_gets_there_is_left_after_two_seconds() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("t A 1", "rollover planned")
            new = await desk.exchange.opened(2)
            new.say("t A 9")
            await asyncio.sleep(1.9)
            assert desk.sink.ids() == [1]
            await asyncio.sleep(0.3)
            assert desk.sink.ids() == [1, 9]

    run(scenario())


def test_an_old_connection_that_dies_during_the_rollover_is_replaced_at_once() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(is_ready=False))
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("t A 1", "rollover soon")
            new = await desk.exchange.opened(2)
            new.say("t A 2", "t A 3")
            old.say("t A 2")
            old.hang_up()
            await asyncio.sleep(0.1)
            assert desk.sink.ids() == [1, 2, 3]

    run(scenario())


def test_an_old_connection_that_dies_before_the_new_one_is_ready_is_a_disconnection_that_ends_with_its_first_tick() -> (
    None
):
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(is_ready=False))
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("q A 1", "rollover soon")
            new = await desk.exchange.opened(2)
            old.hang_up()
            new.say("q A 9")
            await asyncio.sleep(0.1)
            _, _, disconnected, connected, quote = desk.sink.taken
            assert isinstance(disconnected, Event)
            assert isinstance(connected, Event)
            assert (disconnected.name, connected.name) == (EventName.DISCONNECTED, EventName.CONNECTED)
            assert disconnected.received_ns == connected.received_ns == quote.received_ns
            assert desk.sink.said(EventName.ROLLED_OVER) == []
            assert desk.value("feed_connected") == 1

    run(scenario())


def test_an_old_connection_that_dies_while_both_hear_everything_loses_nothing() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("t A 1", "rollover soon")
            await desk.exchange.opened(2)
            await asyncio.sleep(0.2)
            old.hang_up()
            await asyncio.sleep(0.1)
            assert desk.sink.said(EventName.DISCONNECTED) == []
            assert desk.sink.said(EventName.ROLLED_OVER) == ["soon"]

    run(scenario())


def test_a_new_connection_that_fails_during_the_rollover_is_tried_again_while_the_old_one_goes_on() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            desk.exchange.refusals = [UnavailableError("no")]
            old.say("rollover soon")
            second = await desk.exchange.opened(2)
            second.hang_up()
            old.say("t A 1")
            await desk.exchange.opened(3)
            old.say("t A 2")
            await asyncio.sleep(1)
            assert desk.sink.ids() == [1, 2]
            assert len(desk.sink.said(EventName.ROLLED_OVER)) == 1

    run(scenario())


def test_where_only_one_connection_is_allowed_the_old_one_is_ended_first() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("t A 1", "rollover silence")
            desk.exchange.greeting = ["fatal 0 connection limit"]
            for number in (2, 3, 4):
                assert not old.closed
                await desk.exchange.opened(number)
            desk.exchange.greeting = []
            after = await desk.exchange.opened(5)
            assert old.closed
            assert not after.closed
            assert desk.sink.said(EventName.DISCONNECTED) == ["silence; no second connection: connection limit"]
            assert desk.value("feed_disconnects_total", cause="replaced") == 1

    run(scenario())


def test_a_connection_that_ends_before_its_successor_is_open_is_an_ordinary_disconnection() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            desk.exchange.refusals = [UnavailableError("no")] * 3
            old.say("t A 1", "rollover soon")
            await asyncio.sleep(0.1)
            old.hang_up()
            await desk.exchange.opened(2)
            assert len(desk.sink.said(EventName.DISCONNECTED)) == 1
            assert desk.sink.said(EventName.ROLLED_OVER) == []

    run(scenario())


def test_a_connection_is_left_before_the_exchange_ends_it() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(lifetime_s=3600, heartbeat_s=2000))
        async with desk.open():
            await desk.exchange.opened(1)
            await asyncio.sleep(3590)
            assert len(desk.exchange.attempts) == 1
            await asyncio.sleep(20)
            assert desk.sink.said(EventName.ROLLED_OVER) == ["planned after 3600 s"]

    run(scenario())


def test_a_stop_in_the_middle_of_a_rollover_closes_both() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(is_ready=False))
        async with desk.open():
            old = await desk.exchange.opened(1)
            old.say("rollover soon")
            new = await desk.exchange.opened(2)
        assert old.closed
        assert new.closed

    run(scenario())


# -- pressure --------------------------------------------------------------------------------------------------


def test_under_pressure_quotes_are_conflated_counted_and_said_and_trades_are_not() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            desk.sink.pressure = Pressure.CONFLATE
            await asyncio.sleep(0.2)
            socket.say("q A 1", "t A 1", "q A 2", "t A 2", "q A 3")
            assert desk.sink.ids() == [1, 2]
            await asyncio.sleep(2)
            assert [tick.sequence for tick in desk.sink.taken if isinstance(tick, Quote)] == [3]
            assert desk.value("feed_conflated_total", kind="quote") == 2
            assert desk.sink.said(EventName.CONFLATED) == ["2 left out, the latest kept"]

    run(scenario())


def test_when_pressure_falls_what_was_kept_goes_on_before_what_comes() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            desk.sink.pressure = Pressure.CONFLATE
            await asyncio.sleep(0.2)
            socket.say("q A 1")
            desk.sink.pressure = Pressure.OPEN
            await asyncio.sleep(0.2)
            socket.say("q A 2")
            assert [tick.sequence for tick in desk.sink.taken if isinstance(tick, Quote)] == [1, 2]

    run(scenario())


def test_at_the_last_the_socket_is_paused_and_that_is_no_muteness() -> None:
    async def scenario() -> None:
        desk = Desk(new_codec=lambda: WordCodec(heartbeat_s=1))
        async with desk.open():
            socket = await desk.exchange.opened(1)
            desk.sink.pressure = Pressure.PAUSE
            await asyncio.sleep(0.2)
            assert socket.paused
            assert desk.value("feed_paused") == 1
            await asyncio.sleep(300)
            assert len(desk.exchange.attempts) == 1
            desk.sink.pressure = Pressure.OPEN
            await asyncio.sleep(0.2)
            assert not socket.paused
            assert desk.value("feed_paused") == 0

    run(scenario())


def test_a_paused_connection_is_not_left_before_it_is_read_to_its_end() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            old = await desk.exchange.opened(1)
            desk.sink.pressure = Pressure.PAUSE
            await asyncio.sleep(0.2)
            old.say("t A 1", "rollover soon")
            await asyncio.sleep(60)
            assert len(desk.exchange.sockets) == 1
            desk.sink.pressure = Pressure.OPEN
            await desk.exchange.opened(2)
            await asyncio.sleep(3)
            assert old.closed

    run(scenario())


def test_a_defect_in_what_watches_over_the_session_ends_it_rather_than_leaving_it_unwatched() -> None:
    async def scenario() -> None:
        desk = Desk()

        def broken(_symbol: str, _now_ns: int) -> bool:
            raise ZeroDivisionError

        session = Session(
            feed="f",
            symbols=SYMBOLS,
            new_codec=WordCodec,
            connect=desk.exchange.connect,
            rest=desk.rest,
            sink=desk.sink,
            tally=desk.tally,
            policy=desk.policy,
            clock=clock(),
            random=lambda: 1.0,
            is_open=broken,
        )
        with pytest.raises(ZeroDivisionError):
            await session.run()
        assert desk.exchange.sockets[0].closed
        assert desk.sink.said(EventName.DISCONNECTED) == ["collector stopped"]

    run(scenario())


def test_a_cause_in_the_exchanges_words_holds_nothing_that_cannot_be_stored() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open():
            socket = await desk.exchange.opened(1)
            socket.hang_up(1008, "bad\0bye")
            await desk.exchange.opened(2)
            assert desk.sink.said(EventName.DISCONNECTED) == ["closed by the exchange with code 1008: bad?bye"]

    run(scenario())


def test_no_cause_carries_a_credential() -> None:
    async def scenario() -> None:
        desk = Desk()
        async with desk.open() as session:
            socket = await desk.exchange.opened(1)
            socket.hang_up(1008, "bad url wss://x/ws?api_key=hush")
            await desk.exchange.opened(2)
            assert "hush" not in repr(desk.sink.events) + session.state.cause

    run(scenario())
