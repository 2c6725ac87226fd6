"""One symbol falls silent, on every connection: it is named, a new connection is tried, and no other symbol notices."""

import time
from typing import Any, Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

MUTE_S: Final = 70.0
"""``symbol_silence_s`` of the feed is 60."""
MARGIN_S: Final = 10.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Mute the last symbol until it was noticed and a little longer."""
    symbol = simulator.symbols()[-1]
    before = simulator.market().listening
    simulator.fault("mute_symbol", symbol=symbol, seconds=MUTE_S)
    named = within(MUTE_S, lambda: _is_named(stack.health("collector"), symbol))
    over = within(MUTE_S, lambda: not simulator.in_force())
    at_s = time.time()
    wrong = [] if named and over else [f"{symbol} was silent for {MUTE_S:.0f} s and never named"]
    if not within(MARGIN_S, lambda: bool(simulator.market().since(before.since_s))):
        wrong.append(f"no new connection was tried for {symbol}")
    return Injected(
        at_s=at_s,
        withheld=True,
        repeated=0,
        received_late=len(simulator.symbols()),
        receipts_overlap=True,
        wrong=tuple(wrong),
    )


def _is_named(replicas: list[dict[str, Any]], symbol: str) -> bool:
    details = [part["detail"] for one in replicas for part in one["parts"]]
    return any(detail.startswith("connected, but silent") and symbol in detail for detail in details)
