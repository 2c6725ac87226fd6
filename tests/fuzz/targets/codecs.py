"""Codecs: every message gives ticks that fit a frame, a control, or a refusal with a reason that is counted.

An input is one connection: its first byte chooses among a feed's subscriptions, then each line is a message; a line
that begins with ``=`` answers the depth snapshot that the codec asked for.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from math import inf, isfinite, isnan
from random import Random
from typing import Final, TypeAlias

from nightdesk import frames
from nightdesk.errors import CodecError
from nightdesk.ticks import AggTrade, Depth, Kind, Kline, Quote, Tick, Trade
from services.collector.codec import Alive, Codec, Fatal, Fetch, Reason, Rollover, Send
from tests.fuzz.mutation import Bytes, lines
from tests.fuzz.target import Target, claim
from tests.recordings_reader import recording_path
from tests.unit.services.collector.feeds import documented as doc

CONTROLS: Final = (Fetch, Send, Alive, Rollover, Fatal)
TICK_BYTES: Final = 16
"""No message holds more ticks than this many bytes each; no trade can be written shorter."""
A_SYMBOL: Final = 2
"""A short message may end every symbol's book, say so and ask for another."""
FRAME_BYTES: Final = 4096
FRAME_GROWTH: Final = 64
MOST_STREAMS: Final = 64
"""Readers a symbol may have: channels are few, whatever names the exchange sends."""

RECORDED_MESSAGES: Final = 400

New: TypeAlias = Callable[[], Codec]


def check(new: Sequence[New]) -> Callable[[bytes], None]:
    """Return the check of one feed's codecs."""

    def connection(data: bytes) -> None:
        codec = new[data[0] % len(new)]() if data else new[0]()
        symbols = codec._subscription.symbols  # type: ignore[attr-defined]
        for at, raw in enumerate(data[1:].split(b"\n")):
            message(codec, raw, doc.NOW_NS + at, symbols)
        claim(isinstance(codec.ready(), bool), "ready() is no truth value")
        claim(len(getattr(codec, "_streams", ())) <= MOST_STREAMS * len(symbols), "streams grow with what is sent")

    return connection


def message(codec: Codec, raw: bytes, now_ns: int, symbols: Sequence[str]) -> None:
    """Hand one message over and look at what comes of it."""
    is_answer = raw.startswith(b"=")
    try:
        ticks, controls = codec.fetched(symbols[0], raw[1:], now_ns) if is_answer else codec.receive(raw, now_ns)
    except CodecError as error:
        claim(error.reason in set(Reason), f"{error.reason!r} is no reason of the closed set")
        return
    claim(ticks or controls, "a message vanished")
    claim(all(isinstance(one, CONTROLS) for one in controls), "an unknown control")
    claim(
        len(ticks) + len(controls) <= 2 + A_SYMBOL * len(symbols) + len(raw) // TICK_BYTES,
        "more ticks than the message can hold",
    )
    if ticks:
        framed = frames.encode(ticks)
        claim(len(framed) <= FRAME_BYTES + FRAME_GROWTH * len(raw), "the frame is out of proportion")
        claim(frames.encode(frames.decode(framed).ticks()) == framed, "a frame does not give the ticks back")
    for tick in ticks:
        claim(tick.symbol in symbols, f"a tick of {tick.symbol!r}, which is not subscribed")
        claim(tick.received_ns == now_ns, "a tick was not received now")
        plausible(tick)


def plausible(tick: Tick) -> None:
    """Claim what every consumer takes for granted."""
    match tick:
        case Trade() | AggTrade():
            claim(0 < tick.price < inf and 0 <= tick.size < inf, f"a trade at {tick.price} of {tick.size}")
        case Quote():
            claim(all(isnan(price) or 0 < price < inf for price in (tick.bid_price, tick.ask_price)), "a quote's price")
        case Kline():
            claim(all(0 < price < inf for price in (tick.open, tick.high, tick.low, tick.close)), "a candle's price")
        case Depth():
            _side(tick.bids, falling=True)
            _side(tick.asks, falling=False)
            claim(isnan(tick.spread) or isfinite(tick.spread), "an endless spread")


def _side(flat: Sequence[float], *, falling: bool) -> None:
    prices, sizes = flat[::2], flat[1::2]
    claim(len(prices) == len(sizes) <= 10, f"{len(prices)} prices, {len(sizes)} sizes")
    claim(all(0 < number < inf for number in flat), "a level that is none")
    claim(all((one > two) if falling else (one < two) for one, two in pairwise(prices)), "levels out of order")


@dataclass(frozen=True, slots=True)
class Messages:
    """Changes one feed's connections; the first byte, which chooses the subscription, is changed now and then."""

    known: Sequence[bytes]

    def __call__(self, data: bytes, random: Random, change: Bytes) -> bytes:
        """Return a changed connection."""
        head = data[:1] or b"0"
        if random.random() < 0.05:
            return random.choice((b"0", b"1", b"2", b"3")) + data[1:]
        return head + lines(self.known)(data[1:], random, change)


def recorded(name: str, *, variant: int) -> list[bytes]:
    """Return connections cut from a recording, each message somewhere; none where there is no recording."""
    path = recording_path(name)
    if not path.exists():
        return []
    with path.open() as file:
        raws = [json.loads(line)["raw"].encode() for line in islice(file, RECORDED_MESSAGES)]
    return [b"%d" % variant + b"\n".join(raws[at : at + 8]) for at in range(0, len(raws), 8)]


def feed(new: Sequence[New], messages: Sequence[bytes], *connections: Sequence[bytes], recording: str = "") -> Target:
    """Return the target of one feed, seeded with each message alone, all in a row, and whole connections."""

    def seeds() -> list[bytes]:
        alone = [b"0" + raw for raw in messages]
        rows = [b"\n".join(row) for row in (messages, *connections)]
        return alone + [b"%d" % variant + row for row in rows for variant in range(len(new))]

    return Target(
        check=check(new),
        seeds=seeds,
        recorded=lambda: recorded(recording, variant=len(new) - 1) if recording else [],
        mutate=Messages([*messages, *(raw for row in connections for raw in row)]),
    )


BOOK: Final = (
    doc.change(1, 2),
    doc.change(3, 4, bids=[["9", "1"]]),
    b"=" + doc.snapshot(2),
    doc.change(5, 6, asks=[["11.0", "0"]]),
    doc.change(9, 9),
    b"=" + doc.snapshot(8, bids=[["1", "0"]], asks=[]),
    b"=" + doc.snapshot(12),
)
TRADES: Final = (doc.trade(1), doc.trade(2), doc.trade(9), doc.trade(3), doc.agg_trade(1), doc.agg_trade(5))
MATCHES: Final = (
    doc.text({"type": "subscriptions", "channels": []}),
    doc.level2(),
    doc.match(10),
    doc.match(12),
    doc.heartbeat(20),
    doc.l2update(("buy", "10101.10", "0")),
    b'{"type":"l2update"',
    doc.l2update(("sell", "10102.55", "1")),
    doc.level2(),
)
BINANCE: Final = feed(
    (
        lambda: doc.binance("BTCUSDT", "ETHUSDT"),
        lambda: doc.binance("BTCUSDT", dialect="partial"),
        lambda: doc.binance("BTCUSDT", kinds=frozenset({Kind.TRADE})),
        lambda: doc.binance("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR"),
    ),
    doc.BINANCE,
    BOOK,
    TRADES,
    recording="binance-spot.ws.jsonl",
)
COINBASE: Final = feed(
    (
        lambda: doc.coinbase("BTC-USD", "ETH-USD"),
        lambda: doc.coinbase(kinds=frozenset({Kind.TRADE})),
        lambda: doc.coinbase("BAND-GBP", "BAND-BTC", "YFI-BTC", "NU-GBP", "CRV-EUR", "SKL-USD", "NMR-EUR", "DASH-BTC"),
    ),
    doc.COINBASE,
    MATCHES,
    recording="coinbase-exchange.ws.jsonl",
)
TICKDB: Final = feed(
    (
        lambda: doc.tickdb("AAPL.US", "AAPL.HK"),
        lambda: doc.tickdb(dialect="params"),
        lambda: doc.tickdb(dialect="query"),
    ),
    doc.TICKDB,
)
