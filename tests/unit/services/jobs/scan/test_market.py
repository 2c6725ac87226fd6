"""Previous closes, gaps, usual volumes and movers."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.jobs.scan import message
from services.jobs.scan.market import Day, Known, Limits, Row, day_of, movers, ordered, row

FRIDAY = date(2026, 2, 27)
NEW_YORK = ZoneInfo("America/New_York")
TOKYO = ZoneInfo("Asia/Tokyo")


def days(*volumes: float, last: date = FRIDAY, close: float = 100.0) -> list[Day]:
    count = len(volumes)
    return [
        Day(day=last - timedelta(days=count - 1 - place), close=close, volume=volume)
        for place, volume in enumerate(volumes)
    ]


def known(price: float | None = 103.0, volumes: tuple[float, ...] = (10.0,) * 5 + (25.0,), **changes: object) -> Known:
    values = {"symbol": "NVDA.US", "source": "tickdb", "days": days(*volumes), "price": price, **changes}
    return Known(**values)  # type: ignore[arg-type]


def a_row(symbol: str, gap: float | None, ratio: float | None = 1.0) -> Row:
    return Row(
        symbol=symbol, source="f", previous_day=FRIDAY, previous_close=100.0, gap_percent=gap, volume_ratio=ratio,
        price=None if gap is None else 100.0 + gap,
    )  # fmt: skip


def test_the_gap_is_from_the_last_close_and_the_volume_against_the_days_before() -> None:
    found = row(known(), FRIDAY)

    assert found.gap_percent == pytest.approx(3.0)
    assert found.volume_ratio == 2.5
    assert (found.previous_close, found.previous_day, found.missing) == (100.0, FRIDAY, ())


@pytest.mark.parametrize(
    ("one", "missing"),
    [
        (known(price=None), "no trade yet today"),
        (known(volumes=(1.0,) * 5), "its usual volume is not known yet"),
        (known(volumes=(0.0,) * 9), "its usual volume is not known yet"),
        (known(volumes=()), "no data of the last session, 2026-02-27"),
        (
            known(days=days(1.0, last=date(2026, 2, 25))),
            "no data of the last session, 2026-02-27, the newest is of 2026-02-25",
        ),
        (known(trouble="no source: set TICKDB_API_KEY"), "no source: set TICKDB_API_KEY"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_put_in_its_place(one: Known, missing: str) -> None:
    found = row(one, FRIDAY)

    assert found.missing == (missing,)
    assert found.gap_percent is None or found.volume_ratio is None


def test_a_close_of_nothing_has_no_gap() -> None:
    assert row(known(days=days(*(1.0,) * 6, close=0.0)), FRIDAY).gap_percent is None


@pytest.mark.parametrize(
    ("time", "zone", "day"),
    [
        (datetime(2026, 3, 2, tzinfo=UTC), NEW_YORK, date(2026, 3, 2)),  # the day's name at midnight UTC
        (datetime(2026, 3, 2, 5, tzinfo=UTC), NEW_YORK, date(2026, 3, 2)),  # midnight in New York
        (datetime(2026, 3, 2, 14, 30, tzinfo=UTC), NEW_YORK, date(2026, 3, 2)),  # the open
        (datetime(2026, 3, 2, 21, tzinfo=UTC), NEW_YORK, date(2026, 3, 2)),  # the close
        (datetime(2026, 3, 1, 15, tzinfo=UTC), TOKYO, date(2026, 3, 2)),  # midnight in Tokyo
    ],
)
def test_a_daily_candle_belongs_to_the_exchanges_day_however_it_is_dated(
    time: datetime, zone: ZoneInfo, day: date
) -> None:
    assert day_of(time.timestamp(), zone) == day


def test_movers_are_sorted_by_the_size_of_their_gap_up_or_down() -> None:
    rows = [a_row("A", 2.0), a_row("B", -5.0), a_row("C", 1.9), a_row("D", None), a_row("E", 3.0)]

    assert [one.symbol for one in movers(rows, Limits(gap_percent=2.0, volume_ratio=0.0))] == ["B", "E", "A"]
    assert [one.symbol for one in ordered(rows)] == ["B", "E", "A", "C", "D"]


def test_a_volume_that_is_not_known_is_not_enough_where_one_is_asked_for() -> None:
    rows = [a_row("A", 4.0, None), a_row("B", 4.0, 1.5), a_row("C", 4.0, 1.4)]

    assert [one.symbol for one in movers(rows, Limits(gap_percent=2.0, volume_ratio=1.5))] == ["B"]
    assert len(movers(rows, Limits(gap_percent=2.0, volume_ratio=0.0))) == 3


def test_the_message_can_be_read_on_a_phone() -> None:
    rows = [
        a_row("NVDA.US", 3.24, 1.84),
        a_row("BTCUSDT", -0.5, None),
        a_row("SPY.US", None),
        *(Row(symbol=name, source="", missing=("no source: set TICKDB_API_KEY",)) for name in ("TSLA.US", "AMD.US")),
    ]
    moving = rows[:1]

    assert message.title(moving, rows) == "Before the open: NVDA.US +3.2 %"
    assert message.text(moving, rows).splitlines() == [
        "▸ NVDA.US +3.2 % 103.24 from 100.00, volume 1.8x",
        "BTCUSDT -0.5 % 99.50 from 100.00",
        "SPY.US no trade yet today, 100.00 before, volume 1.0x",
        "TSLA.US, AMD.US: no source: set TICKDB_API_KEY",
    ]
    assert message.title([], rows) == "Before the open: no mover among 5"
    assert message.fields(FRIDAY, moving) == {"day": "2026-02-27", "movers": "NVDA.US"}


def test_two_hundred_symbols_are_still_a_message() -> None:
    rows = [a_row(f"SYMBOL{number}.US", float(number)) for number in range(200)]

    text = message.text(rows, rows)
    assert len(text) < 3000
    assert text.splitlines()[-1] == "and 175 more, which the run's result has"
    assert message.title(rows, rows).endswith("and 197 more")
