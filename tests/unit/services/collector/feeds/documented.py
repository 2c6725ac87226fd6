"""Messages in the shapes the exchanges document, made by hand, and what makes codecs for them."""

from typing import Any

import msgspec

from nightdesk.ticks import Kind
from services.collector.codec import Codec, Control, Fetch, Subscription
from services.collector.feeds import CODECS

NOW_NS = 1_700_000_000_000_000_000
ALL = frozenset(Kind) - {Kind.EVENT}
DESK = frozenset({Kind.TRADE, Kind.QUOTE, Kind.DEPTH})


def binance(*symbols: str, kinds: frozenset[Kind] = ALL, **fields: Any) -> Codec:
    """Return a Binance codec, of BTCUSDT where no symbol is named."""
    return CODECS["binance"](subscription("binance", *symbols or ("BTCUSDT",), kinds=kinds, **fields))


def coinbase(*symbols: str, kinds: frozenset[Kind] = DESK, **fields: Any) -> Codec:
    """Return a Coinbase codec, of BTC-USD where no symbol is named."""
    return CODECS["coinbase"](subscription("coinbase", *symbols or ("BTC-USD",), kinds=kinds, **fields))


def tickdb(*symbols: str, kinds: frozenset[Kind] = DESK, **fields: Any) -> Codec:
    """Return a TickDB codec, of AAPL.US where no symbol is named."""
    fields = {"api_key": "k&y", **fields}
    return CODECS["tickdb"](subscription("tickdb", *symbols or ("AAPL.US",), kinds=kinds, **fields))


def subscription(feed: str, *symbols: str, kinds: frozenset[Kind], **fields: Any) -> Subscription:
    """Return a subscription at addresses that lead nowhere."""
    urls = {"ws_url": "wss://ws.example", "rest_url": "https://rest.example"}
    return Subscription(feed=feed, symbols=symbols, kinds=kinds, **{**urls, **fields})


def text(message: Any) -> bytes:
    """Return a message as it comes over the wire."""
    return msgspec.json.encode(message)


def combined(stream: str, data: Any) -> bytes:
    """Return a message of Binance's combined stream."""
    return text({"stream": stream, "data": data})


def trade(trade_id: int, **changed: Any) -> bytes:
    """Return a Binance trade."""
    data = {"e": "trade", "E": 1700000000001, "s": "BTCUSDT", "t": trade_id, "p": "0.001", "q": "100"}
    return combined("btcusdt@trade", {**data, "T": 1700000000000, "m": True, "M": True, **changed})


def agg_trade(agg_id: int, **changed: Any) -> bytes:
    """Return a Binance aggregate trade."""
    data = {"e": "aggTrade", "E": 1700000000001, "s": "BTCUSDT", "a": agg_id, "p": "0.001", "q": "100", "f": 100}
    return combined("btcusdt@aggTrade", {**data, "l": 105, "T": 1700000000000, "m": False, "M": True, **changed})


def book_ticker(**changed: Any) -> bytes:
    """Return a Binance quote."""
    data = {"u": 400900217, "s": "BTCUSDT", "b": "25.35190000", "B": "31.21", "a": "25.3652", "A": "40.66"}
    return combined("btcusdt@bookTicker", {**data, **changed})


def kline(**changed: Any) -> bytes:
    """Return a Binance candle."""
    k = {"t": 1700000000000, "T": 1700000059999, "s": "BTCUSDT", "i": "1m", "f": 100, "L": 200, "o": "0.0010"}
    k |= {"c": "0.0020", "h": "0.0025", "l": "0.0015", "v": "1000", "n": 100, "x": False, "q": "1.0"}
    data = {"e": "kline", "E": 1700000001000, "s": "BTCUSDT", "k": {**k, **changed}}
    return combined("btcusdt@kline_1m", data)


def change(first: int, last: int, *, bids: Any = (), asks: Any = (), symbol: str = "BTCUSDT") -> bytes:
    """Return a Binance change of depth."""
    data = {"e": "depthUpdate", "E": 1700000000002, "s": symbol, "U": first, "u": last, "b": bids, "a": asks}
    return combined(f"{symbol.lower()}@depth@100ms", data)


def snapshot(last: int, *, bids: Any = (("10.0", "1"),), asks: Any = (("11.0", "2"),)) -> bytes:
    """Return a Binance snapshot of depth, as REST and the partial streams send it."""
    return text({"lastUpdateId": last, "bids": bids, "asks": asks})


def match(trade_id: int, **changed: Any) -> bytes:
    """Return a Coinbase trade."""
    data = {"type": "match", "trade_id": trade_id, "sequence": 50, "maker_order_id": "a", "taker_order_id": "b"}
    data |= {"time": "2014-11-07T08:19:27.028459Z", "product_id": "BTC-USD", "size": "5.23512", "price": "400.23"}
    return text({**data, "side": "sell", **changed})


def ticker(**changed: Any) -> bytes:
    """Return a Coinbase quote."""
    data = {"type": "ticker", "sequence": 37475248783, "product_id": "BTC-USD", "price": "1285.22"}
    data |= {"best_bid": "1285.04", "best_bid_size": "0.4", "best_ask": "1285.27", "best_ask_size": "1.9"}
    return text({**data, "side": "buy", "time": "2022-10-19T23:28:22.061769Z", "trade_id": 370843401, **changed})


def level2(**changed: Any) -> bytes:
    """Return a Coinbase snapshot of a book."""
    data = {"type": "snapshot", "product_id": "BTC-USD", "bids": [["10101.10", "0.45054140"]]}
    return text({**data, "asks": [["10102.55", "0.57753524"]], **changed})


def l2update(*changes: tuple[str, str, str], **changed: Any) -> bytes:
    """Return a Coinbase change of a book."""
    data = {"type": "l2update", "product_id": "BTC-USD", "changes": changes}
    return text({**data, "time": "2022-08-04T15:25:05.010758Z", **changed})


def heartbeat(last_trade_id: int, **changed: Any) -> bytes:
    """Return a Coinbase heartbeat."""
    data = {"type": "heartbeat", "sequence": 90, "last_trade_id": last_trade_id, "product_id": "BTC-USD"}
    return text({**data, "time": "2014-11-07T08:19:28.464459Z", **changed})


def push(name: str, **data: Any) -> bytes:
    """Return what TickDB pushes."""
    return text({"cmd": name, "data": {"symbol": "AAPL.US", "timestamp": 1700000000123, **data}})


BINANCE = [
    trade(12345),
    agg_trade(12345),
    book_ticker(),
    kline(),
    change(157, 160, bids=[["0.0024", "10"]], asks=[["0.0026", "100"]]),
    b'{"stream":"btcusdt@depth20@100ms","data":%b}' % snapshot(160),
    text({"result": None, "id": 1}),
    text({"code": 2, "msg": "Invalid request: invalid stream"}),
    text({"error": {"code": 2, "msg": "Invalid request"}, "id": 1}),
    text({"e": "serverShutdown", "E": 1700000000000}),
    combined("!serverShutdown", {"e": "serverShutdown", "E": 1700000000000}),
]
COINBASE = [
    match(10),
    match(9, type="last_match"),
    ticker(),
    level2(),
    l2update(("buy", "22356.270000", "0.00000000"), ("sell", "22356.300000", "1.00000000")),
    heartbeat(20),
    text({"type": "subscriptions", "channels": [{"name": "matches", "product_ids": ["BTC-USD"]}]}),
    text({"type": "error", "message": "Failed to subscribe", "reason": "BTC-USX is not a valid product"}),
]
TICKDB = [
    push("ticker", last_price="150.25", bid_price="150.2", ask_price="150.3"),
    push("ticker", last_price="150.25"),
    push("depth", bids=[["150.2", "100"]], asks=[["150.3", "80"]]),
    push("trade", trades=[{"id": "7", "price": "1", "quantity": "2", "side": "buy", "timestamp": 1700000000}]),
    push("trade", price="150.25", quantity="100", side="sell"),
    text({"cmd": "subscribe", "code": 0, "message": "success", "data": {"channel": "trade"}}),
    text({"cmd": "pong", "code": 0, "message": "pong", "data": {"timestamp": 1700000000000}}),
    text({"type": "ping"}),
    text({"code": 3001, "message": "Rate limit exceeded"}),
]


def fetches(controls: Any) -> list[Fetch]:
    """Return the fetches among some controls."""
    return [control for control in controls if isinstance(control, Fetch)]


def only(controls: Any) -> Control:
    """Return the one control."""
    (control,) = controls
    return control
