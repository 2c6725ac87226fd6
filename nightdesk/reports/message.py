"""A day and a week in the few lines that fit a message on a phone. Pure."""

from datetime import date
from typing import Final, TypeAlias

from nightdesk import durations
from nightdesk.reports import text
from nightdesk.reports.daily import DailyReport
from nightdesk.reports.verdict import Verdict, counted, percent
from nightdesk.reports.weekly import WeeklyReport

Told: TypeAlias = tuple[str, str, dict[str, str]]
"""Title, text, labelled lines."""

UNKNOWN: Final = "not known"
MOST_PRUNED: Final = 5


def of_day(report: DailyReport) -> Told:
    """Return the day's verdict, its reasons and its figures."""
    title = f"{named(report.day)}: {report.verdict.words.lower()}"
    return title, _reasons(report.verdict), {**figures(report), "report": f"/reports/daily/{report.day}"}


def figures(report: DailyReport) -> dict[str, str]:
    """Return the day's figures as they are told in a message and on the first screen of its page."""
    it = report.figures
    return {
        "completeness": UNKNOWN if it.complete_percent is None else percent(it.complete_percent),
        "gaps": f"{it.gaps_opened} opened, {it.gaps_open} open",
        "runs": f"{it.runs_succeeded} succeeded, {it.runs_failed + it.runs_missed} not",
        "alerts": f"{it.alerts_told} told, {counted(it.pages, 'page')}" if report.alerts.is_known else UNKNOWN,
        "errors": f"{counted(it.error_lines, 'line')}{_new(it.new_errors)}",
        "disk": UNKNOWN if it.disk_free_ratio is None else f"{text.share(it.disk_free_ratio)} free",
        **_profit(report),
    }


def _new(kinds: int | None) -> str:
    return "" if kinds is None else f", {kinds} new"


def _profit(report: DailyReport) -> dict[str, str]:
    if not report.profit:
        return {}
    return {"profit": text.number(sum(one.profit for one in report.profit), 2)}


def of_week(report: WeeklyReport) -> Told:
    """Return whether the week's goals were met, and what to prune."""
    title = f"Week of {report.monday:%d %b}: {_goals(report)}"
    lines = [
        f"{one.name}: {one.shown}, goal {'under' if one.unit else 'at most'} {one.limit_shown}" for one in report.goals
    ]
    lines += [f"{one.name}: {one.advice}, {one.why}" for one in report.pruning[:MOST_PRUNED]]
    unobserved = durations.written(report.unobserved_s)
    fields = {"days_measured": f"{report.measured_days} of 7", "nobody_watched": unobserved}
    return title, "\n".join(lines), {**fields, "report": f"/reports/weekly/{report.monday}"}


def _goals(report: WeeklyReport) -> str:
    missed = [one.name for one in report.goals if one.is_met is False]
    if missed:
        return f"too much: {', '.join(missed)}"
    return "every goal met" if all(one.is_met for one in report.goals) else "not everything is known"


def named(day: date) -> str:
    """Return a day as people say it."""
    return f"{day:%a %d %b %Y}"


def _reasons(verdict: Verdict) -> str:
    lines = [f"• {one.text}" for one in verdict.reasons]
    return "\n".join([*lines, *([f"and {verdict.more} more"] if verdict.more else [])])
