"""PostgreSQL has too many connections: the workers lose theirs and get none back until somebody leaves."""

import contextlib
import time
from typing import Final

from nightdesk.errors import UnavailableError
from tests.chaos.databases import WRITER, Connection, postgres
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack

FULL_S: Final = 8.0
AGAIN_S: Final = 0.05
END_THEIRS: Final = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = %s"
COUNT_THEIRS: Final = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Take every place, and send away whoever still has one."""
    with contextlib.ExitStack() as taken:
        ours = taken.enter_context(postgres(stack))
        until_s, places = time.monotonic() + FULL_S, 1
        while time.monotonic() < until_s:
            places += _take_places(stack, taken)
            ours.execute(END_THEIRS, [WRITER])
            time.sleep(AGAIN_S)
        places += _take_places(stack, taken)
        theirs = _number(ours)
    wrong = (f"{theirs} connections of workers are open although there is no place",) if theirs else ()
    return Injected(at_s=time.time(), wrong=wrong, notes=(f"took {places} places",))


def _take_places(stack: Stack, taken: contextlib.ExitStack) -> int:
    """Connect until PostgreSQL refuses; return how often it did not."""
    number = 0
    with contextlib.suppress(UnavailableError):
        while True:
            taken.enter_context(postgres(stack))
            number += 1
    return number


def _number(connection: Connection) -> int:
    ((number,),) = connection.execute(COUNT_THEIRS, [WRITER]).fetchall()
    return int(number)
