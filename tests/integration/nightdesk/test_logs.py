"""Logs of real processes: nobody reads their output, they are killed, their disk goes away, two write to one file."""

import gzip
import json
import os
import pty
import resource
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.databases import free_port

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(120)]

PROGRAM = [sys.executable, "-m", "tests.integration.nightdesk.log_writer"]
PATIENCE_S = 60.0


@contextmanager
def writer(*options: object, stdout: Any = subprocess.PIPE, **environ: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that logs."""
    process = subprocess.Popen(
        [*PROGRAM, *map(str, options)],
        stdin=subprocess.PIPE, stdout=stdout, stderr=subprocess.PIPE, env={**os.environ, **environ},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def output_of(*options: object, **environ: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*PROGRAM, *map(str, options)], capture_output=True, check=False, env={**os.environ, **environ}
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def has_logged(process: "subprocess.Popen[bytes]") -> bytes:
    """Wait until all is logged, whatever is written; return what the program says of it."""
    assert process.stderr is not None
    return process.stderr.readline()


def go_on(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()


def read_lines(process: "subprocess.Popen[bytes]", count: int) -> list[dict[str, Any]]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def lines(directory: Path) -> list[dict[str, Any]]:
    """Every line of the log of everything, each read as JSON, from files that hold it once."""
    found = []
    for file in sorted((directory / "desk").glob("*.jsonl*")):
        if ".errors." in file.name or file.name.endswith(".part") or file.with_name(f"{file.name}.gz").exists():
            continue
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        found += [json.loads(line) for line in content.splitlines()]
    return found


def numbers(directory: Path) -> list[int]:
    return [line["number"] for line in lines(directory) if line["event"] == "line.written"]


def test_a_process_that_ends_has_written_its_last_line(tmp_path: Path) -> None:
    told = output_of("--lines", 3000, LOG_DIR=str(tmp_path))

    assert [line["number"] for line in told] == list(range(3000))
    assert numbers(tmp_path) == list(range(3000))


def test_a_process_that_ends_itself_as_stuck_has_written_its_last_line(tmp_path: Path) -> None:
    told = output_of("--lines", 100, "--then", "exit_stuck", LOG_DIR=str(tmp_path))

    assert [line["number"] for line in told] == numbers(tmp_path) == list(range(100))


def test_output_that_nobody_reads_holds_up_neither_the_process_nor_the_files_nor_its_end(tmp_path: Path) -> None:
    with writer("--lines", 8000, "--filler", 100, LOG_DIR=str(tmp_path)) as process:
        assert b"logged" in has_logged(process)
        assert process.wait(PATIENCE_S) == 0

    assert numbers(tmp_path) == list(range(8000))


@pytest.mark.slow
def test_what_a_reader_missed_is_counted_and_told_to_it_once_it_reads() -> None:
    with writer("--lines", 20_000, "--filler", 100, "--pause-every", 100, "--then", "wait") as process:
        assert b"logged" in has_logged(process)
        assert process.stdout is not None
        told: list[dict[str, Any]] = []
        while not told or told[-1]["event"] != "log.dropped":
            told.append(json.loads(process.stdout.readline()))

    kept = [line["number"] for line in told[:-1]]
    assert len(kept) + told[-1]["lines"] == 20_000
    assert kept == list(range(len(kept)))


@pytest.mark.slow
def test_a_disk_that_is_not_there_is_told_once_on_the_output_and_gets_what_waited_when_it_is(tmp_path: Path) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.write_text("no directory")
    with writer("--lines", 50, "--then", "wait", LOG_DIR=str(in_the_way)) as process:
        assert b"logged" in has_logged(process)
        assert "log.failed" in [line["event"] for line in read_lines(process, 51)]
        time.sleep(2.5)  # it is tried again meanwhile, and not told again
        in_the_way.unlink()
        assert [line["event"] for line in read_lines(process, 1)] == ["log.resumed"]
        assert eventually(lambda: in_the_way.exists() and numbers(in_the_way) == list(range(50)))
        # The file is told as well, after what waited; once, as the output was.
        assert eventually(lambda: Counter(line["event"] for line in lines(in_the_way))["log.resumed"] == 1)

    assert Counter(line["event"] for line in lines(in_the_way))["log.failed"] == 1


def test_a_disk_that_is_not_there_does_not_keep_a_process_from_ending(tmp_path: Path) -> None:
    in_the_way = tmp_path / "logs"
    in_the_way.write_text("no directory")
    told = output_of("--lines", 50, LOG_DIR=str(in_the_way))

    assert [line["number"] for line in told if line["event"] == "line.written"] == list(range(50))


def test_a_full_disk_costs_nothing_that_fits_into_the_queue(tmp_path: Path) -> None:
    """No file of the process may grow beyond 20 kB for a while, which fails as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))  # the process takes it over
    with writer("--lines", 300, "--filler", 100, "--then", "wait", LOG_DIR=str(tmp_path)) as process:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert b"logged" in has_logged(process)
        (failed,) = [line for line in read_lines(process, 301) if line["event"] == "log.failed"]
        assert "File too large" in failed["error"]
        assert len(numbers(tmp_path)) < 300
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        assert eventually(lambda: numbers(tmp_path) == list(range(300)))


def test_a_killed_process_loses_at_most_what_waited(tmp_path: Path) -> None:
    with writer("--lines", 100_000, "--pause-every", 10, LOG_DIR=str(tmp_path)) as process:
        assert eventually(lambda: (tmp_path / "desk").exists() and len(numbers_so_far(tmp_path)) > 500)
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)

    found = numbers_so_far(tmp_path)
    assert found == list(range(len(found)))
    told = output_of("--lines", 10, "--writer", "after", LOG_DIR=str(tmp_path))
    assert len(told) == 10
    assert len(numbers_so_far(tmp_path)) == len(found) + 10


def numbers_so_far(directory: Path) -> list[int]:
    """The numbers of whole lines; a line under way is left out."""
    found = []
    for file in (directory / "desk").glob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            try:
                found.append(json.loads(line)["number"])
            except ValueError:
                continue
    return found


@pytest.mark.slow
def test_two_processes_write_to_one_file_while_it_is_given_up_and_compressed_and_every_line_is_there_once(
    tmp_path: Path,
) -> None:
    options = ["--lines", 6000, "--filler", 200, "--pause-every", 50, "--max-bytes", 100_000, "--then", "wait"]
    with (
        writer("--writer", "a", *options, stdout=subprocess.DEVNULL, LOG_DIR=str(tmp_path)) as one,
        writer("--writer", "b", *options, stdout=subprocess.DEVNULL, LOG_DIR=str(tmp_path)) as other,
    ):
        for process in (one, other):
            assert b"logged" in has_logged(process)
        directory = tmp_path / "desk"
        assert eventually(lambda: len(list(directory.glob("*.jsonl"))) == 1)
        for process in (one, other):
            go_on(process)
            assert process.wait(PATIENCE_S) == 0

    found = Counter((line["writer"], line["number"]) for line in lines(tmp_path))
    assert set(found) == {(name, number) for name in "ab" for number in range(6000)}
    assert set(found.values()) == {1}
    assert len(list(directory.glob("*.gz"))) > 20
    assert max(file.stat().st_size for file in directory.glob("*.jsonl")) <= 100_000


@pytest.mark.slow
def test_whoever_reads_while_files_are_given_up_finds_every_line_in_some_file(tmp_path: Path) -> None:
    """A reader knows a file by its first bytes; from one look to the next no line that it saw is nowhere."""
    options = ["--lines", 8000, "--filler", 200, "--pause-every", 20, "--max-bytes", 60_000]
    seen: set[int] = set()
    with writer(*options, stdout=subprocess.DEVNULL, LOG_DIR=str(tmp_path)) as process:
        while process.poll() is None:
            found = looked_at(tmp_path / "desk")
            assert seen <= found
            seen = found

    assert looked_at(tmp_path / "desk") == set(range(8000))


def looked_at(directory: Path) -> set[int]:
    """What a reader finds that lists the directory and opens each file; what changed is looked for again."""
    found: set[int] = set()
    for _ in range(3):
        for file in sorted(directory.glob("*.jsonl")) + sorted(directory.glob("*.jsonl.gz")):
            try:
                content = file.read_bytes()
            except FileNotFoundError:
                continue
            whole = gzip.decompress(content) if file.suffix == ".gz" else content
            found |= {json.loads(line)["number"] for line in whole.splitlines() if line.endswith(b"}")}
    return found


def test_a_terminal_gets_text_and_a_file_json(tmp_path: Path) -> None:
    terminal, inner = pty.openpty()
    with writer("--lines", 1, stdout=inner, LOG_DIR=str(tmp_path)) as process:
        assert process.wait(PATIENCE_S) == 0
        assert select.select([terminal], [], [], PATIENCE_S)[0]
        shown = os.read(terminal, 4096).decode()
    os.close(inner)
    os.close(terminal)

    assert "line.written" in shown
    assert not shown.lstrip().startswith("{")
    assert numbers(tmp_path) == [0]


def test_a_form_that_is_asked_for_is_used_wherever_the_output_goes() -> None:
    done = subprocess.run([*PROGRAM], capture_output=True, check=True, env={**os.environ, "LOG_FORMAT": "console"})

    assert b"line.written" in done.stdout
    assert b"\x1b" not in done.stdout
    with pytest.raises(ValueError, match="Extra data"):
        json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("request_to_end", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_is_stopped_has_said_so_in_its_file(tmp_path: Path, request_to_end: signal.Signals) -> None:
    port = free_port()
    environ = {"SIMULATOR_PORT": str(port), "LISTEN_HOST": "127.0.0.1", "LOG_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "services.simulator"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environ},
    )  # fmt: skip
    try:
        assert eventually(lambda: has_event(tmp_path / "simulator", "simulator.started"))
        process.send_signal(request_to_end)
        process.wait(PATIENCE_S)
    finally:
        process.kill()

    (file,) = (tmp_path / "simulator").glob("*.jsonl")
    events = [json.loads(line)["event"] for line in file.read_text().splitlines()]
    assert events[0] == "simulator.starting"
    assert events[-1] == "simulator.stopped"


def has_event(directory: Path, event: str) -> bool:
    return any(f'"{event}"' in file.read_text() for file in directory.glob("*.jsonl"))
