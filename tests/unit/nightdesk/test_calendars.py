"""When a market is open: regular hours, holidays, half days, breaks, and closures announced late."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from nightdesk.calendars import Calendars, Closures, Span, exchange_spans, read_closures
from nightdesk.errors import ConfigurationError


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def nothing(_name: str, _start: date, _end: date) -> list[Span]:
    return []


def refused(_name: str, _start: date, _end: date) -> list[Span]:
    raise AssertionError("asked for a calendar that is always open")


def calendars(name: str, now: str, closures: Closures | None = None) -> Calendars:
    made = Calendars([name], closures=closures or Closures(), spans=exchange_spans)
    made.rebuild(ns(now))
    return made


def test_a_market_that_never_closes_needs_no_calendar() -> None:
    made = Calendars(["24/7"], closures=Closures(), spans=refused)
    made.rebuild(0)

    assert made.is_open("24/7", 0)
    assert not made.stale(10**18)


def test_a_calendar_nobody_built_is_closed() -> None:
    assert not Calendars(["XNYS"], closures=Closures(), spans=nothing).is_open("XNYS", 0)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2024-11-27T14:29:59", False),
        ("2024-11-27T14:30:00", True),
        ("2024-11-27T20:59:59", True),
        ("2024-11-27T21:00:00", False),
        ("2024-11-28T16:00:00", False),  # Thanksgiving
        ("2024-11-29T17:59:59", True),
        ("2024-11-29T18:00:00", False),  # the half day after it
        ("2024-11-30T16:00:00", False),  # a Saturday
    ],
)
def test_new_york_keeps_holidays_and_half_days(moment: str, is_open: bool) -> None:
    assert calendars("XNYS", "2024-11-27T00:00:00").is_open("XNYS", ns(moment)) is is_open


def test_tokyo_breaks_for_lunch() -> None:
    tokyo = calendars("XTKS", "2024-11-27T00:00:00")

    assert tokyo.is_open("XTKS", ns("2024-11-27T02:00:00"))
    assert not tokyo.is_open("XTKS", ns("2024-11-27T03:00:00"))
    assert tokyo.is_open("XTKS", ns("2024-11-27T04:00:00"))


def test_a_closure_announced_late_closes_the_day() -> None:
    closures = Closures(closures={"XNYS": {date(2024, 11, 27): "mourning"}})

    assert not calendars("XNYS", "2024-11-26T00:00:00", closures).is_open("XNYS", ns("2024-11-27T16:00:00"))


def test_a_calendar_is_built_again_a_day_later() -> None:
    made = Calendars(["XNYS"], closures=Closures(), spans=nothing)

    assert made.stale(0)
    made.rebuild(0)
    assert not made.stale(24 * 3600 * 10**9 - 1)
    assert made.stale(24 * 3600 * 10**9)


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'NOPE'"):
        calendars("NOPE", "2024-11-27T00:00:00")


def test_closures_are_read_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text("closures:\n  XNYS:\n    2025-01-09: mourning\n")

    assert read_closures(path).closures == {"XNYS": {date(2025, 1, 9): "mourning"}}
    assert read_closures(tmp_path / "none.yaml") == Closures()


def test_the_shipped_closures_can_be_read() -> None:
    read_closures(Path(__file__).parents[3] / "config" / "calendars.yaml")


@pytest.mark.parametrize(
    ("line", "says"), [("2025-13-09: x", ":3: "), ("2025-01-09:", "no reason"), ("soon: x", ":3: ")]
)
def test_a_wrong_closure_is_named_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text(f"closures:\n  XNYS:\n    {line}\n")

    with pytest.raises(ConfigurationError, match=r"calendars\.yaml") as caught:
        read_closures(path)
    assert says in str(caught.value)
