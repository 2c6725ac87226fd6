"""What the nightly digest says and tells, of logs in a real database."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nightdesk.clock import Clock
from nightdesk.errors import ConfigurationError
from services.jobs import demo_logs, log_digest
from services.jobs.runner.job import Desk
from tests.conftest import Database
from tests.integration.jobs import slow_reader
from tests.integration.jobs.conftest import Told
from tests.integration.jobs.test_log_loading import counted

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NIGHT = datetime(2026, 11, 20, 0, 20, tzinfo=UTC)
COUNTS = "SELECT to_char(day, 'YYYY-MM-DD'), service, level, sum(lines)::int8 FROM log_counts GROUP BY 1, 2, 3"


@pytest.fixture
def night(desk: Callable[..., Desk], tmp_path: Path) -> Callable[..., Desk]:
    """Make a desk at twenty past midnight, some days later if so asked."""

    def make(days: int = 0, **settings: Any) -> Desk:
        at = NIGHT + timedelta(days=days)
        clock = Clock(wall_ns=lambda: int(at.timestamp() * 1e9))
        return desk(scheduled_for=at, clock=clock, job="log_digest", **{"log_dir": tmp_path, **settings})

    return make


def line(day: date, service: str, text: str, level: str = "INFO", hour: int = 12) -> str:
    return f"{day} {hour:02}:00:00 [{level}] {service}: {text}\n"


def write(tmp_path: Path, lines: list[str], name: str = "app.log") -> None:
    (tmp_path / "demo").mkdir(exist_ok=True)
    (tmp_path / "demo" / name).write_text("".join(lines), encoding="utf-8")


def days_before(count: int) -> list[date]:
    return [NIGHT.date() - timedelta(days=number) for number in range(count, 0, -1)]


def digest(desk: Desk, **arguments: Any) -> dict[str, Any]:
    return dict(log_digest.run(desk, log_digest.Arguments(**arguments)))


def test_the_demo_is_digested_to_what_a_slow_reader_counts(
    night: Callable[..., Desk], database: Database, tmp_path: Path, told: Told
) -> None:
    wrote = demo_logs.run(night(), demo_logs.Arguments(lines=150, malformed=0.02))
    result = digest(night())

    every = [one for path in (tmp_path / "demo").iterdir() for one in slow_reader.lines(path.read_bytes())]
    expected, unparsed = slow_reader.counted(every)
    with database.connect() as connection:
        counts = counted(connection.execute(COUNTS).fetchall())
    assert counts == expected
    assert (result["loaded"]["lines"], result["loaded"]["unparsed"]) == (wrote["lines"], unparsed)
    assert len(every) == wrote["lines"]
    day = {key: lines for key, lines in expected.items() if key[0] == "2026-11-19"}
    assert result["lines"] == sum(day.values())
    assert result["error_lines"] == sum(lines for key, lines in day.items() if key[2] in ("error", "critical"))
    assert [one["service"] for one in result["new"]] == ["risk-service"]
    assert [one["service"] for one in result["failing"]] == ["order-gateway"]
    assert [message[0] for message in told.notifications] == ["warning", "info"]


def test_digested_again_the_day_is_the_same_and_told_under_the_same_keys(
    night: Callable[..., Desk], told: Told
) -> None:
    demo_logs.run(night(), demo_logs.Arguments(lines=100, days=2))
    first, second = digest(night()), digest(night())

    assert {**first, "loaded": None} == {**second, "loaded": None}
    assert second["loaded"]["lines"] == 0
    keys = [message[4] for message in told.notifications]
    assert keys[: len(keys) // 2] == keys[len(keys) // 2 :]


def test_written_again_the_demo_adds_nothing(night: Callable[..., Desk]) -> None:
    wish = demo_logs.Arguments(lines=100, days=2, day=date(2026, 11, 10))
    for expected in (True, False):
        demo_logs.run(night(), wish)
        assert bool(digest(night(), only_load=True)["loaded"]["lines"]) is expected


def test_on_the_first_day_nothing_is_called_new_to_anybody(
    night: Callable[..., Desk], tmp_path: Path, told: Told
) -> None:
    write(tmp_path, [line(date(2026, 11, 19), "a", "broken", "ERROR")])

    assert digest(night())["errors"]["new"] == 1
    assert told.notifications == []


def test_new_errors_are_told_once_with_what_they_say(night: Callable[..., Desk], tmp_path: Path, told: Told) -> None:
    lines = [line(day, "a", "as ever", "ERROR") for day in days_before(5)]
    write(tmp_path, [*lines, line(date(2026, 11, 19), "a", "token=abc123 is refused", "ERROR", 13)])

    digest(night())

    ((level, title, text, fields, key),) = told.notifications
    assert (level, title) == ("info", "1 new error on 2026-11-19")
    assert text == "1 x a: token=*** is refused"
    assert fields == {"page": "/reports/logs/2026-11-19"}
    assert key == "log_digest new 2026-11-19"


@pytest.mark.parametrize(("fetches", "is_told"), [((2, 38), False), ((3, 37), True), ((10, 9), False)])
def test_a_share_of_failed_fetches_above_its_limit_is_told(
    night: Callable[..., Desk], tmp_path: Path, told: Told, fetches: tuple[int, int], is_told: bool
) -> None:
    failed, succeeded = fetches
    day = date(2026, 11, 19)
    lines = [line(day, "feed", "Request failed: timeout", "WARNING")] * failed
    write(tmp_path, lines + [line(day, "feed", "Request succeeded: 200")] * succeeded)

    result = digest(night())

    assert [message[1] for message in told.notifications] == (["Fetches of feed fail"] if is_told else [])
    assert (result["fetches_failed"], result["fetches_succeeded"]) == (failed, succeeded)


SILENT_CONFIG = """
sources:
  demo:
    paths: ["demo/*.log"]
    pattern: '(?P<time>\\S+ \\S+) \\[(?P<level>\\w+)\\] (?P<service>\\w+): (?P<message>.*)'
    silent_after: 24h
"""


@pytest.mark.parametrize(
    ("when", "is_told"),
    [
        (([5, 4, 3, 2], 0), True),  # every day, then a day without
        (([5, 4, 3, 2, 1], 0), False),
        (([5, 3, 2], 0), False),  # not every day
        (([3, 2], 0), False),  # too new to have a habit
        (([5, 4, 3, 2], 5), True),
        (([5, 4, 3, 2], 9), False),  # gone for good
    ],
)
def test_a_service_whose_log_stops_is_told(
    night: Callable[..., Desk], tmp_path: Path, told: Told, when: tuple[list[int], int], is_told: bool
) -> None:
    days_of_a, nights = when
    config = tmp_path / "logs.yaml"
    config.write_text(SILENT_CONFIG, encoding="utf-8")
    lines = [line(day, "b", "still here") for day in days_before(6)]
    lines += [line(NIGHT.date() - timedelta(days=number), "a", "here") for number in days_of_a]
    later = [line(NIGHT.date() + timedelta(days=number), "b", "still here") for number in range(nights)]
    write(tmp_path, lines)
    digest(night(logs_config=config))
    told.notifications.clear()
    write(tmp_path, lines + later)

    result = digest(night(nights, logs_config=config))

    assert [one["service"] for one in result["silent"]] == (["a"] if is_told else [])
    assert [message[1] for message in told.notifications] == (["The log of a has stopped"] if is_told else [])


def test_a_source_without_a_limit_may_be_silent(night: Callable[..., Desk], tmp_path: Path) -> None:
    write(tmp_path, [line(day, "a", "here") for day in days_before(6)[:3]])

    assert digest(night())["silent"] == []


def test_told_is_only_who_wants_to_be(night: Callable[..., Desk], told: Told) -> None:
    demo_logs.run(night(), demo_logs.Arguments(lines=100, days=2))

    assert digest(night(), notify=False, tell_new=False)["failing"]
    assert told.notifications == []


def test_lines_that_are_older_than_they_are_kept_go_and_their_counts_stay(
    night: Callable[..., Desk], database: Database, tmp_path: Path
) -> None:
    write(tmp_path, [line(day, "a", "broken", "ERROR") for day in days_before(50)])

    assert digest(night())["pruned"] == 15
    with database.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM log_events), (SELECT sum(lines)::int FROM log_counts),"
            " (SELECT sum(lines)::int FROM log_errors)"
        ).fetchone()
    assert row == (35, 50, 50)


def test_loading_alone_tells_and_prunes_nothing(
    night: Callable[..., Desk], tmp_path: Path, told: Told, database: Database
) -> None:
    write(tmp_path, [line(day, "a", "broken", "ERROR") for day in days_before(50)])

    assert list(digest(night(), only_load=True)) == ["loaded"]
    assert told.notifications == []
    assert told.progress[-1][0] == told.progress[-1][1]
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM log_events").fetchone() == (50,)


def test_what_events_stand_for_follows_the_file(night: Callable[..., Desk], tmp_path: Path, database: Database) -> None:
    digest(night(), only_load=True)
    config = tmp_path / "logs.yaml"
    config.write_text(SILENT_CONFIG + "restarts: [a.started]\n", encoding="utf-8")
    digest(night(logs_config=config), only_load=True)

    with database.connect() as connection:
        assert connection.execute("SELECT event, meaning FROM log_meanings").fetchall() == [("a.started", "restart")]


@pytest.mark.parametrize("job", [log_digest, demo_logs])
def test_without_a_directory_of_logs_it_says_what_to_set(night: Callable[..., Desk], job: Any) -> None:
    with pytest.raises(ConfigurationError, match="LOG_DIR is not set"):
        job.run(night(log_dir=None), job.Arguments())
