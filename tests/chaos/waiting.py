"""Wait for something that is to happen."""

import time
from collections.abc import Callable
from typing import Final

LOOK_S: Final = 0.05


def within(limit_s: float, happened: Callable[[], bool]) -> bool:
    """Look until it happened; False when it did not in time."""
    deadline_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(LOOK_S)
    return True
