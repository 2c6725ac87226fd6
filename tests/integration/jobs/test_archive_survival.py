"""Killed at any moment, beside a live load and within its memory, the archive loses nothing."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nightdesk.store.migrate import WRITER
from tests.conftest import Database
from tests.integration.jobs.ticks import OLD, TODAY, everything, fill, partitions

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).resolve().parents[3]
KILLS = 8
MEMORY_MB = 400
"""Of the container's 512."""


@contextmanager
def child(database: Database, archive: Path, job: str) -> Iterator["subprocess.Popen[str]"]:
    command = [
        sys.executable, "-m", "tests.integration.jobs.archive_child", job, str(archive), database.url(WRITER), f"{OLD}",
    ]  # fmt: skip
    environ = {**os.environ, "DATABASE_PASSWORD": database.password(WRITER)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        # What the logs say is on the same stream.
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        try:
            yield process
        finally:
            process.kill()


def completed(database: Database, archive: Path, job: str) -> Any:
    with child(database, archive, job) as process:
        output, _ = process.communicate("go\n", timeout=200)
    return json.loads(output.splitlines()[-1])


def killed_after(database: Database, archive: Path, job: str, seconds: float) -> bool:
    """Whether it was killed before it was done."""
    with child(database, archive, job) as process:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        time.sleep(seconds)
        process.kill()
        return process.wait() != 0


def test_killed_at_any_moment_nothing_is_lost_and_no_half_file_is_taken_for_a_whole(
    database: Database, tmp_path: Path
) -> None:
    fill(database, rows=4000)
    before = everything(database)
    archive = tmp_path / "archive"
    chance = random.Random(6)

    began = time.monotonic()
    completed(database, archive, "archive_ticks")
    took_s = time.monotonic() - began
    kills = 0
    for number in range(KILLS):
        job = "restore_day" if number % 2 == 0 else "archive_ticks"
        kills += killed_after(database, archive, job, chance.uniform(0, took_s / 2))
        if number % 4 == 3:
            completed(database, archive, "restore_day")
            assert everything(database) == before
    done = completed(database, archive, "archive_ticks")["result"]

    assert kills > KILLS // 3
    assert partitions(database) == set()
    assert done["problems"] == []
    names = sorted(path.name for path in archive.rglob("*.parquet*"))
    assert len(names) == 4
    assert not any(name.endswith(".partial") for name in names)
    completed(database, archive, "restore_day")
    assert everything(database) == before


def test_the_live_load_goes_on_and_a_large_day_needs_little_memory(database: Database, tmp_path: Path) -> None:
    fill(database, rows=200_000, tables=("trades",))
    fill(database, rows=50_000, tables=("depths",))
    fill(database, TODAY, rows=0)
    before = everything(database)
    stop, inserted = threading.Event(), []

    def load() -> None:
        with database.connect(WRITER) as connection:
            while not stop.is_set():
                began = time.monotonic()
                connection.execute(
                    "INSERT INTO trades SELECT 1, 1, now(), n, n, n, NULL, now() FROM generate_series(1, 500) AS n"
                )
                inserted.append(time.monotonic() - began)
                time.sleep(0.02)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        archived = completed(database, tmp_path / "archive", "archive_ticks")
        gone = partitions(database)
        restored = completed(database, tmp_path / "archive", "restore_day")
    finally:
        stop.set()
        thread.join()

    assert gone == set()
    assert everything(database) == before
    assert archived["peak_mb"] < MEMORY_MB
    assert restored["peak_mb"] < MEMORY_MB
    with database.connect() as connection:
        found = connection.execute("SELECT count(*) FROM trades WHERE time >= %s", (TODAY,)).fetchone()
    assert found == (500 * len(inserted),)
