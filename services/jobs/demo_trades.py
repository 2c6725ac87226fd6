"""Make up a realistic month of orders, with the instruments and traders they name.

The same arguments make the same orders, which are recorded once however often it is done; a month that is not over yet
is made up to the day before. Other orders are not touched: these have references that begin with ``DEMO-``.
"""

from collections.abc import Iterator
from datetime import UTC, date, timedelta

from pydantic import Field

from nightdesk.errors import ConfigurationError
from nightdesk.orders.kinds import INSTRUMENTS, ORDERS, TRADERS
from nightdesk.orders.loading import load
from nightdesk.orders.models import NewOrder
from nightdesk.runs import Json
from services.jobs.runner import job
from services.jobs.runner.job import Desk
from services.jobs.trading import demo

NAME = "demo_trades"


class Arguments(job.Arguments):
    """Which month, and how much of it."""

    month: str | None = Field(
        None, pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="UTC month as 2026-11; without one, yesterday's"
    )
    orders: int = Field(5000, ge=100, le=1_000_000, description="orders of a whole month, roughly")
    seed: int = Field(7, ge=0, le=1_000_000, description="another one makes other orders, which are added")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Record them; raises ConfigurationError for a month that has not begun."""
    today = desk.scheduled_for.astimezone(UTC).date()
    first = _first(arguments.month, today)
    days = demo.days_of(first, today)
    if not days:
        raise ConfigurationError(f"month: no day of {first:%Y-%m} is over yet")
    total = sum(demo.orders_of_day(day, arguments.orders) for day in days)
    with desk.connect(NAME) as connection:
        load(connection, INSTRUMENTS, enumerate(demo.instruments()))
        load(connection, TRADERS, enumerate(demo.traders()))
        made = enumerate(_orders(days, arguments))
        counts = load(connection, ORDERS, made, told=lambda read: desk.progress(read, total, "orders"))
    page = f"/reports/trades?from={first}&to={days[-1]}"
    return {"from": first.isoformat(), "to": days[-1].isoformat(), **counts.model_dump(), "page": page}


def _first(month: str | None, today: date) -> date:
    return date.fromisoformat(f"{month}-01") if month else (today - timedelta(days=1)).replace(day=1)


def _orders(days: list[date], arguments: Arguments) -> Iterator[NewOrder]:
    for day in days:
        yield from demo.orders_on(day, arguments.orders, arguments.seed)
