"""A program that is run by the harness's clock sees it stepped back and put right."""

import subprocess
import sys
from pathlib import Path

from tests.chaos import clock

PROGRAM = """
import signal, sys, time
assert sys.argv[1:] == ["argument"]
for number in (signal.SIGUSR1, signal.SIGUSR1, signal.SIGUSR2):
    monotonic_s = time.monotonic()
    before_ns = time.time_ns()
    signal.raise_signal(number)
    seen_s = (time.time_ns() - before_ns) / 1e9, time.time() - before_ns / 1e9
    print(*map(round, seen_s), time.monotonic() >= monotonic_s)
"""


def test_a_program_sees_its_clock_step_back_and_forward(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, clock.__file__, "-m", "program", "argument"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == ["-60 -60 True", "-60 -60 True", "120 120 True"]
