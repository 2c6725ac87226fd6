import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from nightdesk.reports import text
from nightdesk.reports.trades import STATEMENTS, TradesReport, build, parameters
from nightdesk.reports.trades_text import as_csv, as_text

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)
NOW = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)
NOTHING: dict[str, list[dict[str, Any]]] = {name: [] for name in STATEMENTS}


def day(number: int, **values: Any) -> dict[str, Any]:
    none = dict.fromkeys(("orders", "executed", "pending", "cancelled", "failed", "buys", "sells"), 0)
    return {"day": date(2026, 11, number), **none, "volume": Decimal(0), **values}


def instrument(symbol: str, volume: str, sector: str = "", **values: Any) -> dict[str, Any]:
    counts = {"orders": 4, "executed": 3, "failed": 1, "volume": Decimal(volume)}
    return {"symbol": symbol, "name": symbol.title(), "sector": sector, **counts, **values}


def a_report(**rows: list[dict[str, Any]]) -> TradesReport:
    return build(FIRST, LAST, {**NOTHING, **rows})


def test_a_period_is_whole_days_both_ends_included() -> None:
    assert parameters(FIRST, LAST) == {
        "first": FIRST,
        "last": LAST,
        "since": datetime(2026, 11, 1, tzinfo=UTC),
        "until": datetime(2026, 11, 4, tzinfo=UTC),
    }


def test_a_period_without_orders_is_zeros() -> None:
    report = a_report()

    assert report.overview.model_dump(mode="json") == {
        "orders": 0, "executed": 0, "buys": 0, "sells": 0, "volume": "0", "average": "0", "failure_rate": 0.0,
    }  # fmt: skip
    assert [one.orders for one in report.statuses] == [0, 0, 0, 0]
    assert [one.day for one in report.days] == [date(2026, 11, number) for number in (1, 2, 3)]
    assert "(none)" in as_text(report, NOW)
    assert as_csv(report).count("\r\n") == 1 + 1 + 4 + 3


def test_totals_are_sums_of_the_days() -> None:
    report = a_report(
        trades_days=[
            day(1, orders=10, executed=6, pending=1, cancelled=1, failed=2, buys=4, sells=2, volume=Decimal("0.1")),
            day(3, orders=10, executed=3, pending=7, buys=3, volume=Decimal("0.2")),
        ]
    )

    assert report.overview.model_dump(mode="json") == {
        "orders": 20, "executed": 9, "buys": 7, "sells": 2, "volume": "0.3", "average": "0.03333333",
        "failure_rate": 0.1,
    }  # fmt: skip
    assert {one.status.value: (one.orders, one.share) for one in report.statuses} == {
        "executed": (9, 0.45), "pending": (8, 0.4), "cancelled": (1, 0.05), "failed": (2, 0.1),
    }  # fmt: skip


def test_ten_are_listed_and_sectors_sum_up_all() -> None:
    rows = [instrument(f"S{number:02}", "10", "Tech" if number < 9 else "") for number in range(12)]
    report = a_report(trades_days=[day(1, orders=48, executed=36, volume=Decimal(120))], trades_instruments=rows)

    assert [one.symbol for one in report.instruments] == [f"S{number:02}" for number in range(10)]
    assert report.instruments_in_all == 12
    assert [(one.sector, one.orders, one.volume, one.share) for one in report.sectors] == [
        ("Tech", 36, Decimal(90), 0.75), ("(none)", 12, Decimal(30), 0.25),
    ]  # fmt: skip


def test_json_has_amounts_as_strings_and_the_period_by_its_names() -> None:
    dumped = a_report(trades_days=[day(1, orders=1, executed=1, volume=Decimal("1E+3"))]).model_dump(mode="json")

    assert (dumped["from"], dumped["to"]) == ("2026-11-01", "2026-11-03")
    assert dumped["overview"]["volume"] == "1000"


def test_no_name_in_the_csv_is_a_formula() -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)"]
    report = a_report(
        trades_instruments=[instrument(name, "1", sector=name) for name in names],
        trades_errors=[{"service": "=HYPERLINK()", "errors": 1, "critical": 0}],
    )

    lines = list(csv.DictReader(as_csv(report).splitlines()))

    said = {line[column] for line in lines for column in ("item", "detail") if line["part"] != "day"}
    assert {f"'{name}" for name in (*names, "=HYPERLINK()")} < said
    assert not [word for word in said if word.startswith(("=", "+", "-", "@"))]


def test_no_line_of_the_text_is_wider_than_eighty_columns() -> None:
    rows = [instrument("A" * 64, "99999999999.99", "B" * 100, orders=999_999, executed=999_999)]
    report = a_report(
        trades_days=[day(1, orders=999_999, executed=999_999, buys=999_999, volume=Decimal("99999999999.99"))],
        trades_instruments=rows,
        trades_errors=[{"service": "c" * 90, "errors": 10**9, "critical": 1}],
    )

    assert max(text.width_of(line) for line in as_text(report, NOW).splitlines()) <= text.WIDTH
