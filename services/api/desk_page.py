"""The first page: whether all is well, what the night left, the way to everything, the last prices. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from nightdesk.alerting import Alert
from nightdesk.health import Part, Status
from services.api.models import KindName, LatestTick

DAY: Final = timedelta(days=1)
CRITICAL: Final = "critical"
NAMED: Final = 3
"""Alerts that the page names; the page of the alerts has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A place, and what is to be found there."""

    to: str
    name: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The last ticks of one symbol, side by side; ``age_s`` is the newest one's."""

    feed: str
    symbol: str
    price: float | None
    side: str
    bid: float | None
    ask: float | None
    spread: float | None
    pressure: float | None
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """What went wrong in the last 24 hours, and what is still open."""

    open_gaps: int
    unfillable_gaps: int
    good_runs: int
    bad_runs: int
    worst: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """What fires: the first alerts of so many, and how bad that is: ``bad``, ``look`` or nothing."""

    first: Sequence[Alert]
    count: int
    mark: str


WAYS: Final = (
    Way(to="/reports", name="Reports", what="each day and each week: was it good, what was different, what it cost"),
    Way(to="/reports/trades", name="Trades", what="orders of any days: volume, failures, who and what traded most"),
    Way(to="/alerts", name="Alerts", what="what fires and who was told; acknowledge, silence"),
    Way(to="/symbols", name="Symbols", what="every symbol with its live chart, last ticks and bars"),
    Way(to="/gaps", name="Gaps", what="what was not received, why, and how it was filled"),
    Way(to="/runs", name="Runs", what="what the schedule ran, what came of it, with logs and results"),
    Way(to="/runbooks", name="Runbooks", what="what each alert means and what to do about it"),
    Way(to="/docs", name="API", what="everything here for programs, with lines to paste"),
    Way(to="/health?text=true", name="Health", what="every part in one plain line, for terminals and monitors"),
)
"""Grafana and Prometheus come after these, wherever they are."""

ELSEWHERE: Final = {
    "Grafana": "dashboards of everything over time",
    "Prometheus": "every figure the services measure, and the rules that alert",
}


def ways(elsewhere: dict[str, str]) -> list[Way]:
    """Return the way to everything; ``elsewhere`` are the addresses of what does not belong to the api."""
    return [*WAYS, *(Way(to=to, name=name, what=ELSEWHERE[name]) for name, to in elsewhere.items())]


def prices(ticks: Iterable[LatestTick], now: datetime) -> list[Price]:
    """Return one line a symbol, in the order of the ticks."""
    symbols: dict[tuple[str, str], dict[KindName, LatestTick]] = {}
    for tick in ticks:
        symbols.setdefault((tick.feed, tick.symbol), {})[tick.kind] = tick
    return [_price(feed, symbol, kinds, now) for (feed, symbol), kinds in symbols.items()]


def firing_now(alerts: Sequence[Alert]) -> Firing:
    """Return what fires and is not hidden, critical alerts first."""
    seen = sorted((one for one in alerts if not one.hidden), key=lambda one: one.tier != CRITICAL)
    mark = "" if not seen else "bad" if seen[0].tier == CRITICAL else "look"
    return Firing(first=seen[:NAMED], count=len(seen), mark=mark)


def last_day(row: dict[str, Any]) -> LastDay:
    """Return the row of ``last_day.sql`` by its names."""
    return LastDay(**row)


def in_trouble(parts: Sequence[Part]) -> list[Part]:
    """Return the parts that are not well; they come first already."""
    return [part for part in parts if part.status is not Status.OK]


def _price(feed: str, symbol: str, kinds: dict[KindName, LatestTick], now: datetime) -> Price:
    trade = kinds.get(KindName.TRADE) or kinds.get(KindName.AGG_TRADE)
    quote, depth = kinds.get(KindName.QUOTE), kinds.get(KindName.DEPTH)
    newest = max(tick.received_at for tick in kinds.values())
    return Price(
        feed=feed,
        symbol=symbol,
        price=trade.price if trade else None,
        side=(trade.side if trade else None) or "",
        bid=quote.bid_price if quote else None,
        ask=quote.ask_price if quote else None,
        spread=depth.spread if depth else None,
        pressure=depth.pressure_ratio if depth else None,
        age_s=max(0.0, (now - newest).total_seconds()),
    )
