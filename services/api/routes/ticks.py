"""Symbols and their last ticks."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.ticks import Kind, Side
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


@router.get("/symbols", summary="Which symbols are there?")
async def symbols(request: Request, query: Annotated[SymbolQuery, Query()]) -> Symbols:
    """Return every symbol that has been stored, with the kinds that have arrived."""
    rows = await request.app.state.rows("symbols", query.model_dump())
    return Symbols(symbols=[Symbol.model_validate(row | {"kinds": _kinds(row["kinds"])}) for row in rows])


@router.get("/ticks/latest", summary="What came last?", response_model_exclude_none=True)
async def latest(request: Request, query: Annotated[LatestQuery, Query()]) -> LatestTicks:
    """Return the last committed tick of each symbol and kind; an empty list when nothing matches."""
    kind = None if query.kind is None else Kind[query.kind.upper()].value
    rows = await request.app.state.rows("latest", query.model_dump() | {"kind": kind})
    return LatestTicks(ticks=[_tick(row) for row in rows])


def kind_name(number: object) -> KindName:
    """Return the name of a kind's number."""
    return KindName(Kind(int(str(number))).label)


def _kinds(numbers: list[int]) -> list[KindName]:
    return [kind_name(number) for number in numbers]


def _tick(row: dict[str, object]) -> LatestTick:
    known = _SIDES.get(row["side"])
    return LatestTick.model_validate(row | {"kind": kind_name(row["kind"]), "side": known})
