"""An exchange that sends what it said once more, or in another order."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.waiting import within

LIMIT_S: Final = 60.0


def tampered(simulator: Simulator, fault: str, *, trades: int, others: int, repeats: bool) -> Injected:
    """Tamper with so many trades, and quotes and depths, of every symbol.

    ``repeats`` says that each comes again; else they come last one first, all of them but that one too late.
    """
    symbols = simulator.symbols()
    for symbol in symbols:
        simulator.fault(fault, symbol=symbol, kind="trade", count=trades)
        simulator.fault(fault, symbol=symbol, kind="quote", count=others)
        simulator.fault(fault, symbol=symbol, kind="depth", count=others)
    over = within(LIMIT_S, lambda: not simulator.in_force())
    return Injected(
        at_s=time.time(),
        disordered=(trades if repeats else trades - 1) * len(symbols),
        received_late=0 if repeats else (trades - 1) * len(symbols),
        repeated=trades * len(symbols) if repeats else 0,
        wrong=() if over else (f"the market made too few messages to tamper with in {LIMIT_S:.0f} s",),
    )
