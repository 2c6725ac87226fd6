"""A log file is given up by size and by day, whoever else writes to it, and is compressed and deleted in time."""

import fcntl
import gzip
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from nightdesk import log_files
from nightdesk.log_files import RotatingFile, log_file
from nightdesk.log_tidying import DAY_S, compress, tidy

NOON = datetime(2026, 11, 19, 12, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self) -> None:
        self.now_s = NOON


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return log_file(tmp_path, "desk", "host")


def opened(path: Path, clock: Clock, max_bytes: int = 10_000) -> RotatingFile:
    return RotatingFile(path, max_bytes=max_bytes, tidy=lambda *_: None, wall_s=lambda: clock.now_s)


def write(file: RotatingFile, path: Path, clock: Clock, *lines: bytes) -> None:
    """Write lines as of the clock's time."""
    file.write(lines)
    os.utime(path, (clock.now_s, clock.now_s))


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def test_a_service_has_a_directory_and_a_file_of_errors_beside_that_of_everything(tmp_path: Path) -> None:
    assert log_file(tmp_path, "worker", "3f2a") == tmp_path / "worker" / "worker-3f2a.jsonl"
    assert log_file(tmp_path, "worker", "3f2a", errors=True) == tmp_path / "worker" / "worker-3f2a.errors.jsonl"


class Refused(threading.Thread):
    """A thread of a system that has no more of them."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_lines_are_written_once_though_nobody_can_tidy_up(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "Thread", Refused)
    opened(path, clock).write([b"one\n"])

    assert path.read_bytes() == b"one\n"


def test_a_file_is_given_up_before_it_grows_too_large(path: Path, clock: Clock) -> None:
    file = opened(path, clock, max_bytes=10)
    for line in (b"one\n", b"two\n", b"three\n", b"longer than a file\n", b"four\n"):
        write(file, path, clock, line)
        clock.now_s += 1

    assert [path.with_name(name).read_bytes() for name in names(path)] == [
        b"one\ntwo\n",
        b"three\n",
        b"longer than a file\n",
        b"four\n",
    ]
    assert names(path) == [
        "desk-host.20261119T120002000000.jsonl",
        "desk-host.20261119T120003000000.jsonl",
        "desk-host.20261119T120004000000.jsonl",
        "desk-host.jsonl",
    ]


def test_the_first_line_of_a_utc_day_begins_a_file(path: Path, clock: Clock) -> None:
    file = opened(path, clock)
    write(file, path, clock, b"noon\n")
    clock.now_s += DAY_S / 2 - 1
    write(file, path, clock, b"23:59:59\n")
    clock.now_s += 1
    write(file, path, clock, b"00:00\n")

    assert names(path) == ["desk-host.20261120T000000000000.jsonl", "desk-host.jsonl"]
    assert path.read_bytes() == b"00:00\n"


def test_a_clock_that_steps_back_overwrites_nothing(path: Path, clock: Clock) -> None:
    file = opened(path, clock, max_bytes=4)
    for line in (b"one\n", b"two\n", b"six\n"):
        write(file, path, clock, line)

    assert len(names(path)) == 3
    clock.now_s -= 2 * DAY_S
    write(file, path, clock, b"ten\n")
    assert len(names(path)) == 4


def test_a_file_that_another_process_gave_up_is_not_written_to(path: Path, clock: Clock) -> None:
    mine, theirs = opened(path, clock, max_bytes=8), opened(path, clock, max_bytes=8)
    mine.write([b"one\n"])
    theirs.write([b"two\n"])
    theirs.write([b"three\n"])
    mine.write([b"4\n"])

    (given_up, _) = names(path)
    assert path.with_name(given_up).read_bytes() == b"one\ntwo\n"
    assert path.read_bytes() == b"three\n4\n"


def test_a_line_that_its_writer_could_not_finish_does_not_spoil_the_next(path: Path, clock: Clock) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"half": ')
    opened(path, clock).write([b"whole\n"])

    assert path.read_bytes() == b'{"half": \nwhole\n'


@contextmanager
def no_room_beyond(size_bytes: int) -> Iterator[None]:
    """A disk that is full: no file may grow beyond that (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_a_full_disk_cut_off_is_taken_back(path: Path, clock: Clock) -> None:
    file = opened(path, clock)
    file.write([b"before\n"])
    with no_room_beyond(20), pytest.raises(OSError, match="File too large"):
        file.write([b"x" * 30 + b"\n"])

    assert path.read_bytes() == b"before\n"
    file.write([b"after\n"])
    assert path.read_bytes() == b"before\nafter\n"


def test_a_lock_that_another_holds_for_too_long_is_an_error_and_no_hang(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "LOCK_WITHIN_S", 0.05)
    file = opened(path, clock)
    file.write([b"one\n"])
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match="another process holds"):
            file.write([b"two\n"])

    file.write([b"three\n"])
    assert path.read_bytes() == b"one\nthree\n"


@pytest.mark.parametrize("harm", ["removed", "a file"])
def test_a_directory_that_went_is_an_error_or_made_again(path: Path, clock: Clock, harm: str) -> None:
    file = opened(path, clock)
    file.write([b"one\n"])
    path.unlink()
    path.parent.rmdir()
    if harm == "a file":
        path.parent.write_text("in the way")
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            file.write([b"two\n"])
        path.parent.unlink()

    file.write([b"three\n"])
    assert path.read_bytes() == b"three\n"


def test_others_may_not_read_logs(path: Path, clock: Clock) -> None:
    opened(path, clock).write([b"one\n"])

    assert path.stat().st_mode & 0o007 == 0
    assert path.parent.stat().st_mode & 0o007 == 0


def test_tidying_happens_at_the_first_line_and_when_a_file_is_given_up(path: Path) -> None:
    tidied: list[Path] = []
    done = threading.Semaphore(0)

    def note(directory: Path, _now_s: float) -> None:
        tidied.append(directory)
        done.release()

    file = RotatingFile(path, max_bytes=8, tidy=note)
    for line in (b"one\n", b"two\n", b"three\n"):
        file.write([line])
    assert all(done.acquire(timeout=10) for _ in range(2))

    assert tidied == [path.parent, path.parent]


# --- tidying ---


def aged(path: Path, days: float, content: bytes = b"line\n") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOON - days * DAY_S, NOON - days * DAY_S))
    return path


def test_a_copy_has_the_same_content_time_and_readers(path: Path) -> None:
    plain = aged(path.with_name("desk-host.20261119T120000000000.jsonl"), 1, b"a\nb\n")
    plain.chmod(0o640)
    compress(plain)

    (copy,) = path.parent.iterdir()
    assert copy.name == "desk-host.20261119T120000000000.jsonl.gz"
    assert gzip.decompress(copy.read_bytes()) == b"a\nb\n"
    assert copy.stat().st_mtime == NOON - DAY_S
    assert copy.stat().st_mode & 0o777 == 0o640


def test_logs_are_kept_seven_days_and_errors_thirty(path: Path) -> None:
    for days in (6.9, 7.1, 29.9, 30.1):
        stamp = f"20261101T00000{days * 10:07.0f}"
        aged(path.with_name(f"desk-host.{stamp}.jsonl.gz"), days)
        aged(path.with_name(f"desk-host.{stamp}.errors.jsonl.gz"), days)
    assert len(names(path)) == 8
    tidy(path.parent, NOON)

    assert names(path) == [
        "desk-host.20261101T000000000069.errors.jsonl.gz",
        "desk-host.20261101T000000000069.jsonl.gz",
        "desk-host.20261101T000000000071.errors.jsonl.gz",
        "desk-host.20261101T000000000299.errors.jsonl.gz",
    ]


def test_files_of_a_host_that_is_no_more_are_compressed_and_in_the_end_deleted(path: Path) -> None:
    aged(path.with_name("desk-gone.jsonl"), 1)
    aged(path.with_name("desk-gone.errors.jsonl"), 1)
    aged(path.with_name("desk-longgone.jsonl"), 8)
    aged(path, 0)
    tidy(path.parent, NOON)

    assert names(path) == [
        "desk-gone.20261119T120000000000.errors.jsonl.gz",
        "desk-gone.20261119T120000000000.jsonl.gz",
        "desk-host.jsonl",
    ]


def test_what_a_killed_process_left_half_compressed_is_finished(path: Path) -> None:
    plain = aged(path.with_name("desk-host.20261119T110000000000.jsonl"), 0, b"a\nb\n")
    plain.with_name(f"{plain.name}.gz.part").write_bytes(b"half")
    aged(path.with_name("desk-host.20261101T110000000000.jsonl.gz.part"), 2)
    tidy(path.parent, NOON)

    assert names(path) == ["desk-host.20261119T110000000000.jsonl.gz"]
    assert gzip.decompress(path.with_name(names(path)[0]).read_bytes()) == b"a\nb\n"


def test_a_file_that_somebody_holds_is_left_alone_and_so_is_what_is_none_of_ours(path: Path) -> None:
    aged(path.with_name("notes.txt"), 100)
    plain = aged(path.with_name("desk-host.20261119T110000000000.jsonl"), 0)
    with plain.open("rb") as reader:
        fcntl.flock(reader, fcntl.LOCK_EX)
        tidy(path.parent, NOON)

    assert names(path) == [plain.name, "notes.txt"]
