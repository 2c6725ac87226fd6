import os
import subprocess
import sys

from bench.desk import processes
from bench.desk.processes import Usage, cpu_s, descendants, fields_of, stat_of, total

STAT = "4242 (a (strange) name) S 17 1 1 0 -1 4194560 1 0 0 0 250 50 30 20 20 0 1 0 100 1 1"


def test_a_command_may_hold_parentheses_and_spaces() -> None:
    assert stat_of(STAT)[:2] == ["S", "17"]


def test_cpu_is_its_own_and_that_of_its_children_that_ended() -> None:
    assert cpu_s(stat_of(STAT)) == 350 / processes.TICKS_A_SECOND


def test_fields_are_numbers_without_their_units() -> None:
    assert fields_of("Name:\tpython\nRssAnon:\t    4096 kB\nwchar: 17\n") == {"RssAnon": 4096, "wchar": 17}


def test_descendants_of_descendants_belong_to_the_family() -> None:
    assert descendants(1, {1: [2, 3], 2: [4], 9: [10]}) == [1, 2, 3, 4]


def test_this_process_is_its_parents_child() -> None:
    assert os.getpid() in processes.family(os.getppid())


def test_what_this_process_holds_and_used_is_seen() -> None:
    used = processes.usage(os.getpid())

    assert used is not None
    assert used.private_bytes > 1_000_000
    assert used.cpu_s > 0


def test_a_child_that_writes_is_seen_to_write() -> None:
    code = (
        "import pathlib,sys; pathlib.Path('/dev/null').write_bytes(bytes(300_000)); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        used = processes.usage(child.pid)
        child.communicate()

    assert used is not None
    assert used.written_bytes >= 300_000


def test_a_process_that_is_gone_counts_for_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()

    assert processes.usage(child.pid) is None
    assert total([child.pid]) == Usage()
