"""An independent, slow and obvious reader of the recordings: what a replay must leave behind.

It shares nothing with the codecs: the standard library's ``json``, ``Decimal`` and dicts, and every book sorted anew
where it is asked for. Prices and sizes stay decimals; a stored double equals ``float()`` of them exactly.

    expected = read_binance(here / "binance-spot.ws.jsonl", here / "binance-spot.http.jsonl")
    expected.trades["NKNUSDT"], expected.books["NKNUSDT"].bids
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

BUY, SELL = 1, -1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class ExpectedTrade:
    """One trade; ``side`` is the taker's, 1 bought and -1 sold."""

    trade_id: int
    price: Decimal
    size: Decimal
    side: int
    exchange_ns: int


@dataclass(frozen=True, kw_only=True)
class ExpectedAggTrade:
    """One aggregate trade."""

    agg_id: int
    first_id: int
    last_id: int
    price: Decimal
    size: Decimal
    side: int
    exchange_ns: int


@dataclass(frozen=True, kw_only=True)
class ExpectedQuote:
    """One best bid and ask; sizes are None where the recording has none, ``exchange_ns`` 0 where it has no time."""

    sequence: int
    bid_price: Decimal
    bid_size: Decimal | None
    ask_price: Decimal
    ask_size: Decimal | None
    exchange_ns: int


@dataclass(frozen=True, kw_only=True)
class ExpectedKline:
    """The last state seen of one candle."""

    interval: str
    open_ns: int
    close_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int
    closed: bool


@dataclass(frozen=True, kw_only=True)
class ExpectedBook:
    """The best levels once everything is applied, (price, size), best first; ``sequence`` is -1 where there is none."""

    sequence: int
    exchange_ns: int
    bids: list[tuple[Decimal, Decimal]]
    asks: list[tuple[Decimal, Decimal]]

    @property
    def spread(self) -> Decimal:
        """Best ask less best bid."""
        return self.asks[0][0] - self.bids[0][0]

    @property
    def pressure_ratio(self) -> Decimal:
        """Bid size over ask size of the best five levels."""
        return sum(size for _, size in self.bids[:5]) / sum((size for _, size in self.asks[:5]), Decimal())


@dataclass
class Expected:
    """What a recording says, by symbol.

    ``trades`` and ``agg_trades`` are without repeats, in the order of their ids. ``klines`` is by (symbol, interval,
    open_ns). ``depth_sequences`` are the ids of the changes a book takes after its snapshot (-1 where there are none);
    ``depth_messages`` counts snapshots and changes that a codec turns into ticks when its snapshot is there in time.
    """

    symbols: list[str] = field(default_factory=list)
    trades: dict[str, list[ExpectedTrade]] = field(default_factory=lambda: defaultdict(list))
    agg_trades: dict[str, list[ExpectedAggTrade]] = field(default_factory=lambda: defaultdict(list))
    quotes: dict[str, list[ExpectedQuote]] = field(default_factory=lambda: defaultdict(list))
    klines: dict[tuple[str, str, int], ExpectedKline] = field(default_factory=dict)
    books: dict[str, ExpectedBook] = field(default_factory=dict)
    depth_sequences: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    depth_messages: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def recording_path(name: str) -> Path:
    """Return where a recording is looked for."""
    folder = os.environ.get("NIGHTDESK_RECORDINGS")
    root = Path(__file__).resolve().parents[1]
    return (Path(folder) if folder else root.parent / "shared" / "recordings") / name


def recording(name: str) -> Path:
    """Return where a recording lies; skips the test, with the reason, where there is none."""
    path = recording_path(name)
    if not path.exists():
        pytest.skip(f"no recording {name}: set NIGHTDESK_RECORDINGS to the folder that holds it")
    return path


def read_binance(ws_path: Path, http_path: Path, *, levels: int = 10) -> Expected:
    """Read a recording of Binance's combined stream and of the depth snapshots taken beside it."""
    expected = Expected()
    changes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for message in _raw_messages(ws_path):
        stream, data = message["stream"], message["data"]
        channel = stream.split("@")[1]
        if channel == "trade":
            expected.trades[data["s"]].append(_binance_trade(data))
        elif channel == "aggTrade":
            expected.agg_trades[data["s"]].append(_binance_agg_trade(data))
        elif channel == "bookTicker":
            expected.quotes[data["s"]].append(_binance_quote(data))
        elif channel.startswith("kline_"):
            kline = _binance_kline(data["k"])
            expected.klines[data["s"], kline.interval, kline.open_ns] = kline
        elif channel == "depth":
            changes[data["s"]].append(data)
        else:
            raise AssertionError(f"the reader does not know {stream}")
    for symbol, snapshot in _binance_snapshots(http_path):
        _binance_book(expected, symbol, snapshot, changes[symbol], levels)
    expected.symbols = sorted({*changes, *expected.books, *expected.quotes, *expected.trades})
    _without_repeats(expected)
    return expected


def read_coinbase(ws_path: Path, *, levels: int = 10) -> Expected:
    """Read a recording of the Coinbase Exchange feed."""
    expected = Expected()
    sides: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    times: dict[str, int] = {}
    for message in _raw_messages(ws_path):
        kind, symbol = message["type"], message.get("product_id", "")
        if kind in ("match", "last_match"):
            expected.trades[symbol].append(_coinbase_trade(message))
        elif kind == "ticker":
            expected.quotes[symbol].append(_coinbase_quote(message))
        elif kind == "snapshot":
            sides[symbol] = (_levels(message["bids"]), _levels(message["asks"]))
            times[symbol] = 0
            expected.depth_messages[symbol] += 1
        elif kind == "l2update":
            for side, price, size in message["changes"]:
                _change(sides[symbol][0 if side == "buy" else 1], price, size)
            times[symbol] = _iso_ns(message["time"])
            expected.depth_messages[symbol] += 1
        elif kind not in ("subscriptions", "heartbeat"):
            raise AssertionError(f"the reader does not know {kind}")
    for symbol, (bids, asks) in sides.items():
        expected.depth_sequences[symbol] = [-1] * (expected.depth_messages[symbol] - 1)
        expected.books[symbol] = _book(-1, times[symbol], bids, asks, levels)
    expected.symbols = sorted({*sides, *expected.quotes, *expected.trades})
    _without_repeats(expected)
    return expected


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open() as lines:
        for line in lines:
            yield json.loads(line)


def _raw_messages(path: Path) -> Iterator[dict[str, Any]]:
    for line in _lines(path):
        yield json.loads(line["raw"])


def _without_repeats(expected: Expected) -> None:
    for symbol, trades in expected.trades.items():
        by_id = {trade.trade_id: trade for trade in trades}
        expected.trades[symbol] = [by_id[trade_id] for trade_id in sorted(by_id)]
    for symbol, agg_trades in expected.agg_trades.items():
        by_agg_id = {agg_trade.agg_id: agg_trade for agg_trade in agg_trades}
        expected.agg_trades[symbol] = [by_agg_id[agg_id] for agg_id in sorted(by_agg_id)]


def _binance_trade(data: dict[str, Any]) -> ExpectedTrade:
    return ExpectedTrade(
        trade_id=data["t"],
        price=Decimal(data["p"]),
        size=Decimal(data["q"]),
        side=SELL if data["m"] else BUY,
        exchange_ns=data["T"] * 1_000_000,
    )


def _binance_agg_trade(data: dict[str, Any]) -> ExpectedAggTrade:
    return ExpectedAggTrade(
        agg_id=data["a"],
        first_id=data["f"],
        last_id=data["l"],
        price=Decimal(data["p"]),
        size=Decimal(data["q"]),
        side=SELL if data["m"] else BUY,
        exchange_ns=data["T"] * 1_000_000,
    )


def _binance_quote(data: dict[str, Any]) -> ExpectedQuote:
    return ExpectedQuote(
        sequence=data["u"],
        bid_price=Decimal(data["b"]),
        bid_size=Decimal(data["B"]),
        ask_price=Decimal(data["a"]),
        ask_size=Decimal(data["A"]),
        exchange_ns=0,
    )


def _binance_kline(k: dict[str, Any]) -> ExpectedKline:
    return ExpectedKline(
        interval=k["i"],
        open_ns=k["t"] * 1_000_000,
        close_ns=k["T"] * 1_000_000,
        open=Decimal(k["o"]),
        high=Decimal(k["h"]),
        low=Decimal(k["l"]),
        close=Decimal(k["c"]),
        volume=Decimal(k["v"]),
        trades=k["n"],
        closed=k["x"],
    )


def _binance_snapshots(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in _lines(path):
        yield line["url"].split("symbol=")[1].split("&")[0], line["body"]


def _binance_book(
    expected: Expected, symbol: str, snapshot: dict[str, Any], changes: list[dict[str, Any]], levels: int
) -> None:
    bids, asks = _levels(snapshot["bids"]), _levels(snapshot["asks"])
    sequence, exchange_ns = snapshot["lastUpdateId"], 0
    expected.depth_messages[symbol] = 1
    for change in changes:
        if change["u"] <= sequence:
            continue
        assert change["U"] <= sequence + 1, f"the recording of {symbol} has a hole before {change['U']}"
        for side, pairs in ((bids, change["b"]), (asks, change["a"])):
            for price, size in pairs:
                _change(side, price, size)
        sequence, exchange_ns = change["u"], change["E"] * 1_000_000
        expected.depth_sequences[symbol].append(sequence)
        expected.depth_messages[symbol] += 1
    expected.books[symbol] = _book(sequence, exchange_ns, bids, asks, levels)


def _coinbase_trade(message: dict[str, Any]) -> ExpectedTrade:
    return ExpectedTrade(
        trade_id=message["trade_id"],
        price=Decimal(message["price"]),
        size=Decimal(message["size"]),
        side=BUY if message["side"] == "sell" else SELL,  # the message names the maker's
        exchange_ns=_iso_ns(message["time"]),
    )


def _coinbase_quote(message: dict[str, Any]) -> ExpectedQuote:
    bid_size, ask_size = message.get("best_bid_size"), message.get("best_ask_size")
    return ExpectedQuote(
        sequence=message["sequence"],
        bid_price=Decimal(message["best_bid"]),
        bid_size=Decimal(bid_size) if bid_size else None,
        ask_price=Decimal(message["best_ask"]),
        ask_size=Decimal(ask_size) if ask_size else None,
        exchange_ns=_iso_ns(message["time"]),
    )


def _levels(pairs: list[list[str]]) -> dict[Decimal, Decimal]:
    return {Decimal(price): Decimal(size) for price, size in pairs}


def _change(side: dict[Decimal, Decimal], price: str, size: str) -> None:
    if Decimal(size) == 0:
        side.pop(Decimal(price), None)
    else:
        side[Decimal(price)] = Decimal(size)


def _book(
    sequence: int, exchange_ns: int, bids: dict[Decimal, Decimal], asks: dict[Decimal, Decimal], levels: int
) -> ExpectedBook:
    return ExpectedBook(
        sequence=sequence,
        exchange_ns=exchange_ns,
        bids=sorted(bids.items(), reverse=True)[:levels],
        asks=sorted(asks.items())[:levels],
    )


def _iso_ns(text: str) -> int:
    since = datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
