"""What really happened, whatever the wire said."""

from typing import Annotated, Final

from fastapi import APIRouter, Query

from services.simulator.exchange import Exchange, Listing
from services.simulator.routes.problems import ProblemError

TRADES_MOST: Final = 100_000


def router(exchange: Exchange) -> APIRouter:
    """Return the routes that tell the truth."""
    routes = APIRouter(prefix="/sim", tags=["Truth"])

    @routes.get("/book/{symbol}")
    async def book(symbol: str, levels: Annotated[int, Query(ge=1, le=10_000)] = 10_000) -> dict[str, object]:
        """Return the true book."""
        listing = listing_of(exchange, symbol)
        snapshot = listing.market.book.snapshot(levels)
        price, size = listing.writer.price, listing.writer.size
        return {
            "bids": [[price[p], size[q]] for p, q in snapshot.bids],
            "asks": [[price[p], size[q]] for p, q in snapshot.asks],
            "last_update_id": snapshot.last_id,
        }

    @routes.get("/trades/{symbol}")
    async def trades(symbol: str, from_id: int | None = None, to_id: int | None = None) -> dict[str, object]:
        """Return the true trades from ``from_id`` to ``to_id``, inclusive, at most 100,000 of them."""
        return _trades(listing_of(exchange, symbol), from_id, to_id)

    return routes


def listing_of(exchange: Exchange, symbol: str, field: str = "symbol") -> Listing:
    """Return a listed symbol. Raises ProblemError that names ``field``."""
    listing = exchange.listings.get(symbol.upper())
    if listing is None:
        known = ", ".join(exchange.listings)
        message = f"unknown symbol {symbol!r}; listed are {known}"
        raise ProblemError(422 if field == "symbols" else 404, [(field, message)])
    return listing


def _trades(listing: Listing, from_id: int | None, to_id: int | None) -> dict[str, object]:
    history = listing.market.history
    begin = history.first_id if from_id is None else from_id
    end = history.next_id if to_id is None else to_id + 1
    found = history.slice(begin, max(0, min(end - max(begin, history.first_id), TRADES_MOST)))
    price, size = listing.writer.price, listing.writer.size
    rows = [[t.trade_id, price[t.price], size[t.size], t.maker, t.time_ms, t.agg_id] for t in found]
    return {"columns": ["id", "price", "size", "buyer_is_maker", "time_ms", "agg_id"], "trades": rows}
