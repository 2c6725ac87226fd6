"""The verdict for reading, and as ``build/night.json``. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.night.judging import Verdict

COLUMNS: Final = ("incident", "expected", "detected", "seconds", "channel")


def table(verdict: Verdict) -> str:
    """Return one line for each incident."""
    rows = [
        (
            one.case.name,
            one.case.expected,
            ("late" if one.is_late else "yes") if one.detected else "NO",
            "" if one.seconds is None else f"{one.seconds:.1f}",
            one.channel,
        )
        for one in verdict.findings
    ]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in (COLUMNS, *rows))


def summary(verdict: Verdict) -> str:
    """Return the figures of the goal in a few lines."""
    soft = ", ".join(f"{day} {count}" for day, count in verdict.soft.items())
    return "\n".join(
        [
            f"{sum(one.detected for one in verdict.findings)} of {len(verdict.findings)} incidents told",
            f"median {_rounded(verdict.median_s)} s from condition to first message",
            f"median {_rounded(verdict.median_at_once_s)} s without those that wait for a digest by policy",
            f"{len(verdict.false_pages)} false pages",
            f"at most {verdict.soft_a_day} messages a day that call for nobody ({soft})",
        ]
    )


def as_json(verdict: Verdict, others: Mapping[str, Any], quiet: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the whole report; ``others`` says how and where it was measured, ``quiet`` what had to stay quiet."""
    return {
        "incidents": [one.as_json() for one in verdict.findings],
        "false_pages": len(verdict.false_pages),
        "false_page_titles": [one.title for one in verdict.false_pages],
        "soft_a_day": verdict.soft_a_day,
        "soft_by_day": verdict.soft,
        "median_s": _rounded(verdict.median_s),
        "median_at_once_s": _rounded(verdict.median_at_once_s),
        "goal_met": not verdict.problems,
        "problems": list(verdict.problems),
        "quiet": list(quiet),
        **others,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
