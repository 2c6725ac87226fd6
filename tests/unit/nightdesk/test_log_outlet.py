"""Who logs is never held up: a line is queued, or dropped and counted; a place that fails is told of once."""

import os
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from nightdesk import log_outlet
from nightdesk.log_outlet import Outlet, pieces


class Place:
    """A sink that can be closed and broken."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.is_open = threading.Event()
        self.is_open.set()
        self.broken: OSError | None = None
        self.attempts = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self.is_open.wait()
        self.attempts += 1
        if self.broken is not None:
            raise self.broken
        self.lines += lines


class Said:
    """What outlets told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def __call__(self, level: str, event: str, **facts: object) -> None:
        self.lines.append((level, event, facts))

    def events(self) -> list[str]:
        return [event for _, event, _ in self.lines]


def eventually(fact: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not fact():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def said() -> Said:
    return Said()


def written(outlet: Outlet) -> bool:
    return outlet.mark().wait(10)


def test_lines_are_written_in_order(place: Place, said: Said) -> None:
    outlet = Outlet("stdout", lambda: place, tell=said)
    for number in range(2000):
        outlet.put(str(number))

    assert written(outlet)
    assert place.lines == [b"%d\n" % number for number in range(2000)]
    assert (outlet.written, outlet.dropped, outlet.failures, said.lines) == (2000, 0, 0, [])


class Refused(threading.Thread):
    """A thread of a system that has no more of them."""

    def start(self) -> None:
        raise RuntimeError("can't start new thread")


def test_where_there_is_no_thread_to_be_had_lines_wait_until_there_is(
    place: Place, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    outlet = Outlet("stdout", lambda: place, tell=said)
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Thread", Refused)
        outlet.put("one")
        assert outlet.mark().is_set()

    outlet.put("two")
    assert written(outlet)
    assert place.lines == [b"one\n", b"two\n"]


def test_a_place_that_takes_nothing_holds_up_nobody_and_what_it_cost_is_told(place: Place, said: Said) -> None:
    place.is_open.clear()
    outlet = Outlet("stdout", lambda: place, tell=said, max_lines=100)
    for number in range(250):
        outlet.put(str(number))
    assert outlet.dropped == 150

    place.is_open.set()
    assert written(outlet)
    assert place.lines == [b"%d\n" % number for number in range(100)]
    assert eventually(lambda: said.lines == [("warning", "log.dropped", {"outlet": "stdout", "lines": 150})])


def test_what_waits_is_bounded_in_bytes_as_well(place: Place, said: Said) -> None:
    place.is_open.clear()
    outlet = Outlet("stdout", lambda: place, tell=said, max_bytes=1000)
    for _ in range(3):
        outlet.put("x" * 400)

    assert outlet.dropped == 1
    place.is_open.set()
    assert written(outlet)
    outlet.put("x" * 1000)
    assert written(outlet)
    assert outlet.dropped == 1


def test_a_failure_is_told_once_and_nothing_that_waited_is_lost(
    place: Place, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_outlet, "AGAIN_S", 0.01)
    place.broken = OSError(28, "No space left on device")
    outlet = Outlet("file", lambda: place, tell=said)
    outlet.put("first")
    assert eventually(lambda: outlet.failures > 2)
    outlet.put("second")
    place.broken = None

    assert eventually(lambda: place.lines == [b"first\n", b"second\n"])
    assert eventually(lambda: said.events() == ["log.failed", "log.resumed"])
    assert said.lines[0] == (
        "warning", "log.failed", {"outlet": "file", "error": "[Errno 28] No space left on device"}
    )  # fmt: skip


def test_the_end_of_a_process_does_not_wait_for_a_place_that_fails(place: Place, said: Said) -> None:
    place.broken = OSError(28, "No space left on device")
    outlet = Outlet("file", lambda: place, tell=said)
    outlet.put("first")
    assert eventually(lambda: outlet.failures > 0)

    assert outlet.mark().is_set()


def test_a_forked_child_writes_its_own_lines_and_none_of_its_parents(place: Place, said: Said) -> None:
    place.is_open.clear()
    outlet = Outlet("stdout", lambda: place, tell=said)
    outlet.put("parent's")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # no assertion in here: it must not return into pytest
        place.is_open = threading.Event()
        place.is_open.set()
        outlet.put("child's")
        outlet.mark().wait(10)
        os.write(writing, b"".join(place.lines))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 1000) == b"child's\n"
    place.is_open.set()
    assert written(outlet)
    assert place.lines == [b"parent's\n"]
    os.close(reading)
    os.close(writing)


def test_nothing_starts_before_the_first_line(place: Place, said: Said) -> None:
    before = threading.active_count()
    outlet = Outlet("stdout", lambda: place, tell=said)

    assert threading.active_count() == before
    assert outlet.mark().is_set()


def test_lines_are_joined_up_to_what_a_pipe_keeps_together() -> None:
    assert list(pieces([b"aa\n", b"bb\n", b"cc\n"], 6)) == [b"aa\nbb\n", b"cc\n"]
    assert list(pieces([b"a\n", b"long line\n", b"b\n"], 4)) == [b"a\n", b"long line\n", b"b\n"]
    assert list(pieces([], 4)) == []
