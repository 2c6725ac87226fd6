"""Bars of any length, rolled up from minutes."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from nightdesk.problems import wrong_field
from services.api.models import Bar, Bars, FeedName, Format, Interval, SymbolName

router = APIRouter(tags=["bars"])

MAX_BARS: Final = 5000
FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
COLUMNS: Final = tuple(Bar.model_fields)


def in_range(moment: datetime) -> datetime:
    """Return the moment in UTC (which is meant when it names no zone); raises ValueError outside 1970 to 2200."""
    known = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    if not FIRST - timedelta(days=1) <= known.replace(tzinfo=UTC) <= LAST + timedelta(days=1):
        raise ValueError("must be between 1970 and 2200")
    return known.astimezone(UTC)


def aligned(moment: datetime | None, interval: Interval) -> datetime | None:
    """Return the first moment, not before this one, at which a bar of the interval begins."""
    if moment is None:
        return None
    step = timedelta(minutes=interval.minutes)
    return FIRST - (FIRST - moment) // step * step


Moment = Annotated[
    datetime,
    AfterValidator(in_range),
    Field(examples=["2026-01-05T14:30:00Z"]),
]


class BarsQuery(BaseModel):
    """Which bars."""

    model_config = ConfigDict(extra="forbid")

    symbol: SymbolName = Field(description="symbol as the feed writes it", examples=["BTCUSDT"])
    feed: FeedName | None = Field(None, description="feed; may be left out when only one has the symbol")
    interval: Interval = Field(Interval.M1, description="length of a bar")
    from_: Moment | None = Field(
        None,
        alias="from",
        description="first moment of the range, included (ISO 8601 or Unix time; UTC when no zone is named)",
    )
    to: Moment | None = Field(None, description="end of the range, not included: no bar begins then or later")
    limit: int = Field(500, ge=1, le=MAX_BARS, description="at most so many bars, the latest of the range")
    format: Format | None = Field(None, description="json or csv; without it the Accept header decides")


@router.get(
    "/bars",
    response_model=Bars,
    summary="Bars of a symbol",
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def bars(request: Request, query: Annotated[BarsQuery, Query()]) -> Bars | Response:
    """Return the latest bars of a range, oldest first; the open bar is included and says `closed: false`.

    Times are UTC, and a bar begins at a whole multiple of its interval. A range names the bars that begin in it, each
    of them whole. There is no bar for an interval without trades.
    """
    if query.from_ is not None and query.to is not None and query.from_ >= query.to:
        raise wrong_field(HTTPStatus.UNPROCESSABLE_ENTITY, "to", "must be later than `from`")
    symbol = await _symbol(request, query)
    rows = await request.app.state.rows("bars", _parameters(query, symbol["symbol_id"]))
    found = [Bar.model_validate(row) for row in reversed(rows[: query.limit])]
    if _wants_csv(request, query):
        return Response(as_csv(found), media_type="text/csv; charset=utf-8")
    more = len(rows) > query.limit
    return Bars(feed=str(symbol["feed"]), symbol=query.symbol, interval=query.interval, bars=found, more=more)


def as_csv(found: Sequence[Bar]) -> str:
    """Return bars as comma-separated values with a heading."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([bar.model_dump(mode="json")[column] for column in COLUMNS] for bar in found)
    return text.getvalue()


async def _symbol(request: Request, query: BarsQuery) -> dict[str, object]:
    rows: list[dict[str, object]] = await request.app.state.rows("symbol", {"symbol": query.symbol, "feed": query.feed})
    if not rows:
        where = "" if query.feed is None else f" of feed {query.feed}"
        raise wrong_field(HTTPStatus.NOT_FOUND, "symbol", f"{query.symbol} is no stored symbol{where}")
    if len(rows) > 1:
        feeds = ", ".join(str(row["feed"]) for row in rows)
        raise wrong_field(HTTPStatus.UNPROCESSABLE_ENTITY, "feed", f"say which one has {query.symbol}: {feeds}")
    return rows[0]


def _parameters(query: BarsQuery, symbol_id: object) -> dict[str, object]:
    return {
        "symbol_id": symbol_id,
        "from": aligned(query.from_, query.interval),
        "to": aligned(query.to, query.interval),
        "minutes": query.interval.minutes,
        "bars": query.limit + 1,
    }


def _wants_csv(request: Request, query: BarsQuery) -> bool:
    if query.format is not None:
        return query.format is Format.CSV
    return "text/csv" in request.headers.get("accept", "")
