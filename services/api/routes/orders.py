"""Instruments, traders and orders: recording them, by JSON or CSV, and looking them up."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from nightdesk.errors import UnavailableError
from nightdesk.orders.batches import MAX_JSON_BYTES, MAX_JSON_ROWS, Placed, from_csv, from_json
from nightdesk.orders.faults import BatchError, Fault
from nightdesk.orders.fields import Moment
from nightdesk.orders.kinds import INSTRUMENTS, ORDERS, TRADERS, Kind
from nightdesk.orders.models import Counts, NewInstrument, NewOrder, NewTrader, Side, Status, TraderKind
from nightdesk.problems import FieldProblem, problem, responses
from nightdesk.reports.amounts import Amount
from services.api.access import by_our_pages
from services.api.receiving import FILES, bytes_of, lines_of, received

router = APIRouter(tags=["orders"])

CSV: Final = "text/csv"
JSON: Final = "application/json"
MAX_ROWS: Final = 1000
MAX_ID: Final = 2**63 - 1
AT_ONCE: Final = 2
"""Imports under way; each may hold a file."""

BOUNDS: Final = {f"/{kind.name}": FILES for kind in (INSTRUMENTS, TRADERS, ORDERS)}
"""How large bodies may be, by path."""


class Instrument(BaseModel):
    """What is traded."""

    instrument_id: int = Field(examples=[3])
    symbol: str = Field(description="what orders call it", examples=["AAPL"])
    name: str = Field(description="what people call it")
    sector: str = Field(description="what it is summed up with", examples=["Technology"])
    recorded_at: datetime = Field(description="when it was recorded (UTC)")


class Instruments(BaseModel):
    """A page of instruments, the newest first."""

    instruments: list[Instrument]
    next: int | None = Field(description="`before` of the next page; null on the last one")


class Trader(BaseModel):
    """A strategy or an account."""

    trader_id: int = Field(examples=[2])
    name: str = Field(description="what orders call it", examples=["momentum"])
    kind: TraderKind
    recorded_at: datetime = Field(description="when it was recorded (UTC)")


class Traders(BaseModel):
    """A page of traders, the newest first."""

    traders: list[Trader]
    next: int | None = Field(description="`before` of the next page; null on the last one")


class Order(BaseModel):
    """An order and what became of it."""

    order_id: int = Field(examples=[17])
    reference: str = Field(description="its name where it comes from", examples=["A-000123"])
    symbol: str = Field(description="the instrument", examples=["AAPL"])
    trader: str = Field(description="the strategy or account", examples=["momentum"])
    side: Side
    quantity: Amount = Field(description="units ordered")
    price: Amount = Field(description="price of a unit")
    total_value: Amount = Field(description="quantity times price, exact")
    status: Status
    ordered_at: datetime = Field(description="when it was ordered (UTC)")
    reason: str = Field(description="why it failed or was cancelled")
    recorded_at: datetime = Field(description="when it was recorded, or last changed (UTC)")


class Orders(BaseModel):
    """A page of orders, the newest first."""

    orders: list[Order]
    next: int | None = Field(description="`before` of the next page; null on the last one")


class Page(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid")

    before: int | None = Field(None, ge=1, le=MAX_ID, description="only what is older than this id: `next` of a page")
    limit: int = Field(100, ge=1, le=MAX_ROWS, description="at most so many")


Word = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class InstrumentsQuery(Page):
    """Which instruments."""

    symbol: Word | None = Field(None, description="only this one")
    sector: Word | None = Field(None, description="only of this sector")


class TradersQuery(Page):
    """Which traders."""

    name: Word | None = Field(None, description="only this one")
    kind: TraderKind | None = Field(None, description="only of this kind")


class OrdersQuery(Page):
    """Which orders."""

    reference: Word | None = Field(None, description="only this one")
    symbol: Word | None = Field(None, description="only of this instrument")
    trader: Word | None = Field(None, description="only of this trader")
    side: Side | None = Field(None, description="only this way")
    status: Status | None = Field(None, description="only what came to this")
    from_: Moment | None = Field(None, alias="from", description="ordered at this moment or later")
    to: Moment | None = Field(None, description="ordered before this moment")


class Recording(BaseModel):
    """How to record."""

    model_config = ConfigDict(extra="forbid")


class RecordingOrders(Recording):
    """How to record orders."""

    create: bool = Field(
        default=False, description="`yes` records instruments and traders that orders name and nobody recorded yet"
    )


class InstrumentBatch(BaseModel):
    """Instruments to record."""

    instruments: list[NewInstrument] = Field(max_length=MAX_JSON_ROWS, description="the instruments")


class TraderBatch(BaseModel):
    """Traders to record."""

    traders: list[NewTrader] = Field(max_length=MAX_JSON_ROWS, description="the traders")


class OrderBatch(BaseModel):
    """Orders to record."""

    orders: list[NewOrder] = Field(max_length=MAX_JSON_ROWS, description="the orders")


def _described(batch: type[BaseModel], example: str) -> dict[str, Any]:
    """Return how a route describes what it takes: JSON, or a file of CSV."""
    file = {"schema": {"type": "string", "description": "a file; its first line names the columns"}, "example": example}
    return {"requestBody": {"required": True, "content": {JSON: {"schema": _inlined(batch)}, CSV: file}}}


def _inlined(batch: type[BaseModel]) -> dict[str, Any]:
    """Return a schema without references, which lead nowhere outside of their document."""
    schema = batch.model_json_schema()
    known = schema.pop("$defs", {})

    def resolved(node: Any) -> Any:  # noqa: ANN401  any JSON
        if isinstance(node, list):
            return [resolved(one) for one in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return resolved(
                {**known[node["$ref"].rpartition("/")[2]], **{k: v for k, v in node.items() if k != "$ref"}}
            )
        return {key: resolved(value) for key, value in node.items()}

    return dict(resolved(schema) | {"additionalProperties": False})


WHY: Final = {
    400: "the body is no text, or not whole",
    408: "the body did not arrive in time",
    413: "the body is larger than any that is taken",
    415: "the body is neither JSON nor CSV",
}
RECORDED: Final = {**responses(WHY), 200: {"model": Counts, "description": "Nothing of it was new"}}


@router.get("/instruments", summary="What is traded")
async def instruments(request: Request, query: Annotated[InstrumentsQuery, Query()]) -> Instruments:
    """Return a page of the recorded instruments, the newest first."""
    rows, following = await _page(request, "instruments", "instrument_id", query)
    return Instruments(instruments=[Instrument.model_validate(row) for row in rows], next=following)


@router.get("/traders", summary="Who trades")
async def traders(request: Request, query: Annotated[TradersQuery, Query()]) -> Traders:
    """Return a page of the recorded traders, the newest first."""
    rows, following = await _page(request, "traders", "trader_id", query)
    return Traders(traders=[Trader.model_validate(row) for row in rows], next=following)


@router.get("/orders", summary="What was ordered and what became of it")
async def orders(request: Request, query: Annotated[OrdersQuery, Query()]) -> Orders:
    """Return a page of the recorded orders, the newest first."""
    rows, following = await _page(request, "orders", "order_id", query)
    return Orders(orders=[Order.model_validate(row) for row in rows], next=following)


@router.post(
    "/instruments",
    summary="Record instruments",
    status_code=HTTPStatus.CREATED,
    response_model=Counts,
    responses=RECORDED,
    openapi_extra=_described(InstrumentBatch, "symbol,name,sector\nAAPL,Apple,Technology\n"),
    dependencies=[Depends(by_our_pages)],
)
async def record_instruments(request: Request, query: Annotated[Recording, Query()]) -> Response:  # noqa: ARG001
    """Record a batch whole, or nothing of it. A known symbol changes by what is given and keeps what is left out."""
    return await _recorded(request, INSTRUMENTS)


@router.post(
    "/traders",
    summary="Record traders",
    status_code=HTTPStatus.CREATED,
    response_model=Counts,
    responses=RECORDED,
    openapi_extra=_described(TraderBatch, "name,kind\nmomentum,strategy\n"),
    dependencies=[Depends(by_our_pages)],
)
async def record_traders(request: Request, query: Annotated[Recording, Query()]) -> Response:  # noqa: ARG001
    """Record a batch whole, or nothing of it. A known name changes by what is given and keeps what is left out."""
    return await _recorded(request, TRADERS)


@router.post(
    "/orders",
    summary="Record orders",
    status_code=HTTPStatus.CREATED,
    response_model=Counts,
    responses=RECORDED,
    openapi_extra=_described(
        OrderBatch,
        "reference,symbol,trader,side,quantity,price,status,ordered_at\n"
        "A-000123,AAPL,momentum,buy,10,187.25,executed,2026-11-02T14:30:00Z\n",
    ),
    dependencies=[Depends(by_our_pages)],
)
async def record_orders(request: Request, query: Annotated[RecordingOrders, Query()]) -> Response:
    """Record a batch whole, or nothing of it: `errors` name each wrong row by its line, or its place in the list.

    A known reference is the same order again: unchanged, or changed to what is given.
    """
    return await _recorded(request, ORDERS, create=query.create)


async def _page(request: Request, name: str, key: str, query: Page) -> tuple[list[dict[str, Any]], int | None]:
    asked = {**query.model_dump(), "limit": query.limit + 1}
    rows = await request.app.state.rows(name, asked)
    page = rows[: query.limit]
    return page, page[-1][key] if len(rows) > query.limit else None


async def _recorded(request: Request, kind: Kind, *, create: bool = False) -> Response:
    form = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if form not in {CSV, JSON}:
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type has to be {CSV} or {JSON}")
    turns: asyncio.Semaphore = request.app.state.imports
    if turns.locked():
        raise UnavailableError(f"{AT_ONCE} imports are under way; try again when one is over")
    async with turns:
        with TemporaryFile(prefix="nightdesk-") as file:
            await received(request, file)
            try:
                counts = await asyncio.to_thread(_record, request, kind, form, file, create=create)
            except BatchError as error:
                found = [_field(kind, form, fault) for fault in error.faults]
                return problem(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), found)
    status = HTTPStatus.CREATED if counts.added else HTTPStatus.OK
    return JSONResponse(counts.model_dump(), status)


def _record(request: Request, kind: Kind, form: str, file: IO[bytes], *, create: bool) -> Counts:
    batch: Iterable[Placed] = (
        from_csv(kind, lines_of(file)) if form == CSV else from_json(kind, bytes_of(file, MAX_JSON_BYTES))
    )
    counts: Counts = request.app.state.record(kind, batch, create)
    return counts


def _field(kind: Kind, form: str, fault: Fault) -> FieldProblem:
    """Return a fault as a problem document names it: by the line of a file, or by the place in a list of JSON."""
    if form == CSV:
        also = "" if fault.also is None else f", first on line {fault.also}"
        return FieldProblem(field=fault.column or "row", place=f"line {fault.place}", detail=fault.reason + also)
    also = "" if fault.also is None else f", first at {kind.name}.{fault.also}"
    field = f"{kind.name}.{fault.place}.{fault.column}".rstrip(".")
    return FieldProblem(field=field, place="body", detail=fault.reason + also)
