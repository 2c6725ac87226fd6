"""The trade report of any days: as a page, JSON, CSV and the classic text."""

import re
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from nightdesk.problems import wrong_field
from nightdesk.reports.trades import MAX_DAYS, STATEMENTS, TradesReport, build, parameters
from nightdesk.reports.trades_text import as_csv, as_text
from services.api import trades_page
from services.api.formats import ReportFormat, format_of
from services.api.layout import page
from services.api.templates import picture

router = APIRouter(tags=["reports"])

FORMS: Final = (ReportFormat.HTML, ReportFormat.JSON, ReportFormat.CSV, ReportFormat.TEXT)
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(given: object) -> object:
    if isinstance(given, str):
        if not _DAY.fullmatch(given):
            raise ValueError("must be a day such as 2026-11-01")
        given = date.fromisoformat(given)
    if isinstance(given, date) and not FIRST_YEAR <= given.year <= LAST_YEAR:
        raise ValueError(f"must be between {FIRST_YEAR} and {LAST_YEAR}")
    return given


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class TradesQuery(BaseModel):
    """Which days."""

    model_config = ConfigDict(extra="forbid")

    from_: Day | None = Field(
        None, alias="from", description="the first day (UTC); else the first of the month that `to` is in"
    )
    to: Day | None = Field(None, description="the last day, included (UTC); else today, or `from` where that is later")
    format: ReportFormat | None = Field(None, description="html, json, csv or text; else what `Accept` says")


Query_ = Annotated[TradesQuery, Query()]


@router.get(
    "/reports/trades",
    summary="The trade report",
    response_model=TradesReport,
    responses={
        200: {
            "description": "The report in the form that was asked for",
            "content": {kind: {"schema": {"type": "string"}} for kind in ("text/html", "text/csv", "text/plain")},
        }
    },
)
async def trades(request: Request, query: Query_) -> Response:
    """Return what was ordered on these days, what became of it, by whom and of what; this month, if no day is named.

    Volumes, averages, buys and sells count executed orders only. Amounts are strings of plain digits.
    """
    now = datetime.now(UTC)
    report = await _report(request, query, now.date())
    form = format_of(request, query.format, FORMS)
    if form is ReportFormat.HTML:
        return page(request, "trades.html", report=report, query=trades_page.query(report), said=trades_page.said)
    if form is ReportFormat.CSV:
        return _file(as_csv(report), report)
    if form is ReportFormat.TEXT:
        return PlainTextResponse(as_text(report, now))
    return JSONResponse(report.model_dump(mode="json"))


@router.get("/reports/trades/charts/{name}.svg", include_in_schema=False)
async def trades_chart(
    request: Request, name: Annotated[Literal["volume", "orders", "statuses", "sectors"], Path()], query: Query_
) -> Response:
    """Draw one of the report's pictures."""
    return picture(trades_page.chart(name, await _report(request, query, datetime.now(UTC).date())))


async def _report(request: Request, query: TradesQuery, today: date) -> TradesReport:
    first, last = _period(query, today)
    return build(first, last, await request.app.state.report(STATEMENTS, parameters(first, last)))


def _period(query: TradesQuery, today: date) -> tuple[date, date]:
    """Return the first and the last day; raises RequestError when they make no period."""
    last = query.to or max(today, query.from_ or today)
    first = query.from_ or last.replace(day=1)
    if last < first:
        raise wrong_field(HTTPStatus.UNPROCESSABLE_ENTITY, "to", f"must not be before from ({first})")
    if (last - first).days >= MAX_DAYS:
        raise wrong_field(HTTPStatus.UNPROCESSABLE_ENTITY, "from", f"a report has {MAX_DAYS} days at most")
    return first, last


def _file(text: str, report: TradesReport) -> Response:
    name = f"trades-{report.first}_{report.last}.csv"
    return Response(text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'})
