"""What a recording holds, so that a feed can subscribe to all of it. Pure: lines in, values out.

One small function a codec; a codec without one cannot be replayed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from nightdesk.errors import ConfigurationError
from nightdesk.ticks import Kind


@dataclass(slots=True)
class Contents:
    """Symbols as the exchange prints them, in the order of their first message; options of the feed besides."""

    symbols: dict[str, None] = field(default_factory=dict)
    kinds: set[Kind] = field(default_factory=set)
    options: dict[str, str] = field(default_factory=dict)
    snapshots: dict[str, None] = field(default_factory=dict)
    """Symbols whose books need a snapshot from REST."""

    def saw(self, symbol: str, kind: Kind) -> None:
        """Note a message of one kind about a symbol."""
        self.symbols[symbol] = None
        self.kinds.add(kind)


Note = Callable[[Contents, Mapping[str, Any]], None]
"""Notes what one decoded message says about the recording's contents."""

_BINANCE_STREAM: Final = re.compile(
    r"(?P<symbol>[^@]+)@(?P<channel>trade|aggTrade|bookTicker|kline|depth)_?(?P<detail>\w*)(@\d+ms)?"
)
_BINANCE_KINDS: Final = {
    "trade": Kind.TRADE,
    "aggTrade": Kind.AGG_TRADE,
    "bookTicker": Kind.QUOTE,
    "kline": Kind.KLINE,
    "depth": Kind.DEPTH,
}
_COINBASE_KINDS: Final = {
    "match": Kind.TRADE,
    "last_match": Kind.TRADE,
    "ticker": Kind.QUOTE,
    "snapshot": Kind.DEPTH,
    "l2update": Kind.DEPTH,
}
_TICKDB_KINDS: Final = {"trade": Kind.TRADE, "ticker": Kind.QUOTE, "depth": Kind.DEPTH}


def _binance(contents: Contents, message: Mapping[str, Any]) -> None:
    """Read the name of the combined stream: ``nknusdt@kline_1m``, ``nknusdt@depth20@100ms``."""
    match = _BINANCE_STREAM.fullmatch(str(message.get("stream", "")))
    if match is None:
        return
    symbol, channel = match["symbol"].upper(), match["channel"]
    contents.saw(symbol, _BINANCE_KINDS[channel])
    if channel == "kline":
        contents.options["kline_interval"] = match["detail"]
    if channel == "depth" and match["detail"]:
        contents.options["dialect"] = "partial"
    elif channel == "depth":
        contents.snapshots[symbol] = None


def _coinbase(contents: Contents, message: Mapping[str, Any]) -> None:
    kind = _COINBASE_KINDS.get(str(message.get("type", "")))
    if kind is not None:
        contents.saw(str(message["product_id"]), kind)


def _tickdb(contents: Contents, message: Mapping[str, Any]) -> None:
    """Read a push of any dialect: its name may stand under cmd, channel or type, its body under data."""
    kind = _TICKDB_KINDS.get(str(message.get("cmd") or message.get("channel") or message.get("type") or ""))
    body = message.get("data") or message
    if kind is not None and isinstance(body, dict) and "symbol" in body:
        contents.saw(str(body["symbol"]), kind)


NOTES: Final[Mapping[str, Note]] = {"binance": _binance, "coinbase": _coinbase, "tickdb": _tickdb}
"""How to read a recording, by the codec's name."""


def contents_of(codec: str, frames: Iterable[str]) -> Contents:
    """Return what the frames of one codec hold; one that cannot be read is for the collector to reject.

    Raises ConfigurationError when nothing in them is this codec's.
    """
    contents, note, count = Contents(), NOTES[codec], 0
    for count, raw in enumerate(frames, start=1):  # noqa: B007  the error below says how many there were
        message = _decoded(raw)
        if isinstance(message, dict):
            note(contents, message)
    if not contents.symbols:
        raise ConfigurationError(f"none of its {count} messages is one of codec {codec}'s; is FEED the right one?")
    return contents


def _decoded(raw: str) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def snapshot_symbols(urls: Iterable[str]) -> set[str]:
    """Return the symbols whose depth snapshots are among recorded REST answers."""
    found = (re.search(r"/depth\?(?:.*&)?symbol=([^&]+)", url) for url in urls)
    return {match[1].upper() for match in found if match}
