"""A page a symbol: its chart, its last ticks and bars, its gaps. A symbol may have any character, a slash too."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from nightdesk.problems import FieldProblem, RequestError
from services.api import gaps_page, symbol_page
from services.api.access import for_both
from services.api.layout import page
from services.api.models import Bar, FeedName, Interval, SymbolName
from services.api.routes.bars import Moment, aligned
from services.api.routes.gaps import GapsQuery, gaps_of
from services.api.routes.ticks import age_s, tick_of
from services.api.symbol_page import Range
from services.api.templates import picture

router = APIRouter(prefix="/symbols", include_in_schema=False, dependencies=[Depends(for_both)])

BARS_SHOWN: Final = 20
GAPS_SHOWN: Final = 5
MOST: Final = 1000

Feed = Annotated[FeedName, Path(description="feed")]
Symbol = Annotated[SymbolName, Path(description="symbol as the feed writes it")]
Wanted = Annotated[Range, Query(alias="range", description="how far to look back")]


@router.get("/{feed}/{symbol:path}/chart.svg")
async def chart(
    request: Request,
    feed: Feed,
    symbol: Symbol,
    wanted: Wanted = Range.H2,
    to: Annotated[Moment | None, Query(description="where the chart ends; now, if not said")] = None,
) -> Response:
    """Draw the price of the last hours or days; a browser may keep it until it is worth drawing anew."""
    number = await _number(request, feed, symbol)
    bars = await _bars(request, number, wanted.interval, wanted.span, to or datetime.now(UTC))
    answer = picture(symbol_page.chart(symbol, bars, wanted))
    answer.headers["Cache-Control"] = f"private, max-age={wanted.every.total_seconds():.0f}"
    return answer


@router.get("/{feed}/{symbol:path}")
async def symbol(request: Request, feed: Feed, symbol: Symbol, wanted: Wanted = Range.H2) -> Response:
    """Show one symbol; its chart is a picture, so that no script is needed."""
    now = datetime.now(UTC)
    number = await _number(request, feed, symbol)
    asked: dict[str, Any] = {"feed": feed, "symbol": symbol}
    (row,), ticks, bars, newest, found = await asyncio.gather(
        request.app.state.rows("overview", {**asked, "day": now.date() - timedelta(days=1)}),
        request.app.state.rows("latest", {**asked, "kind": None}),
        _bars(request, number, wanted.interval, wanted.span, now),
        _bars(request, number, Interval.M1, timedelta(minutes=BARS_SHOWN), now),
        gaps_of(request, GapsQuery.model_validate({**asked, "limit": GAPS_SHOWN})),
    )
    course = symbol_page.course(bars)
    return page(
        request,
        "symbol.html",
        symbol=symbol,
        feed=feed,
        row=row,
        age_s=age_s(row, now),
        ticks=[(tick, symbol_page.facts(tick)) for tick in map(tick_of, ticks)],
        wanted=wanted,
        ranges=list(Range),
        course=course,
        picture_of=symbol_page.said_of(symbol, course, wanted),
        drawn_at=symbol_page.drawn_at(now, wanted).isoformat(timespec="seconds").replace("+00:00", "Z"),
        bars=newest[::-1],
        lines=[gaps_page.line(gap) for gap in found.gaps],
    )


async def _number(request: Request, feed: str, symbol: str) -> int:
    rows = await request.app.state.rows("symbol", {"feed": feed, "symbol": symbol})
    if not rows:
        detail = f"{symbol} is no stored symbol of feed {feed}; /symbols has those that are"
        raise RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="symbol", place="path", detail=detail)])
    return int(rows[0]["symbol_id"])


async def _bars(request: Request, number: int, interval: Interval, span: timedelta, to: datetime) -> Sequence[Bar]:
    """Return the bars that begin within a length of time before a moment, oldest first."""
    rows = await request.app.state.rows(
        "bars",
        {
            "symbol_id": number,
            "from": aligned(to - span, interval),
            "to": to,
            "minutes": interval.minutes,
            "bars": MOST,
        },
    )
    return [Bar.model_validate(row) for row in reversed(rows)]
