"""Symbols and their last ticks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.ticks import Kind, Side
from services.api.access import wants_page
from services.api.layout import PAGE, page
from services.api.models import FeedName, KindName, LatestTick, LatestTicks, Symbol, SymbolName, Symbols

router = APIRouter(tags=["ticks"])

_SIDES: Final[dict[object, str]] = {Side.BUY: "buy", Side.SELL: "sell"}


class SymbolQuery(BaseModel):
    """Which symbols."""

    model_config = ConfigDict(extra="forbid")

    feed: FeedName | None = Field(None, description="only of this feed")


class LatestQuery(BaseModel):
    """Which last ticks."""

    model_config = ConfigDict(extra="forbid")

    symbol: SymbolName | None = Field(None, description="only of this symbol, as the feed writes it")
    feed: FeedName | None = Field(None, description="only of this feed")
    kind: KindName | None = Field(None, description="only of this kind")


@router.get("/symbols", response_model=Symbols, summary="Which symbols are there?", responses=PAGE)
async def symbols(request: Request, query: Annotated[SymbolQuery, Query()]) -> Symbols | Response:
    """Return every symbol that has been stored, with the kinds that have arrived; for browsers, a page to read."""
    if wants_page(request):
        return await _listed(request, query.feed)
    rows = await request.app.state.rows("symbols", query.model_dump())
    return Symbols(symbols=[Symbol.model_validate(row | {"kinds": _kinds(row["kinds"])}) for row in rows])


@router.get("/ticks/latest", summary="What came last?", response_model_exclude_none=True)
async def latest(request: Request, query: Annotated[LatestQuery, Query()]) -> LatestTicks:
    """Return the last committed tick of each symbol and kind; an empty list when nothing matches."""
    kind = None if query.kind is None else Kind[query.kind.upper()].value
    rows = await request.app.state.rows("latest", query.model_dump() | {"kind": kind})
    return LatestTicks(ticks=[tick_of(row) for row in rows])


async def _listed(request: Request, feed: str | None) -> Response:
    now = datetime.now(UTC)
    yesterday = now.date() - timedelta(days=1)
    rows, feeds = await asyncio.gather(
        request.app.state.rows("overview", {"feed": feed, "symbol": None, "day": yesterday}),
        request.app.state.rows("feeds", {}),
    )
    return page(
        request,
        "symbols.html",
        rows=[(row, _kinds(row["kinds"]), age_s(row, now)) for row in rows],
        feed=feed,
        feeds=[row["feed"] for row in feeds],
        yesterday=yesterday,
    )


def age_s(row: dict[str, Any], now: datetime) -> float | None:
    """Return how long ago the newest tick of a symbol was received, in seconds."""
    received = row["last_received_at"]
    return None if received is None else max(0.0, (now - received).total_seconds())


def kind_name(number: object) -> KindName:
    """Return the name of a kind's number."""
    return KindName(Kind(int(str(number))).label)


def tick_of(row: dict[str, object]) -> LatestTick:
    """Return a row of ``latest`` with the names of its kind and its side."""
    known = _SIDES.get(row["side"])
    return LatestTick.model_validate(row | {"kind": kind_name(row["kind"]), "side": known})


def _kinds(numbers: list[int]) -> list[KindName]:
    return [kind_name(number) for number in numbers]
