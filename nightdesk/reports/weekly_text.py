"""A week's review as plain text. Pure."""

from nightdesk import durations
from nightdesk.reports import text
from nightdesk.reports.message import named
from nightdesk.reports.weekly import WeeklyReport

MET = {True: "met", False: "NOT MET", None: "not known"}


def written(report: WeeklyReport) -> str:
    """Return the review, whose lines all end."""
    lines = [*text.title(f"Nightdesk, week of {named(report.monday)} to {named(report.sunday)} (UTC)")]
    for part in (_goals, _days, _interventions, _rules):
        lines += part(report)
    return "\n".join(lines) + "\n"


def _goals(report: WeeklyReport) -> list[str]:
    rows = [
        (one.name, one.shown, f"{'under' if one.unit else 'at most'} {one.limit_shown}", MET[one.is_met])
        for one in report.goals
    ]
    return ["", *text.table(("", "this week", "goal", ""), rows, "lrrl"), "", *_measured(report)]


def _measured(report: WeeklyReport) -> list[str]:
    if not report.measured_days:
        return ["None of its days was measured."]
    down = [f"  {one.service} {durations.written(one.down_s)}" for one in report.services]
    return [
        f"Measured on {report.measured_days} of 7 days; nobody watched for {durations.written(report.unobserved_s)};",
        f"planned downtime {durations.written(report.planned_downtime_s)}.{' Down, planned or not:' if down else ''}",
        *down,
    ]


def _days(report: WeeklyReport) -> list[str]:
    rows = [
        (named(one.day), one.verdict.words, "; ".join(reason.text for reason in one.verdict.reasons))
        for one in report.days
    ]
    return [*text.section("Days"), *text.table(("day", "", "why"), rows, "lll")]


def _interventions(report: WeeklyReport) -> list[str]:
    lines = [f"{one.begin:%a %H:%M}  {', '.join(one.acts)}" for one in report.interventions]
    return [*text.section("Interventions"), *([text.cut(line, text.WIDTH) for line in lines] or ["None."])]


def _rules(report: WeeklyReport) -> list[str]:
    rows = [
        (one.name, one.tier, str(one.fired), str(one.told), str(one.acknowledged), str(one.ignored),
         "" if one.median_acknowledge_s is None else durations.written(one.median_acknowledge_s), one.advice.value)
        for one in report.rules
    ]  # fmt: skip
    heads = ("rule", "tier", "fired", "told", "ack", "ignored", "to ack", "advice")
    advice = [text.cut(f"{one.name}: {one.advice}, {one.why}", text.WIDTH) for one in report.rules if one.why]
    return [
        *text.section("Alert rules"),
        *(text.table(heads, rows, "llrrrrrl") if rows else ["None fired within ninety days."]),
        *(["", *advice] if advice else []),
    ]
