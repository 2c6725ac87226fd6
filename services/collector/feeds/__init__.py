"""Every exchange's language by the name that ``config/feeds.yaml`` uses for it."""

from collections.abc import Callable
from typing import Final

from services.collector.codec import Codec, Subscription
from services.collector.feeds.binance import BinanceCodec

CODECS: Final[dict[str, Callable[[Subscription], Codec]]] = {
    "binance": BinanceCodec,
}
