"""The gap ledger."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from nightdesk.ticks import Kind
from services.api.access import wants_page
from services.api.gaps_page import line
from services.api.layout import PAGE, page
from services.api.models import FeedName, Gap, Gaps, GapState, KindName, SymbolName
from services.api.paging import paging
from services.api.routes.ticks import kind_name

router = APIRouter(tags=["gaps"])

MAX_GAPS: Final = 1000
MAX_ID: Final = 2**63 - 1


class GapsQuery(BaseModel):
    """Which gaps."""

    model_config = ConfigDict(extra="forbid")

    feed: FeedName | None = Field(None, description="only of this feed")
    symbol: SymbolName | None = Field(None, description="only of this symbol, as the feed writes it")
    kind: KindName | None = Field(None, description="only of this kind")
    state: GapState | None = Field(None, description="only gaps in this state")
    before: int | None = Field(None, ge=1, le=MAX_ID, description="only gaps older than this gap_id: `next` of a page")
    limit: int = Field(100, ge=1, le=MAX_GAPS, description="at most so many gaps")


@router.get("/gaps", response_model=Gaps, summary="What was not received?", responses=PAGE)
async def gaps(request: Request, query: Annotated[GapsQuery, Query()]) -> Gaps | Response:
    """Return a page of the gap ledger, newest first; for browsers, a page to read."""
    found = await gaps_of(request, query)
    return await _page(request, query, found) if wants_page(request) else found


async def gaps_of(request: Request, query: GapsQuery) -> Gaps:
    """Return what the ledger has of a question."""
    kind = None if query.kind is None else Kind[query.kind.upper()].value
    asked: dict[str, Any] = query.model_dump() | {"kind": kind, "limit": query.limit + 1}
    rows = await request.app.state.rows("gaps", asked)
    page = [Gap.model_validate(row | {"kind": kind_name(row["kind"])}) for row in rows[: query.limit]]
    return Gaps(gaps=page, next=page[-1].gap_id if len(rows) > query.limit else None)


async def _page(request: Request, query: GapsQuery, found: Gaps) -> Response:
    feeds = await request.app.state.rows("feeds", {})
    return page(
        request,
        "gaps.html",
        query=query,
        lines=[line(gap) for gap in found.gaps],
        paging=paging(query, found.next),
        feeds=[row["feed"] for row in feeds],
        states=list(GapState),
        kinds=list(KindName),
    )
