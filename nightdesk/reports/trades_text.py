"""The trade report as the classic text of fixed width, and as CSV. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from nightdesk.reports import text
from nightdesk.reports.text import number, share
from nightdesk.reports.trades import Day, Group, TradesReport

NOTHING: Final = "  (none)"
WHOLE_FROM: Final = Decimal(10) ** 11
"""Amounts from here on are written without places, which nobody reads and no line has room for."""

COLUMNS: Final = (
    "part", "item", "detail", "orders", "executed", "pending", "cancelled", "failed", "buys", "sells", "volume",
    "average", "share", "failure_rate",
)  # fmt: skip

WORDS: Final = ("item", "detail")
"""Columns with names that others gave."""

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_text(report: TradesReport, generated_at: datetime) -> str:
    """Return the classic text; ``generated_at`` is shown in UTC."""
    lines = [
        *text.title("TRADE REPORT"),
        *text.pairs(
            [
                ("Period", f"{report.first} to {report.last} (UTC days, both included)"),
                ("Generated at", f"{generated_at:%Y-%m-%d %H:%M:%S} UTC"),
            ]
        ),
        *_overview(report),
        *_statuses(report),
        *_volume_by_day(report),
        *_instruments(report),
        *_traders(report),
        *_sectors(report),
        *_daily_summary(report),
        *_errors(report),
        "",
        "Volume, average, buys and sells count executed orders only.",
    ]
    return "\n".join(lines) + "\n"


def as_csv(report: TradesReport) -> str:
    """Return one table with everything: ``part`` says what a line is about, what does not apply to it is empty.

    A name that a spreadsheet would reckon with as a formula has an apostrophe before it
    (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\r\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows({**line, **{name: _word(line.get(name, "")) for name in WORDS}} for line in _table(report))
    return file.getvalue()


def _word(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def _table(report: TradesReport) -> Iterable[Mapping[str, Any]]:
    counts = {one.status.value: one.orders for one in report.statuses}
    yield {**report.overview.model_dump(mode="json"), **counts, "part": "overview"}
    for status in report.statuses:
        yield {"part": "status", "item": status.status.value, "orders": status.orders, "share": status.share}
    for instrument in report.instruments:
        yield _csv_group("instrument", instrument.symbol, instrument.sector, instrument)
    for trader in report.traders:
        yield _csv_group("trader", trader.name, trader.kind, trader)
    for sector in report.sectors:
        yield _csv_group("sector", sector.sector, "", sector)
    for day in report.days:
        yield {**day.model_dump(mode="json"), "part": "day", "item": day.day.isoformat()}
    for one in report.errors:
        yield {"part": "errors", "item": one.service, "detail": f"{one.errors} error, {one.critical} critical"}


def _csv_group(part: str, item: str, detail: str, group: Group) -> dict[str, Any]:
    return {**group.model_dump(mode="json"), "part": part, "item": item, "detail": detail}


def _overview(report: TradesReport) -> list[str]:
    one = report.overview
    return [
        *text.section("OVERVIEW"),
        *text.pairs(
            [
                ("Orders", number(one.orders)),
                ("Executed", number(one.executed)),
                ("Volume", money(one.volume)),
                ("Average order", money(one.average)),
                ("Buys / sells", f"{number(one.buys)} / {number(one.sells)}"),
                ("Failure rate", share(one.failure_rate)),
            ]
        ),
    ]


def _statuses(report: TradesReport) -> list[str]:
    rows = [[one.status.value, number(one.orders), share(one.share)] for one in report.statuses]
    return [*text.section("ORDERS BY STATUS"), *text.table(["Status", "Orders", "Share"], rows, "lrr")]


def _volume_by_day(report: TradesReport) -> list[str]:
    bars = text.bars([(day.day.isoformat(), day.volume, money(day.volume)) for day in report.days])
    return [*text.section("VOLUME BY DAY"), *bars]


def _instruments(report: TradesReport) -> list[str]:
    heading = f"TOP INSTRUMENTS ({len(report.instruments)} of {report.instruments_in_all})"
    rows = [[one.symbol, one.sector, *_cells(one)] for one in report.instruments]
    return _groups(heading, ["Symbol", "Sector"], rows)


def _traders(report: TradesReport) -> list[str]:
    heading = f"TOP TRADERS ({len(report.traders)} of {report.traders_in_all})"
    return _groups(heading, ["Trader", "Kind"], [[one.name, one.kind, *_cells(one)] for one in report.traders])


def _sectors(report: TradesReport) -> list[str]:
    return _groups("BY SECTOR", ["Sector"], [[one.sector, *_cells(one)] for one in report.sectors])


def _groups(heading: str, names: list[str], rows: list[list[str]]) -> list[str]:
    heads = [*names, "Orders", "Executed", "Volume", "Share", "Failed"]
    table = text.table(heads, rows, "l" * len(names) + "rrrrr") if rows else [NOTHING]
    return [*text.section(heading), *table]


def _cells(group: Group) -> list[str]:
    counts = [number(group.orders), number(group.executed)]
    return [*counts, money(group.volume), share(group.share), share(group.failure_rate)]


def _daily_summary(report: TradesReport) -> list[str]:
    heads = ["Day", "Orders", "Exec", "Pend", "Canc", "Fail", "Buys", "Sells", "Average"]
    return [
        *text.section("DAILY SUMMARY"),
        *text.table(heads, [_day_cells(day) for day in report.days], "l" + "r" * 8),
    ]


def _day_cells(day: Day) -> list[str]:
    counts = (day.orders, day.executed, day.pending, day.cancelled, day.failed, day.buys, day.sells)
    return [day.day.isoformat(), *(number(count) for count in counts), money(day.average)]


def _errors(report: TradesReport) -> list[str]:
    counted = [(one.service, one.errors + one.critical) for one in report.errors]
    bars = text.bars([(service, lines, number(lines)) for service, lines in counted]) or [NOTHING]
    return [*text.section("ERRORS BY SERVICE"), *bars]


def money(amount: Decimal) -> str:
    """Return an amount with two places, or none where it is very large."""
    return number(amount, 0 if amount >= WHOLE_FROM else 2)
