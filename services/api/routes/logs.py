"""What was different in a day's logs, and the lines of one error."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import PlainTextResponse, Response

from nightdesk.logs import cleaned, redacted
from nightdesk.problems import FieldProblem, RequestError, responses
from nightdesk.reports import log_lines, novelty, novelty_text, text
from nightdesk.reports.log_lines import LogLine, LogLines
from nightdesk.reports.message import named
from nightdesk.reports.novelty import LEVELS, LogDay, Novelty
from services.api.days import NO_DAY, Day, checked
from services.api.formats import ReportFormat, format_of
from services.api.layout import PAGE, page
from services.api.templates import SAFE

router = APIRouter(tags=["reports"])

DAY: Final = timedelta(days=1)
MAX_PAGE: Final = 10_000
SHOWN: Final = 100
"""Errors on the page; JSON has all."""

AS_TEXT: Final[dict[str, Any]] = {"schema": {"type": "string"}}
FORMS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": AS_TEXT, "text/plain": AS_TEXT}}}
"""How a route describes that it answers with a page and with text as well."""

WORDS: Final[Mapping[Novelty, str]] = {
    Novelty.NEW: "down",
    Novelty.BACK: "degraded",
    Novelty.RISING: "degraded",
    Novelty.USUAL: "",
    Novelty.GONE: "ok",
}
"""How the page marks each kind."""

LogDayPath = Annotated[Day, Path(description="the UTC day")]


@router.get(
    "/reports/logs/{day}",
    response_model=LogDay,
    summary="What was different in that day's logs?",
    responses={**FORMS, **NO_DAY},
)
async def log_day(
    request: Request,
    day: LogDayPath,
    format: Annotated[  # noqa: A002  the query's name
        Literal["html", "json", "text"] | None,
        Query(description="page, JSON or text; else as `Accept` says, else JSON"),
    ] = None,
) -> LogDay | Response:
    """Return a UTC day's errors ranked by novelty, and by service lines, fetches, reconnects, restarts."""
    found = novelty.build(checked(day), await request.app.state.report(novelty.STATEMENTS, {"day": day}))
    offered = (ReportFormat.HTML, ReportFormat.JSON, ReportFormat.TEXT)
    form = format_of(request, None if format is None else ReportFormat(format), offered)
    if form is ReportFormat.TEXT:
        return PlainTextResponse(novelty_text.written(found), headers=SAFE)
    return _page(request, found) if form is ReportFormat.HTML else found


@router.get(
    "/reports/logs/{day}/{fingerprint}",
    response_model=LogLines,
    summary="The lines of one error",
    responses={**PAGE, **responses({404: "no such day, or no such error on it or in the thirty days before"})},
)
async def error_lines(
    request: Request,
    day: LogDayPath,
    fingerprint: Annotated[
        str, Path(pattern="^[0-9a-f]{16}$", description="what names the error", examples=["b269569bfe617a8f"])
    ],
    page: Annotated[int, Query(ge=1, le=MAX_PAGE, description="`next` of a page, for older lines")] = 1,
    format: Annotated[  # noqa: A002  the query's name
        Literal["html", "json"] | None, Query(description="page or JSON; else as `Accept` says, else JSON")
    ] = None,
) -> LogLines | Response:
    """Return an error's lines on a UTC day, newest first, two hundred a page."""
    asked = log_lines.parameters(checked(day), fingerprint, page)
    found = log_lines.build(day, page, await request.app.state.report(log_lines.STATEMENTS, asked))
    if found is None:
        detail = f"there is no such error on {day} or in the thirty days before"
        raise RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="fingerprint", place="path", detail=detail)])
    found = found.model_copy(update={"lines": [_without_secrets(one) for one in found.lines]})
    form = format_of(request, None if format is None else ReportFormat(format), (ReportFormat.HTML, ReportFormat.JSON))
    return _lines_page(request, found) if form is ReportFormat.HTML else found


def _page(request: Request, found: LogDay) -> Response:
    return page(
        request,
        "logs.html",
        logs=found,
        headline=novelty_text.headline(found),
        named=named,
        share=text.share,
        levels=[level for level in LEVELS if any(level in one.levels for one in found.services)],
        marks=WORDS,
        most=SHOWN,
        previous=found.day - DAY,
        following=found.day + DAY,
    )


def _lines_page(request: Request, found: LogLines) -> Response:
    return page(request, "log_lines.html", found=found, named=named, shown=_shown)


def _without_secrets(line: LogLine) -> LogLine:
    """Another program's log may hold what ours never do."""
    return line.model_copy(update={"message": redacted(line.message), "fields": cleaned(line.fields)})


def _shown(line: LogLine) -> str:
    return redacted(log_lines.shown(line))
