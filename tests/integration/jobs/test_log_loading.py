"""Every line is counted once: rotation, truncation, growth, kills, two at once, junk, a hundred megabytes."""

import gzip
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightdesk.store.database import Connection, connect
from nightdesk.store.migrate import WRITER
from services.jobs.digest import files, loading
from services.jobs.digest.config import LogsConfig, read_logs
from services.jobs.digest.guard import Guard
from services.jobs.digest.loading import Loaded, Loader
from services.jobs.digest.rows import LogRows
from tests.conftest import Database
from tests.integration.jobs import slow_reader
from tests.integration.jobs.load_child import CONFIG, NOW

pytestmark = [pytest.mark.integration, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[3]
COUNTS = "SELECT to_char(day, 'YYYY-MM-DD'), service, level, sum(lines)::int8 FROM log_counts GROUP BY 1, 2, 3"
LINES = """
SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD'), service, level, count(*) FROM log_events GROUP BY 1, 2, 3
"""


def connected(database: Database) -> Connection:
    return connect(database.url(WRITER), database.password(WRITER), name="test")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files of a few kilobytes as those of many megabytes are read: in many blocks."""
    monkeypatch.setattr(files, "BLOCK_BYTES", 700)


@pytest.fixture
def load(database: Database, tmp_path: Path) -> Iterator[Callable[..., Loaded]]:
    with connected(database) as connection:

        def run(progress: Callable[[float, float, str], None] = lambda *_: None, **changes: Any) -> Loaded:
            config: LogsConfig = changes.pop("config", None) or read_logs(CONFIG)
            values = {"log_dir": tmp_path, "now": NOW, "progress": progress, **changes}
            return Loader(LogRows(connection), config, **values).load()

        yield run


def stored(database: Database) -> tuple[Counter[tuple[str, str, str]], int]:
    """Return what is counted, which has to be what is there line by line."""
    with database.connect() as connection:
        counts, rows = (counted(connection.execute(query).fetchall()) for query in (COUNTS, LINES))
        found = connection.execute("SELECT coalesce(sum(lines), 0)::int8 FROM log_unparsed").fetchone()
        totals = connection.execute("SELECT sum(lines)::int8, sum(unparsed)::int8 FROM log_files").fetchone()
    assert counts == rows
    assert found is not None
    unparsed = int(str(found[0]))
    assert totals in ((counts.total() + unparsed, unparsed), (None, None))
    return counts, unparsed


def counted(rows: list[Any]) -> Counter[tuple[str, str, str]]:
    return Counter({(day, service, level): lines for day, service, level, lines in rows})


def text_line(number: int) -> bytes:
    moment = datetime(2026, 11, 18, tzinfo=UTC) + timedelta(seconds=number * 3)
    level = ("INFO", "INFO", "WARNING", "ERROR")[number % 4]
    return f"{moment:%Y-%m-%d %H:%M:%S} [{level}] trade-engine: order {number} done\n".encode()


def json_line(number: int, **fields: Any) -> bytes:
    moment = datetime(2026, 11, 18, tzinfo=UTC) + timedelta(seconds=number * 3)
    level = ("info", "info", "warning", "error")[number % 4]
    known = {"timestamp": moment.isoformat(), "level": level, "service": "worker", "event": "turn.done"}
    return json.dumps({**known, "number": number, **fields}).encode() + b"\n"


def text(first: int, last: int) -> bytes:
    return b"".join(map(text_line, range(first, last)))


def demo(tmp_path: Path, name: str = "app.log") -> Path:
    (tmp_path / "demo").mkdir(exist_ok=True)
    return tmp_path / "demo" / name


def compress(path: Path, to: Path | None = None) -> None:
    target = to or path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def expected(first: int, last: int) -> tuple[Counter[tuple[str, str, str]], int]:
    return slow_reader.counted(slow_reader.lines(text(first, last)))


def test_a_second_load_adds_nothing(database: Database, tmp_path: Path, load: Callable[..., Loaded]) -> None:
    demo(tmp_path).write_bytes(text(0, 500))

    first, second = load(), load()

    assert (first.lines, second.lines, second.read) == (500, 0, 0)
    assert stored(database) == expected(0, 500)


def test_a_file_that_grows_is_read_on(database: Database, tmp_path: Path, load: Callable[..., Loaded]) -> None:
    path = demo(tmp_path)
    content = text(0, 300)
    for end in (1, 40, 64, 65, 1000, 1024, 1025, 9000, len(content)):
        path.write_bytes(content[:end])
        load()

    assert stored(database) == expected(0, 300)


@pytest.mark.usefixtures("small_blocks")
def test_rotation_between_loads_counts_nothing_twice(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    path = demo(tmp_path)
    for turn in range(5):
        path.write_bytes(text(turn * 100, turn * 100 + 70))
        load()
        with path.open("ab") as file:
            file.write(text(turn * 100 + 70, turn * 100 + 100))
        for older in range(turn, 0, -1):
            (tmp_path / "demo" / f"app.log.{older}.gz").rename(tmp_path / "demo" / f"app.log.{older + 1}.gz")
        compress(path, tmp_path / "demo" / "app.log.1.gz")
        load()

    assert stored(database) == expected(0, 500)
    assert load().read == 0


@pytest.mark.usefixtures("small_blocks")
def test_rotation_while_a_file_is_read_counts_nothing_twice(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    path = demo(tmp_path)
    path.write_bytes(text(0, 200))
    turns = iter(range(1000))

    def rotate(*_: object) -> None:
        if next(turns) == 4:
            path.rename(demo(tmp_path, "app.log.1"))
            path.write_bytes(text(200, 300))
        elif demo(tmp_path, "app.log.1").exists() and next(turns) > 10:
            compress(demo(tmp_path, "app.log.1"))

    load(progress=rotate)
    load()

    assert stored(database) == expected(0, 300)


@pytest.mark.usefixtures("small_blocks")
def test_a_file_that_is_copied_and_emptied_in_place_is_counted_once(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    path = demo(tmp_path)
    path.write_bytes(text(0, 100))
    load()
    with path.open("ab") as file:
        file.write(text(100, 150))
    demo(tmp_path, "app.log.1").write_bytes(path.read_bytes())
    load()
    path.write_bytes(text(150, 160))  # emptied, and begun anew
    load()

    assert stored(database) == expected(0, 160)


@pytest.mark.usefixtures("small_blocks")
def test_a_file_that_is_emptied_while_it_is_read_loses_only_what_was_never_read(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    """What nobody has read by then is lost; what is written after it is not taken for the rest."""
    path = demo(tmp_path)
    path.write_bytes(text(0, 200))
    turns = iter(range(1000))

    def empty(*_: object) -> None:
        if next(turns) == 3:
            os.truncate(path, 0)
            path.write_bytes(text(300, 500))

    read = load(progress=empty).lines
    load()

    counts, unparsed = stored(database)
    assert 0 < read < 200
    assert unparsed == 0
    assert counts == expected(0, read)[0] + expected(300, 500)[0]


def test_a_last_line_without_an_end_waits_until_it_has_one(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    path = demo(tmp_path)
    path.write_bytes(text(0, 3) + text_line(3)[:40])
    assert load().lines == 3

    path.write_bytes(text(0, 5))
    load()

    assert stored(database) == expected(0, 5)


def test_a_last_line_without_an_end_counts_once_nobody_writes_to_its_file_any_more(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    path = demo(tmp_path)
    path.write_bytes(text(0, 3) + text_line(3)[:-1])
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))

    assert load().lines == 3
    assert load(now=NOW + timedelta(days=2)).lines == 1
    assert load(now=NOW + timedelta(days=3)).lines == 0
    assert stored(database) == expected(0, 4)


def test_a_compressed_file_that_is_cut_short_is_read_as_far_as_it_goes(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    whole = gzip.compress(text(0, 2000))
    path = demo(tmp_path, "app.log.1.gz")
    path.write_bytes(whole[: len(whole) // 2])
    first = load().lines
    path.write_bytes(whole)
    load()

    assert 0 < first < 2000
    assert stored(database) == expected(0, 2000)


def test_what_is_no_file_of_lines_is_said_and_harms_nothing(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    demo(tmp_path).write_bytes(text(0, 10))
    demo(tmp_path, "junk.log.gz").write_bytes(b"this is not compressed at all")
    demo(tmp_path, "empty.log").touch()
    demo(tmp_path, "directory.log").mkdir()
    os.mkfifo(demo(tmp_path, "pipe.log"))

    found = load()

    assert [one.partition(":")[0].rpartition("/")[2] for one in found.unreadable] == ["junk.log.gz"]
    assert stored(database) == expected(0, 10)


@pytest.mark.parametrize("content", [gzip.compress(b"", mtime=0), b"\x1f\x8b"])
def test_a_compressed_file_of_nothing_is_left_alone(
    tmp_path: Path, load: Callable[..., Loaded], content: bytes
) -> None:
    demo(tmp_path, "app.log.1.gz").write_bytes(content)

    assert (load().lines, load().new) == (0, 0)


def test_a_file_whose_name_is_no_text_is_read_once(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    demo(tmp_path)
    Path(os.fsdecode(os.fsencode(tmp_path / "demo") + b"/\xff.log")).write_bytes(text(0, 3) + b"no line\n")

    assert (load().lines, load().lines) == (4, 0)
    assert stored(database) == (expected(0, 3)[0], 1)


def test_of_a_source_that_is_given_up_no_more_lines_are_looked_at_until_the_next_load(
    database: Database, tmp_path: Path, load: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "Guard", lambda: Guard(tick_s=0.02))
    demo(tmp_path).write_bytes(text(0, 20) + (b"a" * 60 + b"\n") * 15 + text(20, 30))
    usual = r"(?P<time>\S+ \S+) \[(?P<level>\w+)\] (?P<service>\S+): (?P<message>.*)"
    source = {"paths": ["demo/*.log"], "pattern": rf"(?P<slow>(?:a+)+)b|{usual}"}
    config = LogsConfig.model_validate({"sources": {"app": source}})

    loads = [load(config=config) for _ in range(3)]

    assert [(one.lines, one.slow) for one in loads] == [(30, ["app"]), (15, []), (0, [])]
    assert stored(database) == (expected(0, 30)[0], 15)


def test_our_own_lines_are_counted_once_though_errors_have_a_file_of_their_own(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    (tmp_path / "worker").mkdir()
    every = [json_line(number) for number in range(100)]
    (tmp_path / "worker" / "worker-a.jsonl").write_bytes(b"".join(every))
    (tmp_path / "worker" / "worker-a.errors.jsonl").write_bytes(b"".join(every[3::4]))

    load()

    assert stored(database) == slow_reader.counted(line[:-1] for line in every)


def test_lines_that_are_not_understood_are_counted_by_reason_and_the_first_are_kept(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    junk = [b"\xff\xfe\n", b"no line\n", b"\n", b"password=hunter2\n", b"x" * 100_000 + b"\n", b"\0\0\n"]
    demo(tmp_path).write_bytes(text(0, 2) + b"".join(junk) * 20 + text(2, 4))

    load()

    with database.connect() as connection:
        rows = connection.execute("SELECT reason, lines, samples FROM log_unparsed ORDER BY reason").fetchall()
    assert {reason: lines for reason, lines, _ in rows} == {
        "does not match the pattern": 60, "empty": 20, "longer than 64 KB": 20, "not UTF-8": 20,
    }  # fmt: skip
    for _, _, samples in rows:
        assert isinstance(samples, list)
        assert len(samples) == 10
        assert all(len(one["line"]) <= 300 and "hunter2" not in one["line"] for one in samples)
    assert stored(database) == (expected(0, 4)[0], 120)


@pytest.mark.parametrize("last", [b"", b"\n"])
def test_samples_of_many_loads_are_no_more_than_ten(
    database: Database, tmp_path: Path, load: Callable[..., Loaded], last: bytes
) -> None:
    for turn in range(4):
        demo(tmp_path, f"{turn}.log").write_bytes(text(turn, turn + 2) + b"no line\n" * 4 + last)
        load()

    with database.connect() as connection:
        rows = connection.execute("SELECT lines, jsonb_array_length(samples) FROM log_unparsed WHERE reason <> 'empty'")
        assert rows.fetchall() == [(16, 10)]


def test_an_expression_that_matches_nothing_counts_every_line_as_not_understood(
    database: Database, tmp_path: Path, load: Callable[..., Loaded]
) -> None:
    demo(tmp_path).write_bytes(text(0, 30))
    source = {"paths": ["demo/*.log"], "pattern": "(?P<time>never)(?P<message>)"}

    load(config=LogsConfig.model_validate({"sources": {"app": source}}))

    assert stored(database) == (Counter(), 30)


LINE = st.one_of(
    st.binary(max_size=120),
    st.sampled_from([text_line(1)[:-1], json_line(1)[:-1], json_line(2)[:-9], b"[" * 5000, b'{"a":1e999}']),
    st.dictionaries(
        st.sampled_from(["timestamp", "level", "service", "event", "message", "exception", "x"]),
        st.text(st.characters(), max_size=30) | st.floats() | st.integers() | st.none(),
    ).map(lambda one: json.dumps({**one, "timestamp": "2026-11-18T01:02:03Z"}).encode()),
)
JUNK = st.lists(st.tuples(LINE, st.sampled_from([b"\n", b"\r\n"])).map(b"".join), min_size=1, max_size=25).map(b"".join)


@pytest.mark.slow
@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(content=JUNK, where=st.sampled_from(["demo/a.log", "worker/a.jsonl"]))
def test_any_bytes_are_loaded_and_every_line_is_counted(
    content: bytes, where: str, database: Database, load: Callable[..., Loaded], tmp_path: Path
) -> None:
    with database.connect() as connection:
        connection.execute("TRUNCATE log_files, log_events, log_counts, log_errors, log_unparsed, log_services")
    path = tmp_path / where
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)

    assert load().lines == content.count(b"\n")
    counts, unparsed = stored(database)
    assert counts.total() + unparsed == content.count(b"\n")
    path.unlink()


@pytest.mark.slow
@pytest.mark.usefixtures("small_blocks")
def test_two_loaders_at_once_count_every_line_once(database: Database, tmp_path: Path) -> None:
    for number in range(6):
        demo(tmp_path, f"{number}.log").write_bytes(text(number * 1000, number * 1000 + 700))
    problems: list[BaseException] = []

    def run() -> None:
        try:
            with connected(database) as connection:
                for _ in range(3):
                    Loader(
                        LogRows(connection), read_logs(CONFIG), log_dir=tmp_path, now=NOW, progress=lambda *_: None
                    ).load()
        except BaseException as error:  # noqa: BLE001  told below
            problems.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    counts = sum((expected(number * 1000, number * 1000 + 700)[0] for number in range(6)), Counter[Any]())
    assert stored(database) == (counts, 0)


def child(database: Database, directory: Path, block_bytes: int) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "DATABASE_PASSWORD": database.password(WRITER)}
    command = [sys.executable, "-m", "tests.integration.jobs.load_child"]
    return subprocess.Popen(
        [*command, database.url(WRITER), str(directory), str(block_bytes)],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.slow
def test_killed_anywhere_and_begun_again_every_line_is_counted_once(database: Database, tmp_path: Path) -> None:
    """Lines are written, rotated and compressed all the while."""
    chance = random.Random(11)
    path = demo(tmp_path)
    written = 0
    kills = 0
    for turn in range(12):
        with path.open("ab") as file:
            file.write(text(written, written + 4000))
        written += 4000
        process = child(database, tmp_path, 20_000)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.5))
        kills += process.poll() is None
        process.kill()
        process.wait()
        if turn % 3 == 2:
            path.rename(demo(tmp_path, f"app.log.{turn}"))
        if turn % 6 == 5:
            compress(demo(tmp_path, f"app.log.{turn}"))
    last = child(database, tmp_path, 20_000)
    output, _ = last.communicate(timeout=120)

    assert last.returncode == 0, output
    assert kills >= 6
    assert stored(database) == expected(0, written)


@pytest.mark.slow
def test_a_hundred_megabytes_are_counted_once_though_killed_halfway(database: Database, tmp_path: Path) -> None:
    (tmp_path / "worker").mkdir()
    path = tmp_path / "worker" / "worker-a.jsonl"
    piece = b"".join(json_line(number, detail="x" * 120) for number in range(4000)) + b'{"cut sh\n\xff\xfe\n'
    count = 100_000_000 // len(piece) + 1
    with path.open("wb") as file:
        for number in range(count):
            file.write(b'{"timestamp": "2026-11-18T00:00:00Z", "level": "info", "service": "%d"}\n' % number + piece)
    assert path.stat().st_size > 100_000_000

    process = child(database, tmp_path, 4 * 1024 * 1024)
    with database.connect() as connection:
        while not half_loaded(connection, path.stat().st_size):
            assert process.poll() is None
            time.sleep(0.05)
    process.kill()
    process.wait()
    last = child(database, tmp_path, 4 * 1024 * 1024)
    output, _ = last.communicate(timeout=600)

    assert last.returncode == 0, output
    assert_counts(database, path)


def half_loaded(connection: Any, size: int) -> bool:
    row = connection.execute('SELECT max("offset") FROM log_files').fetchone()
    return (row[0] or 0) > size // 3


def assert_counts(database: Database, path: Path) -> None:
    with path.open("rb") as file:
        every, unparsed = slow_reader.counted(line.rstrip(b"\n") for line in file)
    assert stored(database) == (every, unparsed)
