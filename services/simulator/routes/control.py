"""The simulator's own interface: what it does, how fast, and what goes wrong."""

from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.simulator.exchange import Exchange, Listing
from services.simulator.routes.problems import ProblemError
from services.simulator.routes.truth import listing_of
from services.simulator.sessions import Sessions


class RateRequest(BaseModel):
    """New rates; each is the total over ``symbols`` (all pairs when none are named) in events a second."""

    model_config = ConfigDict(extra="forbid")

    trades_per_s: Annotated[float, Field(ge=0, le=10_000_000)] | Literal["max"] | None = None
    quotes_per_s: float | None = Field(None, ge=0, le=1_000_000)
    depth_per_s: float | None = Field(None, ge=0, le=100_000)
    shape: Literal["u", "flat"] = "flat"
    symbols: list[str] | None = Field(None, min_length=1)


class SessionRequest(BaseModel):
    """Whether a market is open: yes, no, or null for what its calendar says."""

    model_config = ConfigDict(extra="forbid")

    calendar: str = "XNYS"
    open: bool | None


def router(exchange: Exchange, sessions: Sessions, replay: Callable[[], object]) -> APIRouter:
    """Return the routes below ``/sim``; ``replay`` tells the state of the replay, None without one."""
    routes = APIRouter(prefix="/sim", tags=["Simulator"])

    @routes.get("/state")
    async def state() -> dict[str, object]:
        """Say what the market did and who listens."""
        return {**state_of(exchange), "replay": replay()}

    @routes.post("/rate")
    async def rate(wanted: RateRequest) -> dict[str, object]:
        """Change how fast the market moves."""
        symbols = _symbols(exchange, wanted.symbols)
        share = _shared(wanted, len(symbols))
        exchange.set_rates(symbols, **share)
        return {"symbols": symbols, "per_symbol": share}

    @routes.post("/session")
    async def session(wanted: SessionRequest) -> dict[str, object]:
        """Open or close the session-bound symbols of a calendar."""
        if wanted.calendar not in sessions.names:
            raise ProblemError(422, [("calendar", f"must be one of {', '.join(sessions.names)}")])
        sessions.decide(wanted.calendar, is_open=wanted.open)
        return {"calendar": wanted.calendar, "open": sessions.is_open(wanted.calendar, exchange.now_ms)}

    @routes.post("/stop")
    async def stop() -> dict[str, bool]:
        """Freeze the market: ids stop, and its books and quotes are told as they stand."""
        exchange.stop()
        return {"running": False}

    @routes.post("/start")
    async def start() -> dict[str, bool]:
        """Let the market move again."""
        exchange.running = True
        return {"running": True}

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
    return [listing_of(exchange, symbol, "symbols").symbol for symbol in named]
