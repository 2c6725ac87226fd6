import asyncio
import json
from collections.abc import Sequence

from services.simulator.hub import Hub, Listener
from services.simulator.recording import Answered, Recorded
from services.simulator.replay import EVERYTHING, QUIET_S, Answers, Replay, ReplaySocket, wants
from services.simulator.tampering import Tampering
from tests.unit.services.simulator.making import Board, FakeLine

WRAPPED = [Recorded(float(n), f'{{"stream":"{"ab"[n % 2]}","data":{n}}}') for n in range(6)]
PLAIN = [Recorded(float(n), f'{{"type":"match","n":{n}}}') for n in range(4)]


class Stage:
    """A replay on a clock of its own."""

    def __init__(self, frames: Sequence[Recorded], speed: float | None = None) -> None:
        self.now_s = 0.0
        self.hub = Hub(Tampering(Board()))
        self.replay = Replay(frames, total=len(frames), speed=speed, hub=self.hub, monotonic_s=self._passing)
        self.socket = ReplaySocket(self.hub, self.replay)

    def _passing(self) -> float:
        self.now_s += 0.001
        return self.now_s

    def guest(self, target: str = "/", *said: object) -> tuple[Listener, FakeLine]:
        line = FakeLine()
        listener = self.hub.join(line, language="replay", now_ms=0)
        self.socket.opened(listener, target)
        for message in said:
            self.socket.received(listener, json.dumps(message))
        return listener, line

    def play(self) -> None:
        asyncio.run(asyncio.wait_for(self.replay.run(), 20))


def test_nothing_is_played_before_somebody_subscribed() -> None:
    stage = Stage(PLAIN)
    stage.guest()

    async def a_while() -> None:
        task = asyncio.create_task(stage.replay.run())
        await asyncio.sleep(0.05)
        task.cancel()

    asyncio.run(a_while())
    assert stage.replay.state() == {"sent": 0, "skipped": 0, "total": 4, "done": False}


def test_a_coinbase_client_hears_everything_after_its_subscription() -> None:
    stage = Stage(PLAIN)
    _, line = stage.guest("/", {"type": "subscribe", "product_ids": ["X"], "channels": ["matches"]})
    stage.play()

    assert line.texts() == [one.raw for one in PLAIN]
    assert stage.replay.state() == {"sent": 4, "skipped": 0, "total": 4, "done": True}


def test_a_binance_client_hears_the_streams_of_its_address() -> None:
    stage = Stage(WRAPPED)
    _, line = stage.guest("/stream?streams=a")
    stage.play()

    assert line.texts() == [WRAPPED[n].raw for n in (0, 2, 4)]
    assert stage.replay.state() == {"sent": 3, "skipped": 3, "total": 6, "done": True}


def test_a_binance_client_may_subscribe_in_several_messages() -> None:
    stage = Stage(WRAPPED)
    messages = [{"method": "SUBSCRIBE", "params": [name], "id": n} for n, name in enumerate("ab")]
    _, line = stage.guest("/stream", *messages)
    stage.play()

    assert line.texts() == ['{"result": null, "id": 0}', '{"result": null, "id": 1}', *(one.raw for one in WRAPPED)]


def test_a_tickdb_client_may_subscribe_by_its_address() -> None:
    stage = Stage(PLAIN)
    listener, _ = stage.guest("/v1/market/ws?api_key=k&channel=depth&symbol=AAPL.US")

    assert list(listener.topics) == [EVERYTHING]


def test_pings_are_answered_in_their_own_words() -> None:
    _, line = Stage(PLAIN).guest("/", {"cmd": "ping"}, {"type": "ping"})

    assert line.texts() == ['{"cmd": "pong"}', '{"type": "pong"}']


def test_nonsense_is_passed_over() -> None:
    stage = Stage(PLAIN)
    listener, line = stage.guest("/", [], 7, {"type": ["subscribe"]}, {"method": "DANCE"})
    stage.socket.received(listener, "not json")

    assert [json.loads(text)["code"] for text in line.texts()] == [2]


def test_a_slow_listener_is_waited_for() -> None:
    stage = Stage(PLAIN * 30)
    _, line = stage.guest("/", {"type": "subscribe"})
    line.full = True
    line.sent.append(b"\x81\x00" * 600_000)

    async def a_while() -> None:
        task = asyncio.create_task(stage.replay.run())
        await asyncio.sleep(0.05)
        assert stage.replay.sent == 0
        line.sent.clear()
        line.full = False
        await asyncio.wait_for(task, 20)

    asyncio.run(a_while())
    assert len(line.texts()) == 120


def test_the_recorded_pace_is_kept() -> None:
    stage = Stage(PLAIN, speed=2.0)
    stage.guest("/", {"type": "subscribe"})
    stage.play()

    assert stage.now_s >= QUIET_S + 1.5


def test_a_frame_that_names_no_stream_is_for_every_subscriber() -> None:
    listener = Listener(1, FakeLine(), 0, "replay")

    assert not wants(listener, "")
    listener.topics["a"] = None
    assert wants(listener, "")
    assert not wants(listener, "b")


def test_answers_are_found_by_path_and_query_whatever_the_limit() -> None:
    answers = Answers([Answered(1.0, "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000", {"a": 1})])

    assert answers.answer("http://localhost:1/api/v3/depth?limit=5000&symbol=btcusdt") == '{"a":1}'
    assert answers.answer("http://localhost:1/api/v3/depth?symbol=ETHUSDT") is None
    assert answers.answer("http://localhost:1/api/v3/trades?symbol=BTCUSDT") is None


def test_several_answers_come_in_turn_and_the_last_one_stays() -> None:
    answers = Answers([Answered(float(n), "https://x/y?a=1", n) for n in range(2)])

    assert [answers.answer("http://z/y?a=1") for _ in range(3)] == ["0", "1", "1"]
