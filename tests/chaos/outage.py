"""A database that is away for a while."""

import time
from typing import Final

from tests.chaos.injection import Injected
from tests.chaos.stacks import Stack

AWAY_S: Final = 60.0


def away(stack: Stack, service: str) -> Injected:
    """Stop a service, and start it after a minute; recovery counts from then."""
    stack.stop(service)
    try:
        time.sleep(AWAY_S)
    finally:
        stack.start(service)
    return Injected(at_s=time.time())
