"""What was different in a day's logs, as plain text. Pure."""

from collections.abc import Sequence
from typing import Final

from nightdesk.reports import text
from nightdesk.reports.novelty import LogDay, LogError, Novelty, ServiceLines

MOST: Final = 50
"""Errors that are listed; the page has more."""


def headline(logs: LogDay) -> str:
    """Return the day in a sentence: how many errors are new, back, rising, gone."""
    if not logs.has_logs:
        return "No log of this day was loaded"
    if logs.errors and not logs.compared_days:
        return f"{len(logs.errors)} {'kind' if len(logs.errors) == 1 else 'kinds'} of errors"
    counts = [(len(logs.of(kind)), word) for kind, word in _WORDS.items()]
    told = [f"{count} {word}{'s' if count > 1 and word == 'new error' else ''}" for count, word in counts if count]
    return ", ".join(told) or "Nothing new in the logs"


_WORDS: Final = {
    Novelty.NEW: "new error",
    Novelty.BACK: "back",
    Novelty.RISING: "rising",
    Novelty.GONE: "gone",
}


def written(logs: LogDay) -> str:
    """Return the day's logs, whose lines all end."""
    lines = [*text.title(f"Logs of {logs.day} (UTC)"), "", f"{headline(logs)}."]
    if logs.has_logs:
        lines += [_compared(logs), "", *text.pairs(_facts(logs)), *_errors(logs.errors), *_services(logs.services)]
        lines += _unparsed(logs)
    return "\n".join(lines) + "\n"


def _compared(logs: LogDay) -> str:
    if not logs.compared_days:
        return "There is nothing to compare with: none of the seven days before has a log."
    return f"Compared with {logs.compared_days} of the seven days before."


def _facts(logs: LogDay) -> list[tuple[str, str]]:
    fetches = logs.fetches_succeeded + logs.fetches_failed
    failed = f" ({text.share(logs.fetches_failed / fetches)})" if fetches else ""
    return [
        ("lines", text.number(logs.lines)),
        ("of errors", text.number(logs.error_lines)),
        ("not understood", text.number(logs.unparsed_lines)),
        ("fetches that failed", f"{text.number(logs.fetches_failed)} of {text.number(fetches)}{failed}"),
    ]


def _errors(errors: Sequence[LogError]) -> list[str]:
    if not errors:
        return [*text.section("Errors"), "None."]
    rows = [
        (one.novelty.value, one.service, text.number(one.lines), text.number(one.usual_lines, 1), one.template)
        for one in errors[:MOST]
    ]
    more = [f"and {len(errors) - MOST} more"] if len(errors) > MOST else []
    return [*text.section("Errors"), *text.table(("", "service", "lines", "usual", "error"), rows, "llrrl"), *more]


def _services(services: Sequence[ServiceLines]) -> list[str]:
    rows = [
        (
            one.service,
            *(text.number(one.levels.get(level, 0)) for level in ("critical", "error", "warning")),
            text.number(one.lines),
            "" if one.failed_share is None else text.share(1 - one.failed_share),
            str(one.reconnects),
            str(one.restarts),
        )
        for one in services
    ]
    heads = ("service", "critical", "error", "warning", "lines", "fetched", "reconnects", "restarts")
    return [*text.section("Services"), *text.table(heads, rows, "lrrrrrrr")]


def _unparsed(logs: LogDay) -> list[str]:
    if not logs.unparsed:
        return []
    rows = [(one.source, one.reason, text.number(one.lines)) for one in logs.unparsed]
    return [*text.section("Not understood"), *text.table(("source", "why", "lines"), rows, "llr")]
