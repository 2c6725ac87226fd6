"""The trade report as a page and as pictures. Pure."""

from typing import Final
from urllib.parse import urlencode

from nightdesk.orders.models import Status
from nightdesk.reports.text import number, share
from nightdesk.reports.trades import TradesReport
from nightdesk.reports.trades_text import money
from services.api.charts.amounts import Amount, bar_chart, column_chart

CHARTS: Final = ("volume", "orders", "statuses", "sectors")
"""Pictures of a report, by their names in addresses."""


def chart(name: str, report: TradesReport) -> str:
    """Return one of the pictures (SVG)."""
    if name == "volume":
        volumes = [Amount(label=f"{day.day:%d %b}", value=float(day.volume)) for day in report.days]
        return column_chart(volumes, title=f"Volume by day, {period(report)}")
    if name == "orders":
        counts = [Amount(label=f"{day.day:%d %b}", value=day.orders, marked=day.failed) for day in report.days]
        return column_chart(counts, title=f"Orders by day, the failed ones marked, {period(report)}")
    if name == "statuses":
        shares = [Amount(label=one.status.value, value=one.orders) for one in report.statuses]
        return bar_chart(shares, title=f"Orders by status, {period(report)}")
    volumes = [Amount(label=one.sector, value=float(one.volume)) for one in report.sectors]
    return bar_chart(volumes, title=f"Volume by sector, {period(report)}")


def said(name: str, report: TradesReport) -> str:
    """Return what a picture shows, for who does not see it."""
    one = report.overview
    if name == "volume":
        best = max(report.days, key=lambda day: day.volume)
        most = f"; the most, {money(best.volume)}, on {best.day}" if best.volume else ""
        return f"Volume by day: {money(one.volume)} in all{most}."
    if name == "orders":
        failed = next(status.orders for status in report.statuses if status.status is Status.FAILED)
        return f"Orders by day: {number(one.orders)} in all, {number(failed)} of them failed."
    if name == "statuses":
        said_of = ", ".join(f"{status.status.value} {share(status.share)}" for status in report.statuses)
        return f"Orders by status: {said_of}."
    largest = ", ".join(f"{sector.sector} {share(sector.share)}" for sector in report.sectors[:3])
    return f"Volume by sector: {largest or 'none'}."


def period(report: TradesReport) -> str:
    """Return the period in words."""
    return f"{report.first} to {report.last}"


def query(report: TradesReport) -> str:
    """Return the period as an address has it."""
    return urlencode({"from": report.first.isoformat(), "to": report.last.isoformat()})
