"""Every exchange's language by the name that ``config/feeds.yaml`` uses for it."""

from collections.abc import Callable
from typing import Final

from services.collector.codec import Codec, Subscription
from services.collector.feeds.binance import BinanceCodec
from services.collector.feeds.coinbase import CoinbaseCodec
from services.collector.feeds.tickdb import TickdbCodec

CODECS: Final[dict[str, Callable[[Subscription], Codec]]] = {
    "binance": BinanceCodec,
    "coinbase": CoinbaseCodec,
    "tickdb": TickdbCodec,
}
