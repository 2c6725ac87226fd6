"""A scripted exchange for the session: sockets a test speaks through, a codec for its few words, and a sink."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from nightdesk.errors import CodecError, NightdeskError
from nightdesk.ticks import NO_TIME, Event, EventName, Quote, Tick, Trade
from services.collector.codec import Alive, Fatal, Fetch, Keepalive, Received, Reject, Rollover, Send, receive_each
from services.collector.publisher import Pressure
from services.collector.transport import Closed, Dial, OnMessages


@dataclass
class WordCodec:
    """Reads ``t A 5`` (a trade), ``q A 5`` (a quote), ``bad``, ``boom`` and one word for each control."""

    lifetime_s: float | None = None
    heartbeat_s: float | None = None
    keepalive: Keepalive | None = None
    openings: Sequence[str] = ("subscribe",)
    is_ready: bool = True
    answers: list[bytes] = field(default_factory=list)

    def url(self) -> str:
        return "ws://exchange/ws?api_key=hush"

    def opening(self) -> Sequence[str]:
        return self.openings

    def ready(self) -> bool:
        return self.is_ready

    def receive(self, raw: bytes, received_ns: int) -> Received:  # noqa: PLR0911  one for each word
        word, *rest = raw.decode().split(" ", 2)
        match word, rest:
            case "t", [symbol, number]:
                return (Trade(symbol, int(number), 1.0, 1.0, 1, NO_TIME, received_ns),), ()
            case "q", [symbol, number]:
                return (Quote(symbol, int(number), 1.0, 1.0, 2.0, 1.0, NO_TIME, received_ns),), ()
            case "alive", _:
                return (), (Alive(*rest),)
            case "send", [text]:
                return (), (Send(text),)
            case "fetch", [key]:
                return (), (Fetch(key, f"https://exchange/{key}?api_key=hush"),)
            case "rollover", [cause]:
                return (), (Rollover(cause),)
            case (("fatal" | "limited"), [after_s, cause]):
                return (), (Fatal(cause, float(after_s), limited=word == "limited"),)
            case "boom", _:
                raise KeyError("a defect")
            case "hello", _:
                return (), ()
        raise CodecError("not_json", word)

    def receive_all(self, raws: Sequence[bytes], received_ns: int, reject: Reject) -> Received:
        return receive_each(self.receive, raws, received_ns, reject)

    def fetched(self, key: str, body: bytes, received_ns: int) -> Received:
        self.answers.append(body)
        if body == b"boom":
            raise ZeroDivisionError
        return self.receive(body, received_ns)


class FakeSocket:
    """A connection whose other end is the test."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, str]] = []
        self.paused = False
        self.closed = False
        self._closed: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._on_messages: OnMessages | None = None
        self._early: list[bytes] = []

    def say(self, *messages: str) -> None:
        """Deliver messages to the session, in one read."""
        raws = [message.encode() for message in messages]
        if self._on_messages is None:
            self._early += raws
        else:
            self._on_messages(raws)

    def hang_up(self, code: int = 1006, reason: str = "") -> None:
        """End the connection from the exchange's side."""
        if not self._closed.done():
            self._closed.set_result(Closed(code, reason))

    def break_down(self, error: Exception) -> None:
        """Make the pump raise."""
        self._closed.set_exception(error)

    async def send(self, text: str) -> None:
        self.sent.append((asyncio.get_running_loop().time(), text))

    async def pump(self, on_messages: OnMessages) -> Closed:
        if self._early:
            on_messages(self._early)
        self._on_messages = on_messages
        return await self._closed

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    async def close(self) -> None:
        self.closed = True
        self.hang_up(1000)


class FakeExchange:
    """Accepts connections, after the refusals it was given, and keeps them for the test."""

    def __init__(self, *refusals: NightdeskError) -> None:
        self.refusals = list(refusals)
        self.attempts: list[float] = []
        self.sockets: list[FakeSocket] = []
        self.greeting: list[str] = []
        self.on_open: Callable[[FakeSocket], None] = lambda _socket: None

    async def connect(self, _url: str, _dial: Dial) -> FakeSocket:
        self.attempts.append(asyncio.get_running_loop().time())
        if self.refusals:
            raise self.refusals.pop(0)
        socket = FakeSocket()
        socket.say(*self.greeting)
        self.sockets.append(socket)
        self.on_open(socket)
        return socket

    async def opened(self, number: int) -> FakeSocket:
        """Return the so-manyth connection (from 1) once it is open and read from."""
        while len(self.sockets) < number:  # noqa: ASYNC110  in virtual time
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        return self.sockets[number - 1]


@dataclass
class FakeSink:
    """Keeps what it is given, in order."""

    pressure: Pressure = Pressure.OPEN
    taken: list[Tick] = field(default_factory=list)

    def take(self, ticks: Sequence[Tick]) -> None:
        assert ticks
        self.taken += ticks

    def event(self, event: Event) -> None:
        self.taken.append(event)

    @property
    def events(self) -> list[Event]:
        return [tick for tick in self.taken if isinstance(tick, Event)]

    def said(self, name: EventName) -> list[str]:
        """Return the causes of the events of this name."""
        return [event.cause for event in self.events if event.name == name]

    def ids(self, symbol: str = "A") -> list[int]:
        """Return the trade ids of a symbol in the order taken."""
        return [tick.trade_id for tick in self.taken if isinstance(tick, Trade) and tick.symbol == symbol]
