"""The store does not keep up and the spool fills: quotes and depth are conflated and counted, trades never.

What was left out and what is stored are together what the exchange sent, and the last of each is stored.
"""

import time
from typing import Final

from nightdesk.ticks import Kind
from tests.chaos import books
from tests.chaos.disguised import put_on, take_off
from tests.chaos.evidence import Evidence
from tests.chaos.figures import CONFLATED, total
from tests.chaos.injection import Injected
from tests.chaos.replicas import feed_facts
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Disguise, Stack, suspend, wake
from tests.chaos.waiting import within

SMALL_SPOOL: Final = Disguise(file="small_spool.yaml", environ={"SPOOL_MAX_BYTES": "25165824"})
FACTOR: Final = 10.0
PRESSURE_LIMIT_S: Final = 60.0
UNDER_PRESSURE_S: Final = 4.0
COUNTED_LIMIT_S: Final = 10.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Stop the workers under a burst until the collector conflates; go on like this for a while, and wake them."""
    put_on(stack, simulator, SMALL_SPOOL)
    before = Evidence(stack).admitted(Kind.QUOTE)
    simulator.start()
    workers = stack.process_ids("worker")
    for one in workers:
        suspend(one)
    try:
        simulator.fault("burst", factor=FACTOR, seconds=PRESSURE_LIMIT_S)
        pressed = within(PRESSURE_LIMIT_S, lambda: feed_facts(stack, "feed").get("pressure") == "conflate")
        simulator.clear()
        time.sleep(UNDER_PRESSURE_S)
    finally:
        for one in workers:
            wake(one)
    return Injected(
        at_s=time.time(),
        repeated=0,
        wrong=() if pressed else (f"the collector did not conflate within {PRESSURE_LIMIT_S:.0f} s",),
        then=lambda: _counted(stack, simulator, before),
    )


def _counted(stack: Stack, simulator: Simulator, before: int) -> tuple[str, ...]:
    """Count the quotes of the disguised collector's one connection once all are stored; then end the disguise."""
    simulator.stop()
    evidence = Evidence(stack)
    wrong = books.check(simulator, evidence)
    sent = simulator.market().listening.messages["quote"]
    left_out = int(total(stack.metrics("collector"), CONFLATED, kind="quote"))
    if not left_out:
        wrong.append("no quote was conflated")
    if not within(COUNTED_LIMIT_S, lambda: evidence.admitted(Kind.QUOTE) - before == sent - left_out):
        taken = evidence.admitted(Kind.QUOTE) - before
        wrong.append(f"{sent} quotes were sent, {taken} came to the store and {left_out} were counted as left out")
    take_off(stack, simulator)
    return tuple(wrong)
