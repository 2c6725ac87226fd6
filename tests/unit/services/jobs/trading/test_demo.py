from collections import Counter
from datetime import date, timedelta

import pytest

from nightdesk.orders.models import NewOrder, Status
from services.jobs.trading import demo

NOVEMBER = date(2026, 11, 1)
DECEMBER = date(2026, 12, 1)


def a_month(orders: int = 800, seed: int = 7) -> list[NewOrder]:
    return [one for day in demo.days_of(NOVEMBER, DECEMBER) for one in demo.orders_on(day, orders, seed)]


def test_the_outcomes_are_those_of_a_usual_month() -> None:
    made = a_month(8_000)
    shares = {status: 100 * count / len(made) for status, count in Counter(one.status for one in made).items()}

    assert len(made) == pytest.approx(8_000, rel=0.01)
    assert shares[Status.EXECUTED] == pytest.approx(87, abs=1.5)
    assert shares[Status.PENDING] == pytest.approx(3.5, abs=0.9)
    assert shares[Status.CANCELLED] == pytest.approx(5.5, abs=1)
    assert shares[Status.FAILED] == pytest.approx(4, abs=0.9)


def test_the_same_seed_makes_the_same_orders_and_another_one_others() -> None:
    assert a_month() == a_month()
    assert {one.reference for one in a_month()}.isdisjoint(one.reference for one in a_month(seed=8))


def test_every_reference_is_there_once_and_every_order_is_one_that_is_taken() -> None:
    made = a_month()

    assert len({one.reference for one in made}) == len(made)
    assert all(NewOrder.model_validate(one.model_dump()) == one for one in made)


def test_a_month_under_way_is_made_up_to_the_day_before_and_grows() -> None:
    days = demo.days_of(NOVEMBER, date(2026, 11, 17))

    assert days[-1] == date(2026, 11, 16)
    assert demo.days_of(DECEMBER, NOVEMBER) == []
    assert demo.days_of(NOVEMBER, DECEMBER + timedelta(days=9))[-1] == date(2026, 11, 30)


def test_stocks_trade_in_hours_only_and_nothing_but_cryptocurrencies_at_the_weekend() -> None:
    for one in a_month():
        if not one.symbol.endswith("USDT"):
            assert one.ordered_at.weekday() < 5
            assert 14 <= one.ordered_at.hour <= 21


def test_what_failed_or_was_cancelled_has_a_reason() -> None:
    for one in a_month():
        assert bool(one.reason) == (one.status in {Status.FAILED, Status.CANCELLED})
