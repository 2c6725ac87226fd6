"""One day's partition of trades refuses every row for a while: nothing is given up, nothing goes to the quarantine."""

import time
from typing import Final

from tests.chaos.databases import postgres
from tests.chaos.evidence import SQL, Evidence
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

REFUSED_S: Final = 8.0
SETTLED_S: Final = 1.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Put a trigger that raises onto today's partition, and take it away."""
    evidence = Evidence(stack)
    with postgres(stack) as connection:
        connection.execute(SQL["break_partition"].encode())
        try:
            time.sleep(SETTLED_S)
            before = evidence.marks()
            time.sleep(REFUSED_S)
            moved = evidence.marks() != before
        finally:
            connection.execute(SQL["mend_partition"].encode())
    return Injected(
        at_s=time.time(), wrong=("trades were committed into a partition that refuses them",) if moved else ()
    )
