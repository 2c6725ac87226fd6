"""What is traded here, and how its numbers look."""

from dataclasses import dataclass
from typing import Final

ALWAYS_OPEN: Final = "24/7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """One symbol. Prices are counted in ticks of ``10**-price_places``, sizes in lots of ``10**-size_places``."""

    symbol: str
    base: str
    quote: str
    price_places: int
    size_places: int
    start_price: float
    typical_size: float
    gap_ticks: int
    """How far apart the levels of its book usually are: what one emptied level moves the price."""
    calendar: str = ALWAYS_OPEN
    """The exchange calendar whose sessions it trades in."""

    @property
    def always_open(self) -> bool:
        """Whether it trades around the clock."""
        return self.calendar == ALWAYS_OPEN

    @property
    def start_ticks(self) -> int:
        """The price it starts at, in ticks."""
        return round(self.start_price * 10.0**self.price_places)

    @property
    def typical_lots(self) -> int:
        """The mean size of a trade, in lots."""
        return max(1, round(self.typical_size * 10.0**self.size_places))


def _pair(base: str, places: tuple[int, int], price: float, size: float, gap: int) -> Instrument:
    return Instrument(
        symbol=f"{base}USDT",
        base=base,
        quote="USDT",
        price_places=places[0],
        size_places=places[1],
        start_price=price,
        typical_size=size,
        gap_ticks=gap,
    )


def _stock(ticker: str, price: float) -> Instrument:
    return Instrument(
        symbol=f"{ticker}.US",
        base=ticker,
        quote="USD",
        price_places=2,
        size_places=0,
        start_price=price,
        typical_size=60,
        gap_ticks=1,
        calendar="XNYS",
    )


PAIRS: Final = (
    _pair("BTC", (2, 5), 67_000.0, 0.02, 200),
    _pair("ETH", (2, 4), 3_500.0, 0.3, 12),
    _pair("SOL", (2, 3), 150.0, 5.0, 1),
    _pair("BNB", (2, 3), 600.0, 0.8, 3),
    _pair("XRP", (4, 1), 0.6, 900.0, 1),
)
"""What the exchange lists by default; steps and places as the exchange itself has them."""

STOCKS: Final = (_stock("AAPL", 230.0), _stock("NVDA", 140.0), _stock("SPY", 580.0))
"""Session-bound symbols, reachable in TickDB's language only."""

KNOWN: Final = {instrument.symbol: instrument for instrument in (*PAIRS, *STOCKS)}


def instrument_of(symbol: str) -> Instrument:
    """Return a known instrument, or a plausible one for a pair nobody described, such as ``DOGEUSDT``."""
    known = KNOWN.get(symbol)
    if known is not None:
        return known
    base = symbol.removesuffix("USDT")
    return _pair(base, (4, 1), 10.0, 50.0, 5) if base + "USDT" == symbol and base else _stock_or_pair(symbol)


def _stock_or_pair(symbol: str) -> Instrument:
    if symbol.endswith(".US"):
        return _stock(symbol.removesuffix(".US"), 100.0)
    return Instrument(
        symbol=symbol,
        base=symbol[:-3] or symbol,
        quote=symbol[-3:],
        price_places=4,
        size_places=2,
        start_price=10.0,
        typical_size=50.0,
        gap_ticks=5,
    )


class Decimals(dict[int, str]):
    """Counts of ticks or lots as an exchange prints them: ``shown`` digits after the point, remembered."""

    LIMIT: Final = 20_000

    def __init__(self, places: int, shown: int = 8) -> None:
        super().__init__()
        self._unit = 10**places
        self._places = places
        self._zeros = "0" * (shown - places)

    def __missing__(self, count: int) -> str:
        if len(self) >= self.LIMIT:
            self.clear()
        whole, part = divmod(count, self._unit)
        digits = f"{part:0{self._places}d}" if self._places else ""
        text = f"{whole}.{digits}{self._zeros}" if digits or self._zeros else f"{whole}"
        self[count] = text
        return text
