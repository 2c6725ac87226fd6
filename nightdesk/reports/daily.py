"""The report of one UTC day. Pure: what it says depends on the rows alone, never on when it is made.

Times belong to the day in which they lie, ``[00:00, 24:00)`` UTC: a gap by when it was opened, a run by the time it is
for, an alert by when it fired. What became of a gap or an alert later is told as the rows know it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.reports import novelty, verdict
from nightdesk.reports.amounts import Amount
from nightdesk.reports.novelty import LogDay
from nightdesk.reports.verdict import Figures, Verdict
from nightdesk.ticks import Kind

OWN: Final = (
    "daily_completeness", "daily_gaps", "daily_gap_list", "daily_prices", "daily_runs", "daily_run_list",
    "daily_alerts", "daily_facts",
)  # fmt: skip
PROFIT: Final = "trades_profit"
STATEMENTS: Final = (verdict.STATEMENT, *OWN, *novelty.STATEMENTS, PROFIT)
"""What ``build`` reads; their parameters are those of ``parameters``."""

MOST_CHARTS: Final = 20
"""Symbols with a chart: the busiest."""

LONGEST: Final = 5

Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


class Part(BaseModel):
    """A part of a report."""

    model_config = ConfigDict(frozen=True)


class SymbolCompleteness(Part):
    """How complete a symbol's day is."""

    feed: str = Field(description="feed")
    symbol: str = Field(description="symbol")
    percent: float | None = Field(description="complete minutes of those that could be checked; null: not verified yet")
    minutes: int | None = Field(description="minutes that were promised")
    complete: int | None = Field(description="minutes without a missing id whose bar is the exchange's own")
    differing: int | None = Field(description="minutes whose bar is not the exchange's, and nothing explains it")
    unchecked: int | None = Field(description="minutes the exchange tells nothing of")
    missing_ids: int | None = Field(description="ids that are missing")
    verified_at: datetime | None = Field(description="when it was compared last")


class Gap(Part):
    """A gap that was opened that day."""

    gap_id: int = Field(description="its number")
    feed: str = Field(description="feed")
    symbol: str = Field(description="symbol")
    kind: str = Field(description="trade, quote, depth or agg_trade")
    cause: str = Field(description="why it is there")
    state: str = Field(description="open, filling, filled or unfillable, as it is now")
    source: str = Field(description="where it was filled from; empty where its ids came by themselves")
    quality: str = Field(description="trades, aggregated or bars: how good that is")
    reason: str = Field(description="why it cannot be filled, or not yet")
    opened_at: datetime = Field(description="when it was noticed")
    from_time: datetime | None = Field(description="from when on something is missing")
    to_time: datetime | None = Field(description="until when")
    ids: int | None = Field(description="ids between its ends; null where there are none")
    fill_s: float | None = Field(description="seconds from its opening until it was filled")


class GapCause(Part):
    """Gaps of one cause."""

    cause: str = Field(description="why they are there")
    opened: int = Field(description="gaps")


class Gaps(Part):
    """The gaps that were opened that day."""

    opened: int = Field(description="all of them")
    filled: int = Field(description="those that are filled")
    filled_by_itself: int = Field(description="of these, those whose ids came late without being fetched")
    open: int = Field(description="those still to be filled")
    unfillable: int = Field(description="those that cannot be filled")
    ids: int = Field(description="ids between the ends of all")
    missing_ids: int = Field(description="ids that are missing still")
    median_fill_s: float | None = Field(description="half of the filled ones took no longer, seconds")
    longest_fill_s: float | None = Field(description="the longest took so long, seconds")
    causes: list[GapCause] = Field(description="by cause")
    listed: list[Gap] = Field(description="those to be looked at first, at most twenty")


class SymbolPrices(Part):
    """A symbol's day in one bar."""

    symbol_id: int = Field(description="number of the symbol")
    feed: str = Field(description="feed")
    symbol: str = Field(description="symbol")
    open: float = Field(description="first price")
    high: float = Field(description="highest price")
    low: float = Field(description="lowest price")
    close: float = Field(description="last price")
    change_percent: float | None = Field(
        description="from the close before to this one; null without one in a week before"
    )
    volume: float = Field(description="what was traded")
    quote_volume: float = Field(description="the same in money")
    trades: int = Field(description="trades")
    minutes: int = Field(description="minutes with a trade")
    chart: str | None = Field(description="address of a picture of the day; the twenty busiest have one")


class JobRuns(Part):
    """A job's runs that were for that day."""

    job: str = Field(description="the schedule's name")
    succeeded: int = Field(description="runs that succeeded")
    failed: int = Field(description="runs that failed for good")
    missed: int = Field(description="runs that did not take place")
    skipped: int = Field(description="runs another took the place of")
    unfinished: int = Field(description="runs that are not over")
    longest_s: float | None = Field(description="the longest one's last attempt, seconds")


class BadRun(Part):
    """A run that failed or was missed."""

    run_id: int = Field(description="its number")
    job: str = Field(description="the schedule's name")
    scheduled_for: datetime = Field(description="the time it was for")
    state: str = Field(description="failed or missed")
    attempts: int = Field(description="how often it was tried")
    why: str = Field(description="the error, or why it did not take place")


class Runs(Part):
    """The runs that were for that day."""

    succeeded: int
    failed: int
    missed: int
    skipped: int
    unfinished: int
    jobs: list[JobRuns] = Field(description="by job")
    bad: list[BadRun] = Field(description="those that failed or were missed, at most fifty")

    @property
    def longest(self) -> list[JobRuns]:
        """The jobs with the longest runs."""
        timed = [one for one in self.jobs if one.longest_s is not None]
        return sorted(timed, key=lambda one: (-(one.longest_s or 0.0), one.job))[:LONGEST]


class DayAlert(Part):
    """An alert that fired at some time of the day."""

    alert_id: int = Field(description="its number at the alerter")
    name: str = Field(description="its rule")
    tier: str = Field(description="critical or warning")
    source: str = Field(description="prometheus, alerter or post")
    summary: str = Field(description="in one line")
    started_at: datetime = Field(description="when it began")
    ended_at: datetime | None = Field(description="when it ended, also if that was later")
    told_at: datetime | None = Field(description="when a person was told")
    acknowledged_at: datetime | None = Field(description="when somebody acknowledged it")
    acknowledged_by: str = Field(description="who")
    note: str = Field(description="what they said")
    is_new: bool = Field(description="whether it began that day")
    is_firing: bool = Field(description="whether it fired at the end of the day")


class DayAlerts(Part):
    """The alerts of the day."""

    is_known: bool = Field(description="whether the alerter was asked about the day")
    fired: int = Field(description="alerts that began that day")
    told: int = Field(description="of these, those a person was told of")
    acknowledged: int = Field(description="of these, those somebody acknowledged")
    median_acknowledge_s: float | None = Field(description="half of them within so many seconds of being told")
    firing: int = Field(description="alerts that fired at the end of the day")
    listed: list[DayAlert] = Field(description="all that fired at some time of the day, in order")


class Volume(Part):
    """A disk, when it was fullest."""

    volume: str = Field(description="what is kept there")
    free_ratio: float = Field(description="the least share that was free, 0 to 1")
    free_bytes: float | None = Field(description="the least that was free, bytes")


class ServiceHeadroom(Part):
    """A service's day."""

    service: str = Field(description="service")
    memory_peak_bytes: float | None = Field(description="the most it used")
    memory_limit_bytes: float | None = Field(description="what it may use; null where there is no limit")
    restarts: int = Field(description="how often it ended and was started again")
    down_s: float = Field(description="for how long no instance answered, seconds")

    @property
    def memory_ratio(self) -> float | None:
        """The largest share of its memory that it used."""
        if self.memory_peak_bytes is None or not self.memory_limit_bytes:
            return None
        return self.memory_peak_bytes / self.memory_limit_bytes


class FeedTroubles(Part):
    """A feed's day."""

    feed: str = Field(description="feed")
    reconnects: int = Field(description="connections that ended, or did not open, without being meant to")
    quarantined: int = Field(description="frames that could not be stored")


class Headroom(Part):
    """What Prometheus measured."""

    is_known: bool = Field(description="whether Prometheus was asked about the day")
    until_s: float | None = Field(description="up to which second of the day")
    unobserved_s: float | None = Field(description="for how long Prometheus did not run, seconds")
    downtime_s: float | None = Field(
        description="for how long any service was down without that being silenced, seconds"
    )
    planned_downtime_s: float | None = Field(description="for how long only silenced services were down, seconds")
    memory_available_ratio: float | None = Field(
        description="the least share of the machine's memory that was available"
    )
    volumes: list[Volume] = Field(description="the disks")
    services: list[ServiceHeadroom] = Field(description="the services")
    feeds: list[FeedTroubles] = Field(description="the feeds")


class TraderProfit(Part):
    """What a trader made that day."""

    trader: str = Field(description="strategy or account")
    profit: Amount = Field(description="realised profit, first in first out; negative is a loss")
    orders: int = Field(description="executed orders that closed something")


class DailyReport(Part):
    """A UTC day of the desk."""

    day: date = Field(description="the UTC day")
    verdict: Verdict = Field(description="how it was, and why")
    figures: Figures = Field(description="what the verdict rests on")
    completeness: list[SymbolCompleteness] = Field(description="by symbol, the worst first")
    gaps: Gaps
    prices: list[SymbolPrices] = Field(description="by symbol, the busiest first")
    runs: Runs
    alerts: DayAlerts
    errors: LogDay = Field(description="errors by what is new about them, and lines by service")
    headroom: Headroom
    profit: list[TraderProfit] = Field(description="by trader; none where no order closed anything")


def parameters(day: date) -> dict[str, object]:
    """Return what the statements take."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = begin + timedelta(days=1)
    following = day + timedelta(days=1)
    periods = {"begin": begin, "end": end, "since": begin, "until": end}
    return {"day": day, "from_day": day, "to_day": following, **periods}


def build(day: date, rows: Rows) -> DailyReport:
    """Return the report of the rows that ``STATEMENTS`` found."""
    (figures, found), *_ = verdict.judged(rows[verdict.STATEMENT])
    return DailyReport(
        day=day,
        verdict=found,
        figures=figures,
        completeness=[SymbolCompleteness.model_validate(dict(row)) for row in rows["daily_completeness"]],
        gaps=_gaps(rows),
        prices=[_prices(day, place, row) for place, row in enumerate(rows["daily_prices"])],
        runs=_runs(rows),
        alerts=_alerts(rows["daily_alerts"], is_known=figures.alerts_until_s is not None),
        errors=novelty.build(day, rows),
        headroom=_headroom(figures, rows["daily_facts"]),
        profit=[TraderProfit.model_validate(dict(row)) for row in rows[PROFIT]],
    )


def chart_of(day: date, symbol_id: int) -> str:
    """Return the address of the picture of a symbol's day."""
    return f"/reports/daily/{day}/charts/price-{symbol_id}.svg"


def _gaps(rows: Rows) -> Gaps:
    causes = rows["daily_gaps"]
    fills = [value for row in causes for value in row["fill_s"]]

    def total(name: str) -> int:
        return sum(int(row[name]) for row in causes)

    return Gaps(
        opened=total("opened"),
        filled=total("filled"),
        filled_by_itself=total("filled_by_itself"),
        open=total("open"),
        unfillable=total("unfillable"),
        ids=total("ids"),
        missing_ids=total("missing"),
        median_fill_s=median(fills) if fills else None,
        longest_fill_s=max(fills, default=None),
        causes=[GapCause(cause=row["cause"], opened=row["opened"]) for row in causes],
        listed=[Gap(**{**row, "kind": Kind(row["kind"]).name.lower()}) for row in rows["daily_gap_list"]],
    )


def _prices(day: date, place: int, row: Mapping[str, Any]) -> SymbolPrices:
    before = row["before"]
    change = 100 * (row["close"] / before - 1) if before else None
    chart = chart_of(day, row["symbol_id"]) if place < MOST_CHARTS else None
    return SymbolPrices(**row, change_percent=change, chart=chart)


def _runs(rows: Rows) -> Runs:
    jobs = [JobRuns.model_validate(dict(row)) for row in rows["daily_runs"]]
    return Runs(
        succeeded=sum(one.succeeded for one in jobs),
        failed=sum(one.failed for one in jobs),
        missed=sum(one.missed for one in jobs),
        skipped=sum(one.skipped for one in jobs),
        unfinished=sum(one.unfinished for one in jobs),
        jobs=jobs,
        bad=[BadRun.model_validate(dict(row)) for row in rows["daily_run_list"]],
    )


def _alerts(rows: Sequence[Mapping[str, Any]], *, is_known: bool) -> DayAlerts:
    listed = [DayAlert.model_validate(dict(row)) for row in rows]
    told = [one for one in listed if one.is_new and one.told_at is not None]
    waits = [
        (one.acknowledged_at - one.told_at).total_seconds()
        for one in told
        if one.acknowledged_at is not None and one.told_at is not None
    ]
    return DayAlerts(
        is_known=is_known,
        fired=sum(one.is_new for one in listed),
        told=len(told),
        acknowledged=len(waits),
        median_acknowledge_s=median(waits) if waits else None,
        firing=sum(one.is_firing for one in listed),
        listed=listed,
    )


def _headroom(figures: Figures, rows: Sequence[Mapping[str, Any]]) -> Headroom:
    facts: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        facts[row["fact"]][row["subject"]] = row["value"]
    return Headroom(
        is_known=figures.measured_until_s is not None,
        until_s=figures.measured_until_s,
        unobserved_s=figures.unobserved_s,
        downtime_s=figures.downtime_s,
        planned_downtime_s=figures.planned_downtime_s,
        memory_available_ratio=figures.memory_available_ratio,
        volumes=[
            Volume(volume=name, free_ratio=ratio, free_bytes=facts["disk_free_bytes_min"].get(name))
            for name, ratio in sorted(facts["disk_free_ratio_min"].items())
        ],
        services=_services(facts),
        feeds=[
            FeedTroubles(
                feed=feed,
                reconnects=round(facts["reconnects"].get(feed, 0.0)),
                quarantined=round(facts["quarantined"].get(feed, 0.0)),
            )
            for feed in sorted(facts["reconnects"].keys() | facts["quarantined"].keys())
        ],
    )


def _services(facts: Mapping[str, Mapping[str, float]]) -> list[ServiceHeadroom]:
    told = ("memory_peak_bytes", "restarts", "down_s")
    return [
        ServiceHeadroom(
            service=service,
            memory_peak_bytes=facts["memory_peak_bytes"].get(service),
            memory_limit_bytes=facts["memory_limit_bytes"].get(service),
            restarts=round(facts["restarts"].get(service, 0.0)),
            down_s=facts["down_s"].get(service, 0.0),
        )
        for service in sorted({service for fact in told for service in facts[fact]})
    ]
