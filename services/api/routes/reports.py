"""The reports: the days and weeks there are, and each of them as a page, as JSON and as text.

A report is made when it is asked for, of what PostgreSQL holds; only which day is today comes from the clock.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from nightdesk import durations
from nightdesk.problems import FieldProblem, RequestError, responses
from nightdesk.reports import daily, daily_text, message, novelty, text, verdict, weekly, weekly_text
from nightdesk.reports.daily import DailyReport
from nightdesk.reports.novelty import LogDay, Novelty
from nightdesk.reports.verdict import Level, Verdict
from nightdesk.reports.weekly import WeeklyReport
from services.api.charts.amounts import Amount, bar_chart
from services.api.charts.price import PricePoint, price_chart
from services.api.days import NO_DAY, Day, checked
from services.api.formats import ReportFormat, format_of
from services.api.layout import page
from services.api.templates import SAFE, picture

router = APIRouter(tags=["reports"])

OFFERED: Final = (ReportFormat.HTML, ReportFormat.JSON, ReportFormat.TEXT)
LISTED: Final = 30
DAY: Final = timedelta(days=1)
QUARTER: Final = timedelta(minutes=15)
AS_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
FORMS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": AS_TEXT, "text/plain": AS_TEXT}}}
"""How a route describes that it answers with a page and with text as well."""

PICTURE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/svg+xml": AS_TEXT}, "description": "the picture"}
}
SAYS: Final[dict[str, Any]] = {
    "percent": verdict.percent,
    "share": text.share,
    "length": durations.written,
    "named": message.named,
}
"""What the templates write figures with."""

Form = Annotated[
    Literal["html", "json", "text"] | None,
    Query(description="page, JSON or text; else as `Accept` says, else JSON"),
]
ReportDay = Annotated[Day, Path(description="the UTC day")]
WeekDay = Annotated[Day, Path(description="any UTC day of the week, which begins on Monday")]


class DayLine(BaseModel):
    """A day in the list."""

    day: date = Field(description="the UTC day")
    verdict: Verdict = Field(description="how it was, and why")
    report: str = Field(description="path of its report")


class WeekLine(BaseModel):
    """A week in the list."""

    monday: date = Field(description="its first day")
    report: str = Field(description="path of its review")


class ReportList(BaseModel):
    """The reports there are, the newest first."""

    days: list[DayLine] = Field(description="days of which anything is known, at most thirty; today's is so far")
    weeks: list[WeekLine] = Field(description="the weeks of these days")
    next: date | None = Field(
        description="give this as `before` for the days before; null when nothing is known of them"
    )


class ReportsQuery(BaseModel):
    """Which reports."""

    model_config = ConfigDict(extra="forbid")

    before: Day | None = Field(None, description="only days before this one: `next` of a page")
    format: Literal["html", "json"] | None = Field(None, description="page or JSON; else as `Accept` says, else JSON")


@router.get(
    "/reports", response_model=ReportList, summary="Which reports are there?",
    responses={200: {"content": {"text/html": AS_TEXT}}, **NO_DAY},
)  # fmt: skip
async def reports(request: Request, query: Annotated[ReportsQuery, Query()]) -> ReportList | Response:
    """Return the days, newest first, each with its verdict, and their weeks."""
    before = checked(query.before) if query.before is not None else _today() + DAY
    asked = {"from_day": before - LISTED * DAY, "to_day": before}
    rows = (await request.app.state.report([verdict.STATEMENT], asked))[verdict.STATEMENT]
    found = listed(rows, before)
    if _form(request, query.format, (ReportFormat.HTML, ReportFormat.JSON)) is ReportFormat.HTML:
        return page(request, "report_list.html", found=found, before=query.before, **SAYS)
    return found


def listed(rows: Iterable[Mapping[str, Any]], before: date) -> ReportList:
    """Return the list of the days that these rows are of, all before one."""
    judged = [(one.day, found) for one, found in verdict.judged(list(rows)) if found.level is not Level.UNKNOWN]
    days = [DayLine(day=day, verdict=found, report=f"/reports/daily/{day}") for day, found in reversed(judged)]
    mondays = dict.fromkeys(weekly.monday_of(one.day) for one in days)
    return ReportList(
        days=days,
        weeks=[WeekLine(monday=monday, report=f"/reports/weekly/{monday}") for monday in mondays],
        next=before - LISTED * DAY if days else None,
    )


@router.get(
    "/reports/daily/{day}", response_model=DailyReport, summary="How was that day?", responses={**FORMS, **NO_DAY}
)
async def daily_report(request: Request, day: ReportDay, format: Form = None) -> DailyReport | Response:  # noqa: A002
    """Return the report of a UTC day: completeness, gaps, prices, runs, alerts, errors, headroom, profit."""
    asked = daily.parameters(checked(day))
    report = daily.build(day, await request.app.state.report(daily.STATEMENTS, asked))
    form = _form(request, format, OFFERED)
    if form is ReportFormat.TEXT:
        return _text(daily_text.written(report))
    if form is ReportFormat.HTML:
        return page(request, "daily.html", report=report, **_around(day, DAY), **SAYS)
    return report


@router.get(
    "/reports/daily/{day}/charts/{name}.svg",
    response_class=Response,
    summary="A picture of that day",
    responses={**PICTURE, **responses({404: "no such day, or no such picture of it"})},
)
async def daily_chart(
    request: Request,
    day: ReportDay,
    name: Annotated[
        str,
        Path(
            pattern="^(errors|price-[1-9][0-9]{0,8})$",
            description="`errors`, or `price-` and a symbol's number",
            examples=["errors", "price-1"],
        ),
    ],
) -> Response:
    """Return a picture (SVG) of a symbol's prices and volume, or of the errors by service."""
    asked = daily.parameters(checked(day))
    if name == "errors":
        drawn = errors_chart(novelty.build(day, await request.app.state.report(novelty.STATEMENTS, asked)))
    else:
        drawn = await _price_chart(request, {**asked, "symbol_id": int(name.removeprefix("price-"))})
    return picture(drawn)


@router.get(
    "/reports/weekly/{day}", response_model=WeeklyReport, summary="How was that week?", responses={**FORMS, **NO_DAY}
)
async def weekly_report(request: Request, day: WeekDay, format: Form = None) -> WeeklyReport | Response:  # noqa: A002
    """Return the review of the week of a UTC day: downtime, interventions, pages, and every alert rule with advice."""
    asked = weekly.parameters(checked(day))
    report = weekly.build(day, await request.app.state.report(weekly.STATEMENTS, asked))
    form = _form(request, format, OFFERED)
    if form is ReportFormat.TEXT:
        return _text(weekly_text.written(report))
    if form is ReportFormat.HTML:
        return page(request, "weekly.html", report=report, **_around(report.monday, 7 * DAY), **SAYS)
    return report


def errors_chart(logs: LogDay) -> str:
    """Return a picture of the lines of errors by service; those of new kinds stand out."""
    lines: dict[str, list[int]] = {}
    for one in logs.errors:
        whole = lines.setdefault(one.service, [0, 0])
        whole[0] += one.lines
        whole[1] += one.lines if one.novelty is Novelty.NEW else 0
    ordered = sorted(lines.items(), key=lambda item: (-item[1][0], item[0]))
    amounts = [Amount(label=service, value=every, marked=new) for service, (every, new) in ordered if every]
    return bar_chart(amounts, title=f"Lines of errors by service, {logs.day}")


async def _price_chart(request: Request, asked: Mapping[str, Any]) -> str:
    found = await request.app.state.report(["daily_symbol", "daily_points"], asked)
    known = found["daily_symbol"]
    if not known:
        detail = f"there is no symbol {asked['symbol_id']}"
        raise RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="name", place="path", detail=detail)])
    return price_chart(
        [PricePoint(**row) for row in found["daily_points"]],
        title=f"{known[0]['symbol']}, {asked['day']} UTC",
        step=QUARTER,
    )


def _today() -> date:
    return datetime.now(UTC).date()


def _around(day: date, step: timedelta) -> dict[str, Any]:
    return {"previous": day - step, "following": day + step}


def _form(request: Request, asked: str | None, offered: tuple[ReportFormat, ...]) -> ReportFormat:
    return format_of(request, None if asked is None else ReportFormat(asked), offered)


def _text(written: str) -> Response:
    return PlainTextResponse(written, headers=SAFE)
