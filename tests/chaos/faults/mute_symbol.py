"""One symbol falls silent, on every connection: it is named, a new connection is tried, and no other symbol notices."""

import time
from typing import Any, Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

NAMED_LIMIT_S: Final = 90.0
"""``symbol_silence_s`` of the feed is 60."""
TRIED_LIMIT_S: Final = 10.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Mute the last symbol until it is named and a new connection was tried."""
    symbol = simulator.symbols()[-1]
    before = simulator.market().listening
    simulator.fault("mute_symbol", symbol=symbol)
    named = within(NAMED_LIMIT_S, lambda: _is_named(stack.health("collector"), symbol))
    wrong = [] if named else [f"{symbol} was silent for {NAMED_LIMIT_S:.0f} s and never named"]
    if not within(TRIED_LIMIT_S, lambda: simulator.market().closed_s(before) is not None):
        wrong.append(f"no new connection took over for {symbol}")
    simulator.clear()
    return Injected(
        at_s=time.time(),
        withheld=True,
        repeated=0,
        received_late=len(simulator.symbols()),
        receipts_overlap=True,
        wrong=tuple(wrong),
    )


def _is_named(replicas: list[dict[str, Any]], symbol: str) -> bool:
    details = [part["detail"] for one in replicas for part in one["parts"]]
    return any(detail.startswith("connected, but silent") and symbol in detail for detail in details)
