"""A worker is stopped (SIGSTOP) in the middle of a COPY, past its lease: its backend keeps its locks until ended."""

import time
from typing import Any, Final, NamedTuple

from tests.chaos.databases import Connection, postgres
from tests.chaos.injection import Injected
from tests.chaos.replicas import scale_workers
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack, suspend, wake
from tests.chaos.zombie import waking

TRY_LIMIT_S: Final = 30.0
BEHIND_S: Final = 0.5
"""What a worker is behind after such a pause takes it a COPY of many messages."""
WATCHED_S: Final = 0.2
SETTLED_S: Final = 0.01
STILL_S: Final = 0.25
"""A COPY of a worker that runs is over by then, or further."""

COPIES: Final = "SELECT pid, relid::regclass::text, bytes_processed FROM pg_stat_progress_copy"


class Caught(NamedTuple):
    """A COPY that stands still because its client does."""

    backend: int
    table: str
    bytes: int


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Call a second worker, and stop the first again and again until a COPY stands still."""
    wrong = scale_workers(stack, 2)
    process_id = stack.process_ids("worker")[0]
    with postgres(stack) as connection:
        caught, tries, at_s = catch(connection, process_id)
    if caught is None:
        return Injected(at_s=at_s, wrong=(*wrong, f"no COPY was caught in {tries} tries"))
    note = f"caught after {tries} tries: backend {caught.backend}, COPY {caught.table}, {caught.bytes} bytes in"
    return Injected(at_s=at_s, wrong=wrong, notes=(note,), then=waking(stack, process_id, at_s))


def catch(connection: Connection, process_id: int) -> tuple[Caught | None, int, float]:
    """Stop a worker in the middle of a COPY; return what was caught, after how many tries, and when it was stopped.

    The worker runs when nothing was caught. Each try lets it fall behind first, so that its turn is a long one.
    """
    deadline_s, tries = time.monotonic() + TRY_LIMIT_S, 0
    while time.monotonic() < deadline_s:
        suspend(process_id)
        time.sleep(BEHIND_S)
        wake(process_id)
        _await_copy(connection)
        tries, at_s = tries + 1, time.time()
        suspend(process_id)
        found = _standing(connection)
        if found is not None:
            return found, tries, at_s
        wake(process_id)
    return None, tries, time.time()


def _await_copy(connection: Connection) -> None:
    """Return as soon as a COPY is seen, or after a moment."""
    deadline_s = time.monotonic() + WATCHED_S
    while time.monotonic() < deadline_s and not _copies(connection):
        pass


def _standing(connection: Connection) -> Caught | None:
    """A COPY that has begun and is as far now as a moment ago; None when there is none."""
    time.sleep(SETTLED_S)
    before = _copies(connection)
    if not before:
        return None
    time.sleep(STILL_S)
    still = before & _copies(connection)
    return next(iter(still), None)


def _copies(connection: Connection) -> set[Caught]:
    rows: list[Any] = connection.execute(COPIES).fetchall()
    return {caught for row in rows if (caught := Caught(*row)).bytes}
