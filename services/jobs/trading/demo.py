"""A realistic month of orders, made up. Pure.

Each day is made of its own random numbers, so that a month that is not over yet grows, and nothing of it changes. The
same seed gives the same orders.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from nightdesk.orders.models import NewInstrument, NewOrder, NewTrader, Side, Status, TraderKind

OPEN: Final = time(14, 30)
OPEN_S: Final = 6.5 * 3600
"""Seconds that New York's exchanges are open; in winter they open at 14:30 UTC."""

WEEKEND: Final = 0.15
"""Orders of a day at the weekend, when only cryptocurrencies trade, beside those of a weekday."""

OUTCOMES: Final = {Status.EXECUTED: 87.0, Status.PENDING: 3.5, Status.CANCELLED: 5.5, Status.FAILED: 4.0}
"""Of a hundred orders."""

FAILED: Final = ("insufficient margin", "risk limit exceeded", "rejected by the exchange", "gateway timeout")
CANCELLED: Final = ("cancelled by the trader", "expired at the close", "replaced")
DAILY_MOVE: Final = 0.012
"""Standard deviation of a day's change of a stock's price."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument: its price when the month begins, units of a usual order, and places of both."""

    symbol: str
    name: str
    sector: str
    price: float
    units: float
    price_places: int = 2
    unit_places: int = 0
    weight: float = 1.0
    move: float = DAILY_MOVE

    @property
    def trades_always(self) -> bool:
        """Whether it trades at night and at the weekend."""
        return self.sector == "Cryptocurrency"


@dataclass(frozen=True, slots=True)
class Desk:
    """A trader: how busy, and how large its orders are beside others'."""

    name: str
    kind: TraderKind
    weight: float
    size: float


LISTED: Final = (
    Listed("AAPL", "Apple", "Technology", 268.0, 60, weight=2.0),
    Listed("MSFT", "Microsoft", "Technology", 505.0, 35, weight=1.6),
    Listed("NVDA", "NVIDIA", "Technology", 192.0, 90, weight=2.6, move=0.022),
    Listed("GOOGL", "Alphabet", "Communication", 281.0, 50, weight=1.2),
    Listed("META", "Meta Platforms", "Communication", 640.0, 20),
    Listed("AMZN", "Amazon", "Consumer", 244.0, 55, weight=1.3),
    Listed("TSLA", "Tesla", "Consumer", 445.0, 40, weight=1.8, move=0.028),
    Listed("JPM", "JPMorgan Chase", "Financials", 311.0, 40, weight=0.8),
    Listed("XOM", "Exxon Mobil", "Energy", 114.0, 100, weight=0.6),
    Listed("JNJ", "Johnson & Johnson", "Health care", 189.0, 55, weight=0.5),
    Listed("SPY", "SPDR S&P 500", "Funds", 682.0, 30, weight=2.2, move=0.008),
    Listed("QQQ", "Invesco QQQ", "Funds", 630.0, 25, weight=1.1, move=0.011),
    Listed("BTCUSDT", "Bitcoin", "Cryptocurrency", 109_500.0, 0.15, 2, 5, 1.6, 0.024),
    Listed("ETHUSDT", "Ether", "Cryptocurrency", 3_870.0, 3.0, 2, 4, 1.1, 0.033),
    Listed("SOLUSDT", "Solana", "Cryptocurrency", 186.0, 40.0, 2, 2, 0.6, 0.041),
)
DESKS: Final = (
    Desk("momentum", TraderKind.STRATEGY, 3.0, 1.0),
    Desk("mean-reversion", TraderKind.STRATEGY, 2.6, 0.8),
    Desk("pairs", TraderKind.STRATEGY, 1.5, 1.4),
    Desk("opening-range", TraderKind.STRATEGY, 1.2, 0.6),
    Desk("market-making", TraderKind.STRATEGY, 4.0, 0.3),
    Desk("rebalance", TraderKind.STRATEGY, 0.5, 3.0),
    Desk("alice", TraderKind.ACCOUNT, 0.6, 1.2),
    Desk("bob", TraderKind.ACCOUNT, 0.4, 0.9),
    Desk("pension", TraderKind.ACCOUNT, 0.2, 5.0),
)


def instruments() -> list[NewInstrument]:
    """Return what is traded."""
    return [NewInstrument(symbol=one.symbol, name=one.name, sector=one.sector) for one in LISTED]


def traders() -> list[NewTrader]:
    """Return who trades."""
    return [NewTrader(name=one.name, kind=one.kind) for one in DESKS]


def days_of(month: date, until: date) -> list[date]:
    """Return the days of a month, of which ``month`` is the first, that are before ``until``."""
    following = (month + timedelta(days=31)).replace(day=1)
    return [month + timedelta(days=number) for number in range((min(following, until) - month).days)]


def orders_on(day: date, orders: int, seed: int) -> Iterator[NewOrder]:
    """Yield a day's orders in the order of their times; ``orders`` are those of a whole month."""
    random = Random(f"{seed}/{day}")  # noqa: S311  no secret
    known = [one for one in LISTED if _trades(one, day)]
    prices = {one.symbol: _price(one, day, seed) for one in known}
    made = [_order(random, day, known, prices) for _ in range(orders_of_day(day, orders))]
    for number, order in enumerate(sorted(made, key=lambda one: one.ordered_at), 1):
        yield order.model_copy(update={"reference": f"DEMO-{seed}-{day:%Y%m%d}-{orders}-{number:05}"})


def orders_of_day(day: date, orders: int) -> int:
    """Return how many of a month's orders fall on a day."""
    month = days_of(day.replace(day=1), date.max)
    return round(orders * _weight(day) / sum(map(_weight, month)))


def _weight(day: date) -> float:
    return WEEKEND if day.weekday() >= 5 else 1.0


def _trades(one: Listed, day: date) -> bool:
    return one.trades_always or day.weekday() < 5


def _price(one: Listed, day: date, seed: int) -> float:
    """Return the price in the middle of a day, which walks from the first of its month on."""
    random = Random(f"{seed}/{one.symbol}/{day:%Y%m}")  # noqa: S311  no secret
    steps = sum(random.gauss(0.0003, one.move) for _ in range(day.day))
    return one.price * math.exp(steps)


def _order(random: Random, day: date, known: Sequence[Listed], prices: dict[str, float]) -> NewOrder:
    (one,) = random.choices(known, [listed.weight for listed in known])
    (desk,) = random.choices(DESKS, [each.weight for each in DESKS])
    (status,) = random.choices(list(OUTCOMES), list(OUTCOMES.values()))
    units = max(one.units * desk.size * random.lognormvariate(0, 0.7), 10.0**-one.unit_places)
    price = prices[one.symbol] * math.exp(random.gauss(0, one.move / 3))
    return NewOrder(
        reference="-",
        symbol=one.symbol,
        trader=desk.name,
        side=random.choice((Side.BUY, Side.SELL)),
        quantity=Decimal(f"{units:.{one.unit_places}f}"),
        price=Decimal(f"{price:.{one.price_places}f}"),
        status=status,
        ordered_at=_moment(random, one, day),
        reason=_reason(random, status),
    )


def _moment(random: Random, one: Listed, day: date) -> datetime:
    """Return a moment of the day: at the open and the close there are more orders than at noon."""
    begin = datetime.combine(day, time() if one.trades_always else OPEN, UTC)
    if one.trades_always:
        return begin + timedelta(seconds=round(random.random() * 86_399, 3))
    return begin + timedelta(seconds=round(random.betavariate(0.6, 0.7) * OPEN_S, 3))


def _reason(random: Random, status: Status) -> str:
    reasons = {Status.FAILED: FAILED, Status.CANCELLED: CANCELLED}.get(status)
    return random.choice(reasons) if reasons else ""
