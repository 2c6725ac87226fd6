"""``market_open`` says what the exchanges' own calendars say, at every edge of a session."""

import asyncio
from datetime import UTC, date, datetime
from functools import cache

import exchange_calendars
import pandas as pd
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from nightdesk.calendars import Calendars, Closures, Span, exchange_spans
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import FeedConfig
from services.alerter.markets import LOOK_S, RETRY_S, Markets, calendars_of

CLOSURES = Closures.model_validate(
    {
        "closures": {"XNYS": {"2026-11-18": "a day of mourning"}},
        "early_closes": {"XNYS": {"2026-11-19": "12:00"}},
    }
)


class Clock:
    """A wall clock that is set."""

    def __init__(self, text: str) -> None:
        self.set(text)

    def set(self, text: str) -> None:
        moment = datetime.fromisoformat(text)
        self.ns = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 10**9

    def __call__(self) -> int:
        return self.ns


def scraped(markets: Markets) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(markets)
    lines = [line for line in generate_latest(registry).decode().splitlines() if line.startswith("market_open{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


def markets_at(clock: Clock, name: str, closures: Closures = CLOSURES) -> Markets:
    calendars = Calendars([name], closures=closures, spans=computed)
    calendars.rebuild(clock())
    return Markets([name], calendars, clock)


def computed(name: str, start: date, end: date) -> list[Span]:
    """Return a part of the year, which is computed once."""
    return [span for span in _year(name) if start <= span.session <= end]


@cache
def _year(name: str) -> list[Span]:
    return exchange_spans(name, date(2026, 1, 2), date(2026, 12, 30))


# Each edge with what the exchange announces, in its own time, and the second before it.
@pytest.mark.parametrize(
    ("calendar", "moment", "is_open"),
    [
        # New York, an ordinary day in winter and one in summer: 09:30 to 16:00 on its own clock.
        ("XNYS", "2026-11-16T09:29:59-05:00", 0),
        ("XNYS", "2026-11-16T09:30:00-05:00", 1),
        ("XNYS", "2026-11-16T15:59:59-05:00", 1),
        ("XNYS", "2026-11-16T16:00:00-05:00", 0),
        ("XNYS", "2026-07-06T09:29:59-04:00", 0),
        ("XNYS", "2026-07-06T09:30:00-04:00", 1),
        ("XNYS", "2026-07-06T15:59:59-04:00", 1),
        ("XNYS", "2026-07-06T16:00:00-04:00", 0),
        # The Fridays before and the Mondays after its clocks change: the same hours, another hour in UTC.
        ("XNYS", "2026-03-06T14:30:00", 1),
        ("XNYS", "2026-03-09T13:29:59", 0),
        ("XNYS", "2026-03-09T13:30:00", 1),
        ("XNYS", "2026-03-09T20:00:00", 0),
        ("XNYS", "2026-10-30T13:30:00", 1),
        ("XNYS", "2026-11-02T13:30:00", 0),
        ("XNYS", "2026-11-02T14:30:00", 1),
        # In the weeks between New York's change and London's, London's hours stay where they are.
        ("XLON", "2026-03-09T08:00:00", 1),
        ("XLON", "2026-03-30T07:00:00", 1),
        ("XLON", "2026-03-30T06:59:59", 0),
        ("XLON", "2026-03-27T07:59:59", 0),
        ("XLON", "2026-10-26T07:59:59", 0),
        ("XLON", "2026-10-26T08:00:00", 1),
        ("XLON", "2026-10-26T16:29:59", 1),
        ("XLON", "2026-10-26T16:30:00", 0),
        # Thanksgiving, the half day after it, Christmas Eve, the weekend.
        ("XNYS", "2026-11-26T12:00:00-05:00", 0),
        ("XNYS", "2026-11-27T12:59:59-05:00", 1),
        ("XNYS", "2026-11-27T13:00:00-05:00", 0),
        ("XNAS", "2026-11-27T13:00:00-05:00", 0),
        ("XLON", "2026-12-24T12:29:59", 1),
        ("XLON", "2026-12-24T12:30:00", 0),
        ("XNYS", "2026-12-25T12:00:00-05:00", 0),
        ("XNYS", "2026-11-21T12:00:00-05:00", 0),
        # Tokyo breaks for lunch.
        ("XTKS", "2026-11-16T11:29:59+09:00", 1),
        ("XTKS", "2026-11-16T11:30:00+09:00", 0),
        ("XTKS", "2026-11-16T12:29:59+09:00", 0),
        ("XTKS", "2026-11-16T12:30:00+09:00", 1),
        # What config/calendars.yaml announces.
        ("XNYS", "2026-11-18T12:00:00-05:00", 0),
        ("XNAS", "2026-11-18T12:00:00-05:00", 1),
        ("XNYS", "2026-11-19T11:59:59-05:00", 1),
        ("XNYS", "2026-11-19T12:00:00-05:00", 0),
        # What never closes.
        ("24/7", "2026-12-25T03:00:00", 1),
    ],
)
def test_a_market_is_open_when_its_exchange_is(calendar: str, moment: str, is_open: float) -> None:
    clock = Clock(moment)

    assert scraped(markets_at(clock, calendar)) == {calendar: is_open}


@pytest.mark.parametrize("name", ["XNYS", "XTKS"])
def test_it_agrees_with_the_library_at_every_half_hour_of_a_fortnight(name: str) -> None:
    theirs = exchange_calendars.get_calendar(name, start="2026-01-02", end="2026-12-30")
    clock = Clock("2026-03-02T00:00:00")
    markets = markets_at(clock, name, closures=Closures())
    for moment in pd.date_range("2026-03-02", "2026-03-16", freq="30min", tz="UTC"):
        clock.ns = moment.value

        ((sample,),) = ([sample.value for sample in family.samples] for family in markets.collect())
        assert sample == theirs.is_open_on_minute(moment), moment


def test_one_whose_calendar_is_not_known_is_left_out() -> None:
    clock = Clock("2026-11-16T15:00:00")
    calendars = Calendars(["XNYS"], closures=CLOSURES, spans=exchange_spans)
    markets = Markets(["24/7", "XNYS"], calendars, clock)
    assert scraped(markets) == {"24/7": 1}

    calendars.rebuild(clock())
    assert scraped(markets) == {"24/7": 1, "XNYS": 1}


class Computing:
    """Stands in for the library: fails as often as it is told to, and counts how often it is asked."""

    def __init__(self, failures: int = 0) -> None:
        self._failures = failures
        self.asked = 0

    def __call__(self, name: str, start: date, _end: date) -> list[Span]:
        self.asked += 1
        if self.asked <= self._failures:
            raise ConfigurationError(f"calendar {name!r} cannot be computed")
        return [Span(start, 0, 2**62)]


class EnoughError(Exception):
    """The test has seen what it wanted to."""


def waits_of(computing: Computing, clock: Clock, steps_s: list[float]) -> tuple[Markets, list[float]]:
    """Keep calendars while the clock goes on by these steps; return how long each wait was to be."""
    markets = Markets(["XNYS"], Calendars(["XNYS"], closures=Closures(), spans=computing), clock)
    waits: list[float] = []

    async def pause(length_s: float) -> None:
        if len(waits) == len(steps_s):
            raise EnoughError
        clock.ns += int(steps_s[len(waits)] * 1e9)
        waits.append(length_s)

    with pytest.raises(EnoughError):
        asyncio.run(markets.keep(pause))
    return markets, waits


def test_calendars_are_computed_at_the_start_and_once_a_day() -> None:
    clock, computing = Clock("2026-11-16T15:00:00"), Computing()
    waits_of(computing, clock, [60, 3600, 86_400 - 3661, 1, 60])
    assert computing.asked == 2


def test_a_computation_that_fails_is_tried_again_soon_and_leaves_what_is_known() -> None:
    clock, computing = Clock("2026-11-16T15:00:00"), Computing(failures=2)
    markets, waits = waits_of(computing, clock, [RETRY_S, RETRY_S, LOOK_S])

    assert waits == [RETRY_S, RETRY_S, LOOK_S]
    assert scraped(markets) == {"XNYS": 1}
    computing._failures = 99
    markets_again, _ = waits_of(computing, clock, [LOOK_S])
    assert scraped(markets_again) == {}


def test_every_calendar_that_a_feed_names_is_exported_and_the_usual_ones_always() -> None:
    feed = FeedConfig.model_validate(
        {
            "codec": "binance",
            "ws_url": "wss://example.com",
            "rest_url": "https://example.com",
            "symbols": ["A", "B"],
            "kinds": ["trade"],
            "calendar": "XTKS",
            "calendars": {"B": "XHKG"},
        }
    )

    assert calendars_of([feed]) == ("24/7", "XHKG", "XLON", "XNAS", "XNYS", "XTKS")
    assert calendars_of([]) == ("24/7", "XLON", "XNAS", "XNYS")
