"""Faults over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Body
from fastapi.openapi.models import Example

from services.simulator.exchange import Exchange
from services.simulator.faults import FaultError, fault_of
from services.simulator.injector import Injector
from services.simulator.routes.problems import ProblemError

EXAMPLES: Final = {
    "gap": Example(summary="Withhold five trades", value={"fault": "gap", "symbol": "BTCUSDT", "count": 5}),
    "mute": Example(summary="Connected but mute", value={"fault": "mute_socket", "seconds": 30}),
    "rollover": Example(summary="The end of the 24 hours", value={"fault": "rollover", "seconds": 10, "warn": True}),
}


def router(exchange: Exchange, injector: Injector) -> APIRouter:
    """Return the routes at ``/sim/faults``."""
    routes = APIRouter(prefix="/sim", tags=["Faults"])

    @routes.get("/faults")
    async def faults() -> dict[str, object]:
        """List the faults in force."""
        return {"faults": [one.as_json() for one in exchange.board.active()]}

    @routes.post("/faults", status_code=201)
    async def inject(described: Annotated[dict[str, object], Body(openapi_examples=EXAMPLES)]) -> dict[str, object]:
        """Put a fault in force: the field ``fault`` names it, the others say where, how often and how long."""
        try:
            fault = fault_of(described, frozenset(exchange.listings))
            return injector.inject(fault, exchange.wall_ms()).as_json()
        except FaultError as error:
            raise ProblemError(422, error.problems) from error
        except LookupError as error:
            raise ProblemError(422, [("connection", str(error))]) from error

    @routes.delete("/faults")
    async def clear() -> dict[str, object]:
        """End every fault."""
        injector.clear()
        return {"faults": []}

    return routes
