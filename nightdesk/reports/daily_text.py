"""A day's report as plain text. Pure."""

from collections.abc import Sequence
from datetime import datetime

from nightdesk import durations
from nightdesk.reports import message, text
from nightdesk.reports.amounts import plain
from nightdesk.reports.daily import DailyReport, SymbolCompleteness
from nightdesk.reports.novelty import Novelty
from nightdesk.reports.verdict import percent

MOST_ERRORS = 10
MIB = 2**20
GIB = 2**30


def written(report: DailyReport) -> str:
    """Return the report, whose lines all end."""
    parts = (_verdict, _completeness, _gaps, _prices, _runs, _alerts, _errors, _headroom, _profit)
    lines = [*text.title(f"Nightdesk, {message.named(report.day)} (UTC)")]
    for part in parts:
        lines += part(report)
    return "\n".join(lines) + "\n"


def _verdict(report: DailyReport) -> list[str]:
    more = [f"  and {report.verdict.more} more"] if report.verdict.more else []
    reasons = [f"  - {one.text}" for one in report.verdict.reasons]
    return ["", f"{report.verdict.words}.", *reasons, *more, "", *text.pairs(list(message.figures(report).items()))]


def _completeness(report: DailyReport) -> list[str]:
    rows = [
        (
            one.symbol,
            one.feed,
            _complete(one),
            _count(one.missing_ids),
            _count(one.differing),
            _count(one.unchecked),
        )
        for one in report.completeness
    ]
    heads = ("symbol", "feed", "complete", "missing ids", "differing", "unchecked")
    return [*text.section("Completeness"), *_table(heads, rows, "llrrrr", "No symbol traded or was verified.")]


def _gaps(report: DailyReport) -> list[str]:
    it = report.gaps
    if not it.opened:
        return [*text.section("Gaps"), "None was opened."]
    facts = [
        ("opened", f"{it.opened} ({', '.join(f'{one.opened} {one.cause}' for one in it.causes)})"),
        ("filled", f"{it.filled}, {it.filled_by_itself} of them without being fetched"),
        ("open, unfillable", f"{it.open}, {it.unfillable}"),
        ("ids, still missing", f"{text.number(it.ids)}, {text.number(it.missing_ids)}"),
        ("time to fill", f"{_length(it.median_fill_s)} at the median, {_length(it.longest_fill_s)} at most"),
    ]
    rows = [
        (_clock(one.opened_at), one.symbol, one.kind, one.cause, one.state, _count(one.ids), _length(one.fill_s))
        for one in it.listed
    ]
    heads = ("opened", "symbol", "kind", "cause", "state", "ids", "to fill")
    return [*text.section("Gaps"), *text.pairs(facts), "", *text.table(heads, rows, "lllllrr")]


def _prices(report: DailyReport) -> list[str]:
    rows = [
        (
            one.symbol,
            *(_price(price) for price in (one.high, one.low, one.close)),
            _change(one.change_percent),
            _price(one.volume),
            text.number(one.trades),
        )
        for one in report.prices
    ]
    heads = ("symbol", "high", "low", "close", "change", "volume", "trades")
    return [*text.section("Prices and volumes"), *_table(heads, rows, "lrrrrrr", "No trade was stored.")]


def _runs(report: DailyReport) -> list[str]:
    it = report.runs
    ended = f"{it.succeeded} succeeded, {it.failed} failed, {it.missed} missed, {it.skipped} skipped"
    facts = f"{ended}, {it.unfinished} not over"
    bad = [(_clock(one.scheduled_for), one.job, one.state, str(one.attempts), _line(one.why)) for one in it.bad]
    longest = ", ".join(f"{one.job} {_length(one.longest_s)}" for one in it.longest)
    lines = [*text.section("Runs"), facts, *([text.cut(f"longest: {longest}", text.WIDTH)] if longest else [])]
    return [*lines, *(["", *text.table(("for", "job", "state", "tries", "why"), bad, "lllrl")] if bad else [])]


def _alerts(report: DailyReport) -> list[str]:
    it = report.alerts
    if not it.is_known and not it.listed:
        return [*text.section("Alerts"), "Not known: the alerter was not asked."]
    facts = f"{it.fired} fired, {it.told} told, {it.acknowledged} acknowledged, {it.firing} still firing at the end"
    quick = (
        []
        if it.median_acknowledge_s is None
        else [f"acknowledged within {_length(it.median_acknowledge_s)} at the median"]
    )
    rows = [
        (
            _moment(one.started_at, report),
            one.tier,
            one.name,
            _ended(one.started_at, one.ended_at),
            one.acknowledged_by,
            one.summary,
        )
        for one in it.listed
    ]
    heads = ("began", "tier", "rule", "lasted", "by", "what")
    return [*text.section("Alerts"), facts, *quick, *(["", *text.table(heads, rows, "lllrll")] if rows else [])]


def _errors(report: DailyReport) -> list[str]:
    it = report.errors
    if not it.has_logs:
        return [*text.section("Errors"), "No log of this day was loaded."]
    kinds = sum(one.lines > 0 for one in it.errors)
    shown = [one for one in it.errors if one.novelty is not Novelty.USUAL][:MOST_ERRORS]
    rows = [(one.novelty.value, one.service, str(one.lines), f"{one.usual_lines:g}", one.template) for one in shown]
    by_service = [
        (one.service, text.number(one.lines), str(one.levels.get("error", 0) + one.levels.get("critical", 0)),
         str(one.levels.get("warning", 0)))
        for one in it.services
    ]  # fmt: skip
    return [
        *text.section("Errors"),
        f"{it.error_lines} lines of {kinds} kinds; compared with {it.compared_days} days before",
        *(["", *text.table(("", "service", "lines", "usual", "what"), rows, "llrrl")] if rows else []),
        *(["", *text.table(("service", "lines", "errors", "warnings"), by_service, "lrrr")] if by_service else []),
    ]


def _headroom(report: DailyReport) -> list[str]:
    it = report.headroom
    if not it.is_known:
        return [*text.section("Headroom"), "Not known: Prometheus was not asked, or did not answer."]
    available = it.memory_available_ratio
    facts = [
        ("down", f"{_length(it.downtime_s)}, and {_length(it.planned_downtime_s)} planned"),
        ("nobody watched", _length(it.unobserved_s)),
        ("machine's memory", message.UNKNOWN if available is None else f"{text.share(available)} available at least"),
        *(
            (f"disk of {one.volume}", f"{text.share(one.free_ratio)} free at least{_bytes(one.free_bytes)}")
            for one in it.volumes
        ),
    ]
    services = [
        (
            one.service,
            _mib(one.memory_peak_bytes),
            _mib(one.memory_limit_bytes),
            _share(one.memory_ratio),
            str(one.restarts),
            _length(one.down_s),
        )
        for one in it.services
    ]
    feeds = [(one.feed, str(one.reconnects), str(one.quarantined)) for one in it.feeds]
    heads = ("service", "memory at most", "limit", "used", "restarts", "down")
    return [
        *text.section("Headroom"),
        *text.pairs(facts),
        *(["", *text.table(heads, services, "lrrrrr")] if services else []),
        *(["", *text.table(("feed", "reconnects", "quarantined"), feeds, "lrr")] if feeds else []),
    ]


def _profit(report: DailyReport) -> list[str]:
    if not report.profit:
        return []
    rows = [(one.trader, plain(one.profit), str(one.orders)) for one in report.profit]
    return [*text.section("Realised profit"), *text.table(("trader", "profit", "closing orders"), rows, "lrr")]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], sides: str, without: str) -> Sequence[str]:
    return text.table(heads, rows, sides) if rows else [without]


def _complete(one: SymbolCompleteness) -> str:
    if one.percent is None:
        return "not yet" if one.verified_at is None else "unchecked"
    return percent(one.percent)


def _count(value: int | None) -> str:
    return "" if value is None else text.number(value)


def _price(value: float) -> str:
    return f"{value:,.8g}"


def _change(value: float | None) -> str:
    return "" if value is None else f"{value:+.2f} %"


def _share(value: float | None) -> str:
    return "" if value is None else text.share(value)


def _mib(value: float | None) -> str:
    return "" if value is None else f"{text.number(value / MIB)} MiB"


def _bytes(value: float | None) -> str:
    return "" if value is None else f" ({value / GIB:.1f} GiB)"


def _length(value: float | None) -> str:
    return "" if value is None else durations.written(value)


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}"


def _moment(at: datetime, report: DailyReport) -> str:
    return _clock(at) if at.date() == report.day else f"{at:%d %b %H:%M}"


def _ended(begin: datetime, end: datetime | None) -> str:
    return "goes on" if end is None else durations.written((end - begin).total_seconds())


def _line(why: str) -> str:
    return why.strip().partition("\n")[0]
