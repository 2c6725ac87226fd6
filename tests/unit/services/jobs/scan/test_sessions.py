"""An exchange's days around now, on its own clock."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nightdesk.calendars import exchange_spans
from services.jobs.scan.sessions import sessions
from services.jobs.settings import JobsSettings

CLOSURES = """
closures: {XNYS: {2026-03-02: mourning}}
early_closes: {XNYS: {2026-02-27: "13:00"}}
"""


def settings(tmp_path: Path, text: str = "{}") -> JobsSettings:
    path = tmp_path / "calendars.yaml"
    path.write_text(text, encoding="utf-8")
    return JobsSettings(calendars_config=path)


@pytest.mark.parametrize(
    ("at", "is_open", "previous"),
    [
        (datetime(2026, 3, 3, 12, tzinfo=UTC), True, date(2026, 3, 2)),
        (datetime(2026, 3, 2, 12, tzinfo=UTC), True, date(2026, 2, 27)),  # a Monday
        (datetime(2026, 7, 3, 11, tzinfo=UTC), False, date(2026, 7, 2)),  # Independence Day, observed
        (datetime(2026, 3, 3, 2, tzinfo=UTC), True, date(2026, 2, 27)),  # still Monday in New York
    ],
)
def test_the_day_is_the_exchanges_own(tmp_path: Path, at: datetime, is_open: bool, previous: date) -> None:
    found = sessions("XNYS", at, settings(tmp_path), exchange_spans)

    assert found.is_open_today is is_open
    assert found.previous == previous


def test_closures_of_ours_count(tmp_path: Path) -> None:
    found = sessions("XNYS", datetime(2026, 3, 2, 12, tzinfo=UTC), settings(tmp_path, CLOSURES), exchange_spans)

    assert not found.is_open_today
    assert found.past[-1].closes == datetime(2026, 2, 27, 18, tzinfo=UTC)


def test_what_never_closes_has_days_in_utc(tmp_path: Path) -> None:
    found = sessions("24/7", datetime(2026, 3, 1, 23, 59, tzinfo=UTC), settings(tmp_path), exchange_spans)

    assert (found.today, found.previous, found.is_open_today) == (date(2026, 3, 1), date(2026, 2, 28), True)
    assert found.begins == datetime(2026, 3, 1, tzinfo=UTC)
