"""The trade report of a period: what was ordered, what became of it, by whom, of what. Pure.

A period is whole UTC days, the first and the last both included. Volumes, averages, buys and sells count executed
orders only; a failure rate is the share of all orders that failed. Shares and rates are ratios from 0 to 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.orders.models import Status
from nightdesk.reports.amounts import Amount

STATEMENTS: Final = ("trades_days", "trades_instruments", "trades_traders", "trades_errors")
TOP: Final = 10
MAX_DAYS: Final = 1_096
"""Three years."""

NO_SECTOR: Final = "(none)"
"""What the instruments without a sector are summed up as."""

EXACT: Final = Context(prec=400)
PLACES: Final = Decimal("1e-8")
"""What an average is rounded to."""

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Overview(BaseModel):
    """The period in numbers."""

    orders: int = Field(description="all orders, whatever became of them")
    executed: int = Field(description="executed orders")
    buys: int = Field(description="executed orders that bought")
    sells: int = Field(description="executed orders that sold")
    volume: Amount = Field(description="sum of quantity times price of executed orders")
    average: Amount = Field(description="volume of an executed order, rounded to 8 places; 0 where there is none")
    failure_rate: float = Field(description="failed orders among all, from 0 to 1")


class StatusShare(BaseModel):
    """How many orders came to one status."""

    status: Status
    orders: int
    share: float = Field(description="among all orders, from 0 to 1")


class Group(BaseModel):
    """Orders that have something in common."""

    orders: int = Field(description="all orders")
    executed: int = Field(description="executed orders")
    failed: int = Field(description="failed orders")
    volume: Amount = Field(description="sum of quantity times price of executed orders")
    average: Amount = Field(description="volume of an executed order")
    share: float = Field(description="of the period's volume, from 0 to 1")
    failure_rate: float = Field(description="failed orders among all, from 0 to 1")


class InstrumentOrders(Group):
    """The orders of one instrument."""

    symbol: str
    name: str
    sector: str


class TraderOrders(Group):
    """The orders of one trader."""

    name: str
    kind: str = Field(description="strategy or account")


class SectorOrders(Group):
    """The orders of the instruments of one sector."""

    sector: str = Field(description="(none) where the instrument has none")


class Day(BaseModel):
    """One UTC day, as the view daily_summary has it; days without orders are zeros."""

    day: date
    orders: int = 0
    executed: int = 0
    pending: int = 0
    cancelled: int = 0
    failed: int = 0
    buys: int = 0
    sells: int = 0
    volume: Amount = Decimal(0)
    average: Amount = Decimal(0)


class ServiceErrors(BaseModel):
    """What one service logged as an error."""

    service: str
    errors: int = Field(description="lines of level error")
    critical: int = Field(description="lines of level critical")


class TradesReport(BaseModel):
    """The trade report."""

    model_config = ConfigDict(serialize_by_alias=True)

    first: date = Field(serialization_alias="from", description="the first day (UTC)")
    last: date = Field(serialization_alias="to", description="the last day, included (UTC)")
    overview: Overview
    statuses: list[StatusShare] = Field(description="what became of the orders, every status once")
    instruments: list[InstrumentOrders] = Field(description="the ten with most volume, the largest first")
    instruments_in_all: int = Field(description="instruments with orders in the period")
    traders: list[TraderOrders] = Field(description="the ten with most volume, the largest first")
    traders_in_all: int = Field(description="traders with orders in the period")
    sectors: list[SectorOrders] = Field(description="all, the largest volume first")
    days: list[Day] = Field(description="every day of the period, oldest first")
    errors: list[ServiceErrors] = Field(description="services that logged errors in the period, the most first")


def parameters(first: date, last: date) -> dict[str, object]:
    """Return what the statements take for a period."""
    since = datetime.combine(first, time(), UTC)
    until = datetime.combine(last, time(), UTC) + timedelta(days=1)
    return {"first": first, "last": last, "since": since, "until": until}


def build(first: date, last: date, rows: Rows) -> TradesReport:
    """Return the report of a period from what its statements found."""
    with localcontext(EXACT):
        days = _days(first, last, rows["trades_days"])
        overview = _overview(days)
        instruments = [InstrumentOrders(**_labels(row), **_group(row, overview)) for row in rows["trades_instruments"]]
        traders = [TraderOrders(**_labels(row), **_group(row, overview)) for row in rows["trades_traders"]]
        return TradesReport(
            first=first,
            last=last,
            overview=overview,
            statuses=_statuses(days, overview),
            instruments=instruments[:TOP],
            instruments_in_all=len(instruments),
            traders=traders[:TOP],
            traders_in_all=len(traders),
            sectors=_sectors(instruments, overview),
            days=days,
            errors=[ServiceErrors.model_validate(row) for row in rows["trades_errors"]],
        )


def _days(first: date, last: date, rows: Iterable[Mapping[str, Any]]) -> list[Day]:
    known = {row["day"]: Day(**row, average=_average(row["volume"], row["executed"])) for row in rows}
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [known.get(day) or Day(day=day) for day in every]


def _overview(days: Sequence[Day]) -> Overview:
    orders, executed = sum(day.orders for day in days), sum(day.executed for day in days)
    volume = sum((day.volume for day in days), Decimal(0))
    return Overview(
        orders=orders,
        executed=executed,
        buys=sum(day.buys for day in days),
        sells=sum(day.sells for day in days),
        volume=volume,
        average=_average(volume, executed),
        failure_rate=_ratio(sum(day.failed for day in days), orders),
    )


def _statuses(days: Sequence[Day], overview: Overview) -> list[StatusShare]:
    counts = {status: sum(getattr(day, status.value) for day in days) for status in Status}
    return [
        StatusShare(status=status, orders=orders, share=_ratio(orders, overview.orders))
        for status, orders in counts.items()
    ]


def _sectors(instruments: Iterable[InstrumentOrders], overview: Overview) -> list[SectorOrders]:
    sums: dict[str, dict[str, Any]] = {}
    for one in instruments:
        so_far = sums.setdefault(one.sector or NO_SECTOR, dict.fromkeys(_SUMMED, 0))
        sums[one.sector or NO_SECTOR] = {name: so_far[name] + getattr(one, name) for name in _SUMMED}
    found = [SectorOrders(sector=sector, **_group(row, overview)) for sector, row in sums.items()]
    return sorted(found, key=lambda one: (-one.volume, one.sector))


_SUMMED: Final = ("orders", "executed", "failed", "volume")


def _labels(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _SUMMED}


def _group(row: Mapping[str, Any], overview: Overview) -> dict[str, Any]:
    return {name: row[name] for name in _SUMMED} | {
        "average": _average(row["volume"], row["executed"]),
        "share": _ratio(row["volume"], overview.volume),
        "failure_rate": _ratio(row["failed"], row["orders"]),
    }


def _average(volume: Decimal, executed: int) -> Decimal:
    return (Decimal(volume) / executed).quantize(PLACES) if executed else Decimal(0)


def _ratio(part: Decimal | int, whole: Decimal | int) -> float:
    return round(float(Decimal(part) / Decimal(whole)), 6) if whole else 0.0
