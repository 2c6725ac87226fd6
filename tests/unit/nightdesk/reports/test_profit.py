"""Realised profit, beside a matcher that pairs single units and knows no lots."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.reports.profit import Execution, Profit, by_trader, realised

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=365)


def executed(
    side: Literal["buy", "sell"], quantity: int | str, price: int | str, *, hour: int = 0, who: str = "momentum"
) -> Execution:
    return Execution(
        trader=who,
        symbol="AAPL",
        side=side,
        quantity=Decimal(quantity),
        price=Decimal(price),
        ordered_at=START + timedelta(hours=hour),
    )


def profit_of(*orders: Execution, since: datetime = START, until: datetime = END) -> Decimal:
    return by_trader(realised(orders, since, until)).get("momentum", Decimal(0))


def test_what_is_bought_and_sold_for_more_is_a_profit() -> None:
    assert profit_of(executed("buy", 10, 100), executed("sell", 10, 103)) == 30


def test_what_is_sold_short_and_bought_back_for_less_is_a_profit() -> None:
    assert profit_of(executed("sell", 10, 103), executed("buy", 10, 100)) == 30


def test_what_came_first_is_sold_first() -> None:
    orders = [executed("buy", 5, 100), executed("buy", 5, 110), executed("sell", 6, 120)]

    assert profit_of(*orders) == 5 * 20 + 1 * 10


def test_one_order_may_close_a_long_position_and_open_a_short_one() -> None:
    orders = [executed("buy", 5, 100), executed("sell", 8, 110), executed("buy", 3, 90)]

    assert profit_of(*orders) == 50 + 60
    assert realised(orders, START, END)[0].closed == 8


def test_what_is_only_opened_is_no_profit() -> None:
    assert realised([executed("buy", 5, 100), executed("buy", 5, 200)], START, END) == []


def test_traders_and_instruments_are_kept_apart() -> None:
    orders = [executed("buy", 1, 1), executed("sell", 1, 2, who="other")]

    assert realised(orders, START, END) == []


def test_profit_belongs_to_the_moment_of_the_order_that_closes() -> None:
    orders = [executed("buy", 1, 10, hour=0), executed("sell", 1, 15, hour=5)]
    closing = START + timedelta(hours=5)

    assert profit_of(*orders, until=closing) == 0
    assert profit_of(*orders, since=closing) == 5


def test_amounts_are_exact() -> None:
    long = executed("buy", "1234567890123456789.000000001", "9876543210987654.0000000001")
    less = executed("sell", "1234567890123456789.000000001", "9876543210987654.0000000002")

    assert profit_of(long, less) == Decimal("123456789.0123456789000000001")


ORDERS = st.lists(
    st.builds(
        executed,
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 6),
        st.integers(1, 50),
        hour=st.integers(0, 30),
        who=st.sampled_from(["momentum", "other"]),
    ),
    max_size=25,
).map(lambda orders: sorted(orders, key=lambda one: one.ordered_at))


def slowly(orders: list[Execution], since: datetime, until: datetime) -> dict[str, Decimal]:
    """The n-th unit bought pairs with the n-th unit sold; the later of the two says when that was."""
    units: dict[tuple[str, str], list[Execution]] = defaultdict(list)
    for order in orders:
        units[order.trader, order.side] += [order] * int(order.quantity)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for trader in {order.trader for order in orders}:
        for bought, sold in zip(units[trader, "buy"], units[trader, "sell"], strict=False):
            if since <= max(bought.ordered_at, sold.ordered_at) < until:
                sums[trader] += sold.price - bought.price
    return {trader: amount for trader, amount in sums.items() if amount}


@given(ORDERS, st.integers(0, 31), st.integers(0, 31))
def test_it_is_what_pairing_single_units_gives(orders: list[Execution], first: int, last: int) -> None:
    since, until = START + timedelta(hours=first), START + timedelta(hours=last)
    found = {who: amount for who, amount in by_trader(realised(orders, since, until)).items() if amount}

    assert found == slowly(orders, since, until)


@given(ORDERS, st.integers(0, 31))
def test_the_parts_of_a_period_add_up_to_the_whole(orders: list[Execution], hour: int) -> None:
    between = START + timedelta(hours=hour)
    parts = realised(orders, START, between) + realised(orders, between, END)

    assert by_trader(parts) == by_trader(realised(orders, START, END))


@given(ORDERS)
def test_with_the_sides_exchanged_profit_becomes_loss(orders: list[Execution]) -> None:
    other: dict[str, Literal["buy", "sell"]] = {"buy": "sell", "sell": "buy"}
    mirrored = [
        Execution(
            trader=one.trader,
            symbol=one.symbol,
            side=other[one.side],
            quantity=one.quantity,
            price=one.price,
            ordered_at=one.ordered_at,
        )
        for one in orders
    ]

    def negated(profits: list[Profit]) -> dict[str, Decimal]:
        return {who: -amount for who, amount in by_trader(profits).items()}

    assert negated(realised(mirrored, START, END)) == by_trader(realised(orders, START, END))


def test_json_writes_an_amount_as_plain_digits() -> None:
    one = Profit(trader="t", symbol="s", profit=Decimal("1E+3"), closed=Decimal("1.500"), orders=1)

    assert one.model_dump(mode="json") == {
        "trader": "t", "symbol": "s", "profit": "1000", "closed": "1.5", "orders": 1,
    }  # fmt: skip


@pytest.mark.parametrize("amount", ["-0.00", "0E-9", "0"])
def test_nothing_is_a_zero(amount: str) -> None:
    one = Profit(trader="t", symbol="s", profit=Decimal(amount), closed=Decimal(amount), orders=1)

    assert one.model_dump(mode="json")["profit"] == "0"
