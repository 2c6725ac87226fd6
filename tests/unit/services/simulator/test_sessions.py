from collections.abc import Sequence
from datetime import UTC, date, datetime

from nightdesk.calendars import Span, exchange_spans
from services.simulator.sessions import Sessions

OPEN_MS = int(datetime(2024, 7, 3, 13, 30, tzinfo=UTC).timestamp() * 1000)
HALF_DAY_CLOSE_MS = int(datetime(2024, 7, 3, 17, 0, tzinfo=UTC).timestamp() * 1000)


def spans(_name: str, _start: date, _end: date) -> Sequence[Span]:
    return [Span(date(2024, 7, 3), OPEN_MS * 1_000_000, HALF_DAY_CLOSE_MS * 1_000_000)]


def test_a_session_bound_symbol_is_closed_until_somebody_asked() -> None:
    sessions = Sessions(["XNYS", "24/7"], spans)

    assert not sessions.is_open("XNYS", OPEN_MS)
    assert sessions.is_open("24/7", OPEN_MS)


def test_the_calendar_says_when_it_opens_and_closes() -> None:
    sessions = Sessions(["XNYS"], spans)
    sessions.refresh(OPEN_MS)

    moments = (OPEN_MS - 1, OPEN_MS, HALF_DAY_CLOSE_MS - 1, HALF_DAY_CLOSE_MS)
    assert [sessions.is_open("XNYS", now_ms) for now_ms in moments] == [False, True, True, False]


def test_somebody_may_decide_otherwise() -> None:
    sessions = Sessions(["XNYS"], spans)
    sessions.refresh(OPEN_MS)
    sessions.decide("XNYS", is_open=False)
    assert not sessions.is_open("XNYS", OPEN_MS)

    sessions.decide("XNYS", is_open=None)
    assert sessions.is_open("XNYS", OPEN_MS)


def test_the_real_calendar_knows_half_days() -> None:
    sessions = Sessions(["XNYS"], exchange_spans)
    sessions.refresh(OPEN_MS)

    assert sessions.is_open("XNYS", HALF_DAY_CLOSE_MS - 1)
    assert not sessions.is_open("XNYS", HALF_DAY_CLOSE_MS)
