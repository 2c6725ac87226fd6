"""The table of runs to come, over changes of the clocks."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from nightdesk.schedule_config import Schedule
from services.scheduler.instants import Session
from services.scheduler.upcoming import main, table, upcoming

SATURDAY = datetime(2026, 3, 7, 18, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def new_york(_calendar: str, start: date, end: date) -> list[Session]:
    """Sessions of weekdays, from half past nine to four."""
    zone = ZoneInfo("America/New_York")
    days = [start + timedelta(days=place) for place in range((end - start).days + 1)]
    return [
        Session(
            day=day,
            zone="America/New_York",
            opens=datetime.combine(day, time(9, 30), zone).astimezone(UTC),
            closes=datetime.combine(day, time(16), zone).astimezone(UTC),
        )
        for day in days
        if day.weekday() < 5
    ]


def printed(jobs: dict[str, object], now: datetime = SATURDAY) -> list[str]:
    text = table(upcoming(Schedule.model_validate({"jobs": jobs}), now, BERLIN, new_york), "CET")
    return [" | ".join(part.strip() for part in line.split("  ") if part.strip()) for line in text.splitlines()]


def test_a_cron_line_is_shown_in_its_own_zone_here_and_in_utc_over_a_change() -> None:
    assert printed({"scan": {"cron": "30 2 * * *", "timezone": "America/New_York"}}) == [
        "job | when | exchange or own zone | here (CET) | UTC",
        "scan | 30 2 * * * America/New_York | Sun 08 Mar 03:00 EDT | Sun 08 Mar 08:00 CET | Sun 08 Mar 07:00 UTC",
        "scan | 30 2 * * * America/New_York | Mon 09 Mar 02:30 EDT | Mon 09 Mar 07:30 CET | Mon 09 Mar 06:30 UTC",
        "scan | 30 2 * * * America/New_York | Tue 10 Mar 02:30 EDT | Tue 10 Mar 07:30 CET | Tue 10 Mar 06:30 UTC",
    ]


def test_a_session_is_shown_on_its_exchanges_clock() -> None:
    lines = printed({"close": {"at": "XNYS close + 30m"}}, SATURDAY - timedelta(days=2))

    assert lines[1:] == [
        "close | XNYS close +30 min | Thu 05 Mar 16:30 EST | Thu 05 Mar 22:30 CET | Thu 05 Mar 21:30 UTC",
        "close | XNYS close +30 min | Fri 06 Mar 16:30 EST | Fri 06 Mar 22:30 CET | Fri 06 Mar 21:30 UTC",
        "close | XNYS close +30 min | Mon 09 Mar 16:30 EDT | Mon 09 Mar 21:30 CET | Mon 09 Mar 20:30 UTC",
    ]


def test_runs_are_in_order_and_entries_without_a_time_say_when_they_run() -> None:
    lines = printed(
        {
            "late": {"cron": "0 20 * * *", "timezone": "UTC"},
            "early": {"cron": "0 19 * * *", "timezone": "UTC"},
            "then": {"after": ["early"]},
            "fill": {"on": "gap"},
            "hand": {"on": "request"},
        }
    )

    assert [line.split(" | ")[0] for line in lines[1:7]] == ["early", "late"] * 3
    assert lines[7:] == ["then | after early", "fill | after every gap", "hand | when asked"]


def test_what_comes_once_a_year_is_shown_once() -> None:
    lines = printed({"tax": {"cron": "0 0 1 1 *", "timezone": "UTC"}})

    assert lines[1:] == ["tax | 0 0 1 1 * UTC | Fri 01 Jan 00:00 UTC | Fri 01 Jan 01:00 CET | Fri 01 Jan 00:00 UTC"]


def test_a_wrong_schedule_is_said_and_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schedule.yaml").write_text("jobs: {a: {}}")

    assert main({"SCHEDULE_CONFIG": str(tmp_path / "schedule.yaml")}) == 1
    assert "jobs.a: says not when" in capsys.readouterr().err


def test_the_command_prints_in_the_zone_it_is_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "schedule.yaml").write_text("jobs: {a: {cron: '0 7 * * *', timezone: UTC}}")

    assert main({"SCHEDULE_CONFIG": str(tmp_path / "schedule.yaml"), "TZ": "Asia/Tokyo"}) == 0
    assert "here (JST)" in capsys.readouterr().out
