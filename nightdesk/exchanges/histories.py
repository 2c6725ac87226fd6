"""Which exchange's past is read how, by the codec of its feed."""

from collections.abc import Callable, Mapping
from typing import Final

from nightdesk.exchanges.binance import BinanceHistory
from nightdesk.exchanges.coinbase import CoinbaseHistory
from nightdesk.exchanges.history import History
from nightdesk.exchanges.tickdb import TickdbHistory

HISTORIES: Final[Mapping[str, Callable[[str], History]]] = {
    "binance": BinanceHistory,
    "coinbase": CoinbaseHistory,
    "tickdb": TickdbHistory,
}
"""Takes the address of the exchange's REST interface."""
