"""What the stacks are made of, as far as it needs no stack."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.faults.redis_away_an_hour import frames_an_hour
from tests.chaos.stacks import Copy, resident_bytes, suspend, wake
from tests.chaos.waiting import within

SLEEPER = (sys.executable, "-c", "import signal; print('here', flush=True); signal.pause()")


@pytest.fixture
def original() -> Iterator["subprocess.Popen[bytes]"]:
    environ = {**os.environ, "METRICS_PORT": "1", "MARK": "here"}
    with subprocess.Popen(SLEEPER, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_a_copy_is_the_same_command_in_the_same_environment_on_a_port_of_its_own(
    original: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    log = tmp_path / "copy.log"
    copy = Copy(original.pid, log)
    try:
        assert within(30.0, lambda: log.read_text(encoding="utf-8") == "here\n")
        environ = Path(f"/proc/{copy.process_id}/environ").read_bytes().split(b"\0")
        assert b"MARK=here" in environ
        assert f"METRICS_PORT={copy.port}".encode() in environ
        assert copy.port != 1
    finally:
        copy.end()

    assert not copy.runs
    assert resident_bytes(copy.process_id) == 0


def test_a_process_that_was_stopped_goes_on_when_it_is_woken(original: "subprocess.Popen[bytes]") -> None:
    suspend(original.pid)
    os.waitid(os.P_PID, original.pid, os.WSTOPPED)
    wake(original.pid)

    result = os.waitid(os.P_PID, original.pid, os.WCONTINUED)

    assert result is not None


def test_waking_who_is_gone_is_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()

    wake(process.pid)


def test_an_hour_without_redis_makes_the_same_frames_at_any_rate() -> None:
    assert frames_an_hour(["BTCUSDT"]) == 72_000
    assert frames_an_hour(["BTCUSDT", "BTCUSDT"]) == 72_000
