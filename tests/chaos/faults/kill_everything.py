"""``kill -9`` collector, worker, Redis and PostgreSQL together, again and again in another order."""

import itertools
import time
from functools import partial
from typing import Final

from nightdesk.errors import UnavailableError
from tests.chaos.evidence import Evidence
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import DATABASES, OURS, Stack
from tests.chaos.waiting import within

ROUNDS: Final = 6
APART: Final = 4
"""Orders between the orders of two rounds: of all 24 these begin with each of the four."""
BETWEEN_S: Final = 2.0
BACK_LIMIT_S: Final = 90.0


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Kill all four; once trades are committed again, do it again."""
    evidence = Evidence(stack)
    orders = itertools.islice(itertools.permutations((*OURS, *DATABASES)), 0, ROUNDS * APART, APART)
    cuts_s: list[float] = []
    wrong: list[str] = []
    at_s = 0.0
    for order in orders:
        if cuts_s and not within(BACK_LIMIT_S, partial(_flows, evidence, at_s)):
            wrong.append(f"nothing was committed {BACK_LIMIT_S:.0f} s after round {len(cuts_s)}")
        time.sleep(BETWEEN_S)
        killed_s = {service: stack.kill(service) for service in order}
        cuts_s.append(killed_s["collector"])
        at_s = max(killed_s.values())
    return Injected(at_s=at_s, cuts_s=tuple(cuts_s), wrong=tuple(wrong), notes=(f"{len(cuts_s)} rounds",))


def _flows(evidence: Evidence, since_s: float) -> bool:
    try:
        return evidence.newest_s() > since_s
    except UnavailableError:
        return False
