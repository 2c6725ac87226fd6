"""Realised profit, beside a matcher that pairs single units and knows no lots."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from nightdesk.reports.daily import PROFIT, TraderProfit
from nightdesk.reports.statements import statement
from nightdesk.store.migrate import CLERK
from tests.conftest import Database

pytestmark = [pytest.mark.integration, pytest.mark.slow]

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=365)
NAMED = """
INSERT INTO instruments (symbol) VALUES ('X'), ('Y');
INSERT INTO traders (name) VALUES ('a'), ('b');
"""
ORDERED = """
INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)
SELECT %(reference)s, instrument_id, trader_id, %(side)s, %(quantity)s, %(price)s, %(status)s, %(ordered_at)s
FROM instruments, traders
WHERE symbol = %(symbol)s AND traders.name = %(trader)s
"""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order of a test."""

    side: str
    quantity: Decimal
    price: Decimal
    hour: int = 0
    trader: str = "a"
    symbol: str = "X"
    status: str = "executed"

    @property
    def ordered_at(self) -> datetime:
        return START + timedelta(hours=self.hour)


def ordered(side: str, quantity: int | str, price: int | str, **more: Any) -> Ordered:
    return Ordered(side, Decimal(quantity), Decimal(price), **more)


def realised(
    database: Database, orders: Sequence[Ordered], since: datetime = START, until: datetime = END
) -> dict[str, TraderProfit]:
    with database.connect(CLERK) as connection, connection.transaction(force_rollback=True):
        connection.execute(NAMED)
        for number, one in enumerate(orders):
            fields = {name: getattr(one, name) for name in (*Ordered.__slots__, "ordered_at")}
            connection.execute(ORDERED, {**fields, "reference": str(number)})
        cursor = connection.cursor(row_factory=dict_row)
        found = cursor.execute(statement(PROFIT).encode(), {"since": since, "until": until}).fetchall()
    return {row["trader"]: TraderProfit.model_validate(row) for row in found}


CASES = {
    "bought and sold for more": ([ordered("buy", 10, 100), ordered("sell", 10, 103)], 30, 1),
    "sold short and bought back for less": ([ordered("sell", 10, 103), ordered("buy", 10, 100)], 30, 1),
    "what came first is sold first": (
        [ordered("buy", 5, 100), ordered("buy", 5, 110), ordered("sell", 6, 120)], 5 * 20 + 1 * 10, 1,
    ),
    "one order closes a long position and opens a short one": (
        [ordered("buy", 5, 100), ordered("sell", 8, 110), ordered("buy", 3, 90)], 50 + 60, 2,
    ),
    "closed at the price it was opened at": ([ordered("buy", 1, 7), ordered("sell", 1, 7)], 0, 1),
    "every digit": (
        [ordered("buy", "1234567890123456789.000000001", "9876543210987654.0000000001"),
         ordered("sell", "1234567890123456789.000000001", "9876543210987654.0000000002")],
        Decimal("123456789.0123456789000000001"), 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("orders", "profit", "closing"), CASES.values(), ids=CASES.keys())
def test_profit_is_made_first_in_first_out(
    database: Database, orders: list[Ordered], profit: Decimal, closing: int
) -> None:
    assert realised(database, orders) == {"a": TraderProfit(trader="a", profit=Decimal(profit), orders=closing)}


@pytest.mark.parametrize(
    "other", [{"trader": "b"}, {"symbol": "Y"}, {"status": "failed"}], ids=["trader", "instrument", "status"]
)
def test_only_executed_orders_of_one_trader_and_instrument_close_each_other(
    database: Database, other: dict[str, str]
) -> None:
    assert realised(database, [ordered("buy", 1, 1), ordered("sell", 1, 2, **other)]) == {}


def slowly(orders: Iterable[Ordered], since: datetime, until: datetime) -> dict[str, tuple[Decimal, int]]:
    """The n-th unit bought pairs with the n-th unit sold; the later of the two says when that was."""
    executed = [one for one in orders if one.status == "executed"]
    in_time = sorted(enumerate(executed), key=lambda numbered: (numbered[1].hour, numbered[0]))
    units: dict[tuple[str, str, str], list[tuple[int, Ordered]]] = defaultdict(list)
    for place, (_, one) in enumerate(in_time):
        units[one.trader, one.symbol, one.side] += [(place, one)] * int(one.quantity)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    closing: dict[str, set[int]] = defaultdict(set)
    for trader, symbol in {(one.trader, one.symbol) for one in executed}:
        for bought, sold in zip(units[trader, symbol, "buy"], units[trader, symbol, "sell"], strict=False):
            place, later = max(bought, sold, key=lambda numbered: numbered[0])
            if since <= later.ordered_at < until:
                sums[trader] += sold[1].price - bought[1].price
                closing[trader].add(place)
    return {trader: (amount, len(closing[trader])) for trader, amount in sums.items()}


ORDERS = st.lists(
    st.builds(
        ordered,
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 6),
        st.integers(1, 50),
        hour=st.integers(0, 30),
        trader=st.sampled_from("ab"),
        symbol=st.sampled_from("XXXY"),
        status=st.sampled_from(["executed", "executed", "executed", "failed"]),
    ),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ORDERS, st.integers(0, 31), st.integers(0, 31))
def test_it_is_what_pairing_single_units_gives(
    database: Database, orders: list[Ordered], first: int, last: int
) -> None:
    """Of any period: profit belongs to the moment of the order that closes, whenever the other one was."""
    since, until = START + timedelta(hours=first), START + timedelta(hours=last)
    found = {one.trader: (one.profit, one.orders) for one in realised(database, orders, since, until).values()}

    assert found == slowly(orders, since, until)
