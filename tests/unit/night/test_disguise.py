"""In disguise the alerter's calendar is the fast week's, and nothing else of it is."""

from datetime import UTC, date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import CollectorRegistry

from nightdesk.calendars import Calendars, Closures, Span
from services.alerter import app, digest, noticing, paging, wording
from tests.night import disguise
from tests.night.disguise import Clock
from tests.night.week import CALENDAR, Week, moment_s

BEGAN_S = 1_000_000.0
ZONE = ZoneInfo("UTC")
AT = (time(7, 30), time(18, 0))


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    began = Clock(Week(), tmp_path / "began")
    began.begin(BEGAN_S)
    return began


@pytest.fixture
def put_on(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    for module, name in ((app, "Markets"), (digest, "latest"), (noticing, "local")):
        monkeypatch.setattr(module, name, getattr(module, name))
    disguise.put_on(clock, lambda: BEGAN_S)
    return clock


def test_every_process_learns_from_the_file_when_the_week_began(clock: Clock, tmp_path: Path) -> None:
    other = Clock(Week(), tmp_path / "began")

    assert other.simulated_s(BEGAN_S + 100) == clock.simulated_s(BEGAN_S + 100) > clock.simulated_s(BEGAN_S)


def test_the_calendar_stands_still_until_the_week_begins(tmp_path: Path) -> None:
    waiting = Clock(Week(), tmp_path / "began")

    assert waiting.simulated_s(BEGAN_S) == waiting.simulated_s(BEGAN_S + 3600) == moment_s("2026-10-29 00:00")
    assert disguise.latest(waiting, AT, ZONE, BEGAN_S) == 0.0


def test_a_digest_is_due_at_the_fast_days_times_by_the_real_clock(put_on: Clock) -> None:
    due_s = put_on.wall_s(moment_s("2026-10-30 18:00"))

    assert digest.latest(AT, ZONE, due_s + 0.1) == pytest.approx(due_s)
    assert digest.latest(AT, ZONE, due_s - 0.1) == pytest.approx(put_on.wall_s(moment_s("2026-10-30 07:30")))


def test_every_digest_of_the_week_comes_once_and_in_order(put_on: Clock) -> None:
    seen = {digest.latest(AT, ZONE, BEGAN_S + second) for second in range(int(put_on.week.length_s))}

    assert len(seen - {0.0}) == 2 * 9  # seconds are what the alerter looks at, and none comes too fast for that
    assert sorted(seen) == sorted(seen, key=lambda moment_s: moment_s)


def test_budget_and_quiet_hours_go_by_the_fast_day(put_on: Clock) -> None:
    saturday_s = put_on.wall_s(moment_s("2026-10-31 23:00"))

    assert noticing.local(saturday_s, ZONE).date() == date(2026, 10, 31)
    assert noticing.local(saturday_s, ZONE).hour in {22, 23}


def test_a_market_opens_when_the_fast_week_says_so(put_on: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    opens_ns, closes_ns = (int(moment_s(f"2026-10-29 {at}") * 1e9) for at in ("13:30", "20:00"))
    calendars = Calendars(
        [CALENDAR], closures=Closures(), spans=lambda *_: [Span(date(2026, 10, 29), opens_ns, closes_ns)]
    )
    calendars.rebuild(opens_ns)
    now_s = [0.0]
    disguise.put_on(put_on, lambda: now_s[0])
    registry = CollectorRegistry()
    registry.register(app.Markets([CALENDAR], calendars, lambda: 0))  # type: ignore[attr-defined]

    def is_open(at: str) -> float | None:
        now_s[0] = put_on.wall_s(moment_s(f"2026-10-29 {at}"))
        return registry.get_sample_value("market_open", {"calendar": CALENDAR})

    assert [is_open(at) for at in ("13:29", "13:31", "19:59", "20:01")] == [0.0, 1.0, 1.0, 0.0]


def test_what_reacts_keeps_the_real_clock(put_on: Clock) -> None:
    assert wording.local(BEGAN_S, ZONE).astimezone(UTC).timestamp() == BEGAN_S
    assert not hasattr(paging, "local")


def test_a_name_that_is_gone_is_noticed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(digest, "latest")

    with pytest.raises(AttributeError, match="digest has no latest any more"):
        disguise.put_on(clock)
