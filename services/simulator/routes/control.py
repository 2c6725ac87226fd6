"""The simulator's own interface: what it does, how fast, and what goes wrong."""

from collections.abc import Iterable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from services.simulator.exchange import Exchange, Listing
from services.simulator.routes.problems import ProblemError

TRADES_MOST = 100_000


class RateRequest(BaseModel):
    """New rates; each is the total over ``symbols`` (all pairs when none are named) in events a second."""

    model_config = ConfigDict(extra="forbid")

    trades_per_s: Annotated[float, Field(ge=0, le=10_000_000)] | Literal["max"] | None = None
    quotes_per_s: float | None = Field(None, ge=0, le=1_000_000)
    depth_per_s: float | None = Field(None, ge=0, le=100_000)
    shape: Literal["u", "flat"] = "flat"
    symbols: list[str] | None = Field(None, min_length=1)


def router(exchange: Exchange) -> APIRouter:
    """Return the routes below ``/sim``."""
    routes = APIRouter(prefix="/sim", tags=["Simulator"])

    @routes.get("/state")
    async def state() -> dict[str, object]:
        """Say what the market did and who listens."""
        return state_of(exchange)

    @routes.post("/rate")
    async def rate(wanted: RateRequest) -> dict[str, object]:
        """Change how fast the market moves."""
        symbols = _symbols(exchange, wanted.symbols)
        share = _shared(wanted, len(symbols))
        exchange.set_rates(symbols, **share)
        return {"symbols": symbols, "per_symbol": share}

    @routes.post("/stop")
    async def stop() -> dict[str, bool]:
        """Freeze the market: ids stop."""
        exchange.running = False
        return {"running": False}

    @routes.post("/start")
    async def start() -> dict[str, bool]:
        """Let the market move again."""
        exchange.running = True
        return {"running": True}

    @routes.get("/book/{symbol}")
    async def book(symbol: str, levels: Annotated[int, Query(ge=1, le=10_000)] = 10_000) -> dict[str, object]:
        """Return the true book."""
        listing = _listing(exchange, symbol)
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
        return _trades(_listing(exchange, symbol), from_id, to_id)

    return routes


def state_of(exchange: Exchange) -> dict[str, object]:
    """Return what ``/sim/state`` shows."""
    hub = exchange.hub
    elapsed_s = max(0.001, (exchange.now_ms - exchange.opened_ms) / 1000)
    return {
        "running": exchange.running,
        "uptime_s": elapsed_s,
        "skipped_s": exchange.skipped_ms / 1000,
        "symbols": {one.symbol: _symbol_state(one) for one in exchange.listings.values()},
        "connections": [one.as_json() for one in [*hub.recent, *hub.listeners]],
        "connected": len(hub.listeners),
        "subscriptions": sorted({topic for one in hub.listeners for topic in one.topics}),
        "messages_sent": hub.messages_sent,
        "cut_off": hub.cut_off,
    }


def _symbol_state(listing: Listing) -> dict[str, object]:
    history, rates = listing.market.history, listing.rates
    return {
        "first_trade_id": history.begin_id,
        "last_trade_id": history.next_id - 1,
        "oldest_kept_trade_id": history.first_id,
        "trades_sent": listing.trades_sent,
        "last_update_id": listing.market.book.last_id,
        "rates": {
            "trades_per_s": "max" if rates.trades_per_s is None else rates.trades_per_s,
            "quotes_per_s": rates.quotes_per_s,
            "depth_per_s": rates.depth_per_s,
            "shape": rates.shape,
        },
    }


def _trades(listing: Listing, from_id: int | None, to_id: int | None) -> dict[str, object]:
    history = listing.market.history
    begin = history.first_id if from_id is None else from_id
    end = history.next_id if to_id is None else to_id + 1
    found = history.slice(begin, max(0, min(end - max(begin, history.first_id), TRADES_MOST)))
    price, size = listing.writer.price, listing.writer.size
    rows = [[t.trade_id, price[t.price], size[t.size], t.maker, t.time_ms, t.agg_id] for t in found]
    return {"columns": ["id", "price", "size", "buyer_is_maker", "time_ms", "agg_id"], "trades": rows}


def _shared(wanted: RateRequest, symbols: int) -> dict[str, float | str | None]:
    share: dict[str, float | str | None] = {"shape": wanted.shape}
    for name in ("trades_per_s", "quotes_per_s", "depth_per_s"):
        total = getattr(wanted, name)
        if total is not None:
            share[name] = None if total == "max" else total / symbols
    return share


def _symbols(exchange: Exchange, named: Iterable[str] | None) -> list[str]:
    if named is None:
        return [one.symbol for one in exchange.listings.values() if one.market.instrument.always_open]
    return [_listing(exchange, symbol, "symbols").symbol for symbol in named]


def _listing(exchange: Exchange, symbol: str, field: str = "symbol") -> Listing:
    listing = exchange.listings.get(symbol.upper())
    if listing is None:
        known = ", ".join(exchange.listings)
        raise ProblemError(422 if field == "symbols" else 404, f"unknown symbol {symbol!r}; listed are {known}", field)
    return listing
