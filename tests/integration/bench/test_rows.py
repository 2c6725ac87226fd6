"""Each kind of row, measured for a moment: what it runs starts, its own checks hold, and something comes out."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.place import Machine
from bench.rows import backfill, depth, latency, logged, pipeline, scheduler
from bench.workbench import NothingToMeasureError, Workbench, two_cores

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def bench() -> Iterator[Workbench]:
    # PostgreSQL may run as another user, who cannot enter pytest's directories.
    scratch = Path(tempfile.mkdtemp(prefix="nightdesk-bench-"))
    scratch.chmod(0o755)
    first, second = two_cores()
    yield Workbench(place=Machine(), scratch=scratch, seconds=1.5, first=first, second=second)
    shutil.rmtree(scratch)


def test_every_trade_of_the_pipeline_is_stored_and_memory_was_looked_at(bench: Workbench) -> None:
    done = pipeline.run(bench)

    assert done.rate > 0
    assert all(megabytes > 1 for megabytes in done.memory_mb.values())


def test_latency_counts_what_came_after_the_first_second_and_bare_turns_of_the_same_sizes(bench: Workbench) -> None:
    done = latency.run(bench)

    assert 0 < len(done.trades_ms) <= latency.RATE
    assert len(done.turns_ms) == latency.BARE_TURNS


def test_depth_commits_the_books_of_the_recordings(bench: Workbench) -> None:
    try:
        done = depth.run(bench)
    except NothingToMeasureError as missing:
        pytest.skip(str(missing))

    assert done.parsed > done.committed > 0


def test_a_run_takes_place_once_a_round_however_many_rows_it_gives(bench: Workbench) -> None:
    runs = []

    def run(_: Workbench) -> int:
        runs.append(1)
        return len(runs)

    assert [bench.once(run), bench.shared().once(run)] == [1, 1]


def test_lines_are_logged_and_written_bare(bench: Workbench) -> None:
    done = logged.run(bench)

    assert done.rate > 0
    assert done.bare_rate > 0


def test_a_gap_of_the_benchmark_is_filled_and_copied(bench: Workbench) -> None:
    done = backfill.run(bench)

    assert 0 < done.rate < done.bare_rate


def test_a_turn_of_the_scheduler_takes_all_that_are_due_at_once(bench: Workbench) -> None:
    done = scheduler.run(bench)

    assert done.due_statements < 20
    assert 0 < done.idle_cpu_ms < done.due_cpu_ms
    assert 0 < done.set_ms < done.singles_ms
