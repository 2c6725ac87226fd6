"""The collector's clock steps back a minute, and later forward: ids keep rising, order holds, nothing is lost."""

import signal
import time
from typing import Final

from nightdesk.ticks import Kind
from tests.chaos.disguised import put_on, take_off
from tests.chaos.evidence import Evidence
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Disguise, Stack, send
from tests.chaos.waiting import within

CLOCK: Final = Disguise(file="clock.yaml", launcher=("clock.py",))
BEFORE_S: Final = 2.0
SEEN_LIMIT_S: Final = 20.0
BACK_S: Final = 5.0
STEP_S: Final = 60.0
"""As in clock.py."""


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Set the clock back under load, let the market go on, and put it right."""
    put_on(stack, simulator, CLOCK)
    simulator.start()
    (process_id,) = stack.process_ids("collector")
    evidence = Evidence(stack)
    time.sleep(BEFORE_S)
    send(process_id, signal.SIGUSR1)
    behind = within(SEEN_LIMIT_S, lambda: evidence.newest_s() < time.time() - STEP_S / 2)
    quotes = evidence.latest(Kind.QUOTE)
    time.sleep(BACK_S)
    still_s = evidence.newest_s()
    wrong = (
        [] if behind else [f"nothing received after the clock stepped back was committed within {SEEN_LIMIT_S:.0f} s"]
    )
    if still_s < time.time() - STEP_S - BACK_S / 2:
        wrong.append("commits stopped while the clock was behind")
    if any(number <= quotes[symbol] for symbol, number in evidence.latest(Kind.QUOTE).items()):
        wrong.append("the newest quote stood still while the clock was behind")
    send(process_id, signal.SIGUSR2)
    return Injected(
        at_s=time.time(),
        receipts_overlap=True,
        received_late=len(simulator.symbols()),
        repeated=0,
        wrong=tuple(wrong),
        then=lambda: _put_right(stack, simulator),
    )


def _put_right(stack: Stack, simulator: Simulator) -> tuple[str, ...]:
    take_off(stack, simulator)
    return ()
