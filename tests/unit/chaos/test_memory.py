"""Memory that grows is noticed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.memory import GROWTH_LIMIT_MB, Memory, Process, grown, growth_findings, growths_mb

COLLECTOR = Process("collector", 10)
WORKER = Process("worker", 20)

HOLDER = """
import sys
held = []
for line in sys.stdin:
    held.append(b"x" * int(line))
    print("held", flush=True)
"""


class Hungry:
    """A stack whose worker is a real process that takes what it is told to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def process_ids(self, service: str) -> list[int]:
        return [self._process.pid] if service == "worker" else [os.getpid()]

    def take(self, megabytes: float) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{int(megabytes * 1e6)}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


@contextmanager
def hungry() -> Iterator[Hungry]:
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=-1, stdout=-1, text=True) as process:
        stack = Hungry(process)
        stack.take(1)
        try:
            yield stack
        finally:
            process.kill()


def test_a_process_that_keeps_what_it_took_is_found_and_named() -> None:
    with hungry() as stack:
        memory = Memory(stack)  # type: ignore[arg-type]
        before = memory.held_mb()
        stack.take(GROWTH_LIMIT_MB + 20)
        growths = growths_mb(before, memory.held_mb())

        (found,) = growth_findings(growths)

    assert found.startswith("worker (process ")


def test_growth_that_each_fault_alone_may_have_is_found_over_all_of_them() -> None:
    with hungry() as stack:
        memory = Memory(stack)  # type: ignore[arg-type]
        for _ in range(3):
            before = memory.held_mb()
            stack.take(GROWTH_LIMIT_MB / 2)
            assert growth_findings(growths_mb(before, memory.held_mb())) == []

        (found,) = growth_findings(memory.growths_mb(), since="since it began")

    assert found.endswith("since it began")


def test_only_processes_that_lived_through_it_are_compared() -> None:
    before = {COLLECTOR: 50.0, WORKER: 60.0}

    assert growths_mb(before, {COLLECTOR: 51.0, Process("worker", 21): 900.0}) == {COLLECTOR: 1.0}
    assert growths_mb(before, {COLLECTOR: 51.0, WORKER: 0.0}) == {COLLECTOR: 1.0}


def test_growth_is_told_in_words() -> None:
    assert grown({WORKER: -1.25, COLLECTOR: 3.0}) == "memory: collector +3.0 MB, worker -1.2 MB"
    assert grown({}) == "memory: no process lived through it"
