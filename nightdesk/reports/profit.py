"""Realised profit and loss: first in, first out.

What was bought first is sold first, and what was sold short first is bought back first. Profit is made when an order
closes what another one opened, and belongs to the moment of the order that closes. Amounts are exact. Pure.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, localcontext
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, Field

from nightdesk.reports.amounts import Amount

STATEMENT: Final = "trades_executions"
"""What ``realised`` needs of a period: the executed orders in it, and before them what was open when it began."""

EXACT: Final = Context(prec=400)
"""More digits than any sum here has, so that nothing is rounded."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One executed order, or what of it is still open."""

    trader: str
    symbol: str
    side: Literal["buy", "sell"]
    quantity: Decimal
    price: Decimal
    ordered_at: datetime

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Return the execution of a row of the statement."""
        return cls(**{name: row[name] for name in cls.__slots__})


class Profit(BaseModel):
    """What a trader made of an instrument in a period; negative is a loss."""

    trader: str = Field(description="strategy or account")
    symbol: str = Field(description="instrument")
    profit: Amount = Field(description="realised profit, negative for a loss")
    closed: Amount = Field(description="quantity that was closed")
    orders: int = Field(description="executed orders that closed something")


class Book:
    """What one trader holds of one instrument: lots in the order of their coming, all long or all short."""

    def __init__(self) -> None:
        self._lots: deque[tuple[Decimal, Decimal]] = deque()
        self._side = ""

    def take(self, order: Execution) -> tuple[Decimal, Decimal]:
        """Execute an order; return the profit it realises and the quantity it closes, both 0 if it only opens."""
        left, profit = order.quantity, Decimal(0)
        while left and self._lots and self._side != order.side:
            quantity, price = self._lots[0]
            closed = min(left, quantity)
            profit += closed * (order.price - price if order.side == "sell" else price - order.price)
            left -= closed
            self._shorten(quantity - closed, price)
        if left:
            self._side = order.side
            self._lots.append((left, order.price))
        return profit, order.quantity - left

    def _shorten(self, quantity: Decimal, price: Decimal) -> None:
        if quantity:
            self._lots[0] = (quantity, price)
        else:
            self._lots.popleft()


def realised(orders: Iterable[Execution], since: datetime, until: datetime) -> list[Profit]:
    """Return what was realised in ``[since, until)`` by trader and instrument, sorted by them.

    ``orders`` are the executed ones in the order of their times, from the first ever, or from what was open at
    ``since``. Who closed nothing in the period is not in the result.
    """
    books: dict[Key, Book] = {}
    found: dict[Key, Profit] = {}
    with localcontext(EXACT):
        for order in orders:
            if order.ordered_at >= until:
                break
            key = (order.trader, order.symbol)
            profit, closed = books.setdefault(key, Book()).take(order)
            if closed and order.ordered_at >= since:
                found[key] = _added(found.get(key), key, profit, closed)
    return [found[key] for key in sorted(found)]


def by_trader(profits: Iterable[Profit]) -> dict[str, Decimal]:
    """Return the realised profit of each trader, sorted by name."""
    sums: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for one in profits:
            sums[one.trader] = sums.get(one.trader, Decimal(0)) + one.profit
    return dict(sorted(sums.items()))


def _added(so_far: Profit | None, key: Key, profit: Decimal, closed: Decimal) -> Profit:
    trader, symbol = key
    if so_far is None:
        return Profit(trader=trader, symbol=symbol, profit=profit, closed=closed, orders=1)
    return so_far.model_copy(
        update={"profit": so_far.profit + profit, "closed": so_far.closed + closed, "orders": so_far.orders + 1}
    )
