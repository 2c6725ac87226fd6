"""Scan a watchlist before the open: previous close, gap, volume against its usual, movers; and tell the person.

Collected symbols are read from the desk's own bars, others from TickDB's REST. Volume is the last session's against the
mean of the twenty before it: before the open there is too little of today's. What is not known is said to be missing.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final

import structlog
from pydantic import Field

from nightdesk.calendars import Spans, spans_in_child
from nightdesk.errors import UnavailableError
from nightdesk.exchanges.tickdb import TickdbHistory
from nightdesk.feeds_config import FeedConfig, read_feeds
from nightdesk.runs import Json
from nightdesk.store.database import Connection
from services.jobs.backfill.reaching import reach_by
from services.jobs.runner import job
from services.jobs.runner.job import Desk
from services.jobs.scan import message
from services.jobs.scan.collected import collected
from services.jobs.scan.fetched import fetched
from services.jobs.scan.market import Known, Limits, Row, movers, ordered, row
from services.jobs.scan.sessions import Sessions, sessions

log = structlog.get_logger()

PATIENT_ATTEMPTS: Final = 2
"""So often a source that does not answer is waited for; after that the scan is told without it."""

TICKDB: Final = "tickdb"


Symbol = Annotated[str, Field(pattern=r"^[A-Za-z0-9._/^=-]{1,64}$")]


class Arguments(job.Arguments):
    """What is looked at, and what makes a mover."""

    watchlist: list[Symbol] = Field([], max_length=200, description="symbols, collected or not, as NVDA.US or BTCUSDT")
    collected: bool = Field(default=True, description="whether every symbol that is collected is looked at as well")
    calendar: str = Field("XNYS", min_length=1, description="the exchange that opens; on its holidays nothing is done")
    min_gap_percent: float = Field(2.0, ge=0, description="the least gap of a mover, percent, up or down")
    min_volume_ratio: float = Field(0.0, ge=0, description="the least volume of a mover, in times its usual; 0 for any")
    feed: str = Field(TICKDB, description="the feed of feeds.yaml with TickDB's REST, for what is not collected")
    notify: bool = Field(default=True, description="whether the person is told")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Scan and tell; raises UnavailableError when the source or the alerter does not answer."""
    return scan(desk, arguments, spans_in_child)


def scan(desk: Desk, arguments: Arguments, spans: Spans) -> Json:
    """Do it by these calendars."""
    hours = sessions(arguments.calendar, desk.scheduled_for, desk.settings, spans)
    if not hours.is_open_today:
        why = f"{arguments.calendar} is closed today"
        log.info("scan.decided", decided="nothing", why=why, day=hours.today.isoformat())
        return {"decided": "nothing", "why": why, "day": hours.today.isoformat()}
    rows = _Scan(desk, arguments, spans, hours).rows()
    moving = movers(rows, Limits(gap_percent=arguments.min_gap_percent, volume_ratio=arguments.min_volume_ratio))
    alert_id = _tell(desk, arguments, hours.today, moving, rows) if arguments.notify else None
    return _result(hours.today, moving, rows, alert_id)


def _result(day: date, moving: Sequence[Row], rows: Sequence[Row], alert_id: int | None) -> Json:
    decided = "movers" if moving else "no mover"
    log.info("scan.decided", decided=decided, day=day.isoformat(), movers=[one.symbol for one in moving])
    return {
        "decided": decided,
        "day": day.isoformat(),
        "movers": [one.symbol for one in moving],
        "symbols": [one.as_json() for one in ordered(rows)],
        "alert_id": alert_id,
    }


def _tell(desk: Desk, arguments: Arguments, day: date, moving: Sequence[Row], rows: Sequence[Row]) -> int:
    """Tell the person, once a day however often it is tried: the alerter knows the key."""
    key = f"{desk.job} {arguments.calendar} {day}"
    text = message.text(moving, rows)
    return desk.notify("info", message.title(moving, rows), text, message.fields(day, moving), key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a collected symbol comes from."""

    feed: str
    symbol: str
    calendar: str


class _Scan:
    """One look at everything."""

    def __init__(self, desk: Desk, arguments: Arguments, spans: Spans, hours: Sessions) -> None:
        self._desk = desk
        self._arguments = arguments
        self._spans = spans
        self._hours = {arguments.calendar: hours}

    def rows(self) -> list[Row]:
        """Return a row for each symbol."""
        places = self._places()
        others = [symbol for symbol in dict.fromkeys(self._arguments.watchlist) if symbol not in places]
        own = self._hours[self._arguments.calendar].previous
        with closing(self._desk.connect("scan")) as connection:
            found = [row(known, own) for known in self._fetched(connection, others)]
            for done, place in enumerate(places.values(), 1):
                hours = self._hours_of(place.calendar)
                found.append(row(collected(connection, place.feed, place.symbol, hours), hours.previous))
                self._desk.progress(len(others) + done, len(others) + len(places), "symbols")
        return found

    def _places(self) -> dict[str, _Place]:
        """Return the collected symbols that are looked at; one that two feeds have is taken from the first."""
        found: dict[str, _Place] = {}
        for name, feed in self._desk.feeds.items():
            for symbol in feed.symbols:
                if self._arguments.collected or symbol in self._arguments.watchlist:
                    found.setdefault(symbol, _Place(feed=name, symbol=symbol, calendar=feed.calendar_of(symbol)))
        return found

    def _hours_of(self, calendar: str) -> Sessions:
        if calendar not in self._hours:
            self._hours[calendar] = sessions(calendar, self._desk.scheduled_for, self._desk.settings, self._spans)
        return self._hours[calendar]

    def _fetched(self, connection: Connection, symbols: Sequence[str]) -> list[Known]:
        source, config = self._arguments.feed, self._source()
        if not symbols:
            return []
        if config is None or not config.api_key.get_secret_value():
            why = f"no source: set {source.upper().replace('-', '_')}_API_KEY"
            return [Known(symbol=symbol, source="", trouble=why) for symbol in symbols]
        reached = reach_by(self._desk, config, connection)
        history = TickdbHistory(config.rest_url)
        try:
            return fetched(reached.rest, history, source, symbols, self._hours[self._arguments.calendar])
        except UnavailableError as error:
            if self._desk.attempt <= PATIENT_ATTEMPTS and not self._desk.by_hand:
                raise
            log.warning("scan.without_source", source=source, error=str(error))
            return [Known(symbol=symbol, source=source, trouble=f"{source} did not answer") for symbol in symbols]

    def _source(self) -> FeedConfig | None:
        """Return the feed with TickDB's REST: one that is collected, else as feeds.yaml has it, with the key if set."""
        name, settings = self._arguments.feed, self._desk.settings
        if name in self._desk.feeds:
            return self._desk.feeds[name]
        config = read_feeds(settings.feeds_config).get(name)
        if config is None or settings.tickdb_api_key is None:
            return None
        changes = {"api_key": settings.tickdb_api_key}
        return config.model_copy(
            update=changes | ({"rest_url": settings.tickdb_rest_url} if settings.tickdb_rest_url else {})
        )
