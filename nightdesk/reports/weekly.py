"""The review of one week, Monday to Sunday in UTC. Pure: what it says depends on the rows alone."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any, Final, TypeAlias

from pydantic import Field

from nightdesk import durations
from nightdesk.reports import verdict
from nightdesk.reports.daily import Part
from nightdesk.reports.verdict import Figures, Verdict

STATEMENTS: Final = (verdict.STATEMENT, "weekly_alerts", "weekly_rules", "weekly_acts", "weekly_down")
"""What ``build`` reads; their parameters are those of ``parameters``."""

GOAL_DOWNTIME_S: Final = 900.0
GOAL_INTERVENTIONS: Final = 1
GOAL_PAGES: Final = 3

TOGETHER: Final = timedelta(minutes=30)
"""What a person does within so long of the last thing is one intervention."""

OFTEN: Final = 3
VERY_OFTEN: Final = 10
BRIEF_S: Final = 300.0

Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


class Advice(StrEnum):
    """What to do about a rule."""

    NONE = ""
    KEEP = "keep"
    LOWER = "lower its tier"
    LENGTHEN = "raise its `for`"
    PRUNE = "prune it"


class Goal(Part):
    """What a week is measured by."""

    name: str = Field(description="unplanned downtime, interventions or pages")
    value: float | None = Field(description="what it was; null where that is not known")
    limit: float = Field(description="the most that is meant")
    unit: str = Field(description="seconds or nothing")
    is_met: bool | None = Field(
        description="whether it was kept; null where that is not known, or only of a part of the week that kept it"
    )

    @property
    def shown(self) -> str:
        """The value in words."""
        return "not known" if self.value is None else _shown(self.value, self.unit)

    @property
    def limit_shown(self) -> str:
        """The limit in words."""
        return _shown(self.limit, self.unit)


class Intervention(Part):
    """What a person did, close together."""

    begin: datetime = Field(description="the first act")
    end: datetime = Field(description="the last one")
    acts: list[str] = Field(description="what was done, and by whom")


class RuleReview(Part):
    """An alert rule's week."""

    name: str = Field(description="its rule")
    tier: str = Field(description="critical or warning, as it was last")
    fired: int = Field(description="how often it began")
    told: int = Field(description="how often a person was told")
    acknowledged: int = Field(description="how often somebody acknowledged")
    ignored: int = Field(description="told, over by now, and never acknowledged")
    median_acknowledge_s: float | None = Field(
        description="half were acknowledged within so many seconds of being told"
    )
    median_lasted_s: float | None = Field(description="half were over within so many seconds")
    advice: Advice = Field(description="what to do about it")
    why: str = Field(description="why")


class WeekDay(Part):
    """A day of the week."""

    day: date = Field(description="the UTC day")
    verdict: Verdict = Field(description="how it was")
    figures: Figures = Field(description="what the verdict rests on")


class ServiceDown(Part):
    """For how long a service was down."""

    service: str = Field(description="service")
    down_s: float = Field(description="seconds in which no instance answered, planned ones included")


class WeeklyReport(Part):
    """A week of the desk."""

    monday: date = Field(description="its first day")
    sunday: date = Field(description="its last day")
    goals: list[Goal] = Field(description="downtime, interventions, pages")
    measured_days: int = Field(description="days of which downtime is known")
    unobserved_s: float = Field(description="seconds in which Prometheus did not run: neither up nor down")
    planned_downtime_s: float = Field(description="seconds in which only silenced services were down")
    days: list[WeekDay] = Field(description="its days")
    services: list[ServiceDown] = Field(description="services that were down")
    interventions: list[Intervention] = Field(description="what a person had to do")
    rules: list[RuleReview] = Field(description="every rule that fired within ninety days, the loudest first")

    @property
    def pruning(self) -> list[RuleReview]:
        """The rules that something should be done about."""
        return [one for one in self.rules if one.advice not in {Advice.NONE, Advice.KEEP}]


def monday_of(day: date) -> date:
    """Return the first day of the ISO week of a day."""
    return day - timedelta(days=day.weekday())


def parameters(day: date) -> dict[str, object]:
    """Return what the statements take, for the week of this day."""
    monday = monday_of(day)
    begin = datetime(monday.year, monday.month, monday.day, tzinfo=UTC)
    return {
        "from_day": monday,
        "to_day": monday + timedelta(days=7),
        "begin": begin,
        "end": begin + timedelta(days=7),
    }


def build(day: date, rows: Rows) -> WeeklyReport:
    """Return the review of the rows that ``STATEMENTS`` found, for the week of this day."""
    monday = monday_of(day)
    days = [WeekDay(day=one.day, verdict=found, figures=one) for one, found in verdict.judged(rows[verdict.STATEMENT])]
    acts = interventions(rows["weekly_acts"])
    rules = reviewed(rows["weekly_alerts"], rows["weekly_rules"])
    pages = sum(one.figures.pages for one in days)
    known = [one.figures for one in days if one.figures.downtime_s is not None]
    asked = [one.figures.alerts_until_s for one in days]
    told = any(until_s is not None for until_s in asked)
    all_told, all_measured = _is_whole(asked), _is_whole([one.figures.measured_until_s for one in days])
    down_s = _sum(one.downtime_s for one in known) if known else None
    return WeeklyReport(
        monday=monday,
        sunday=monday + timedelta(days=6),
        goals=[
            goal("unplanned downtime", down_s, GOAL_DOWNTIME_S, "s", is_whole=all_measured),
            goal("interventions", len(acts) if told else None, GOAL_INTERVENTIONS, is_whole=all_told),
            goal("pages", pages if told else None, GOAL_PAGES, is_whole=all_told),
        ],
        measured_days=len(known),
        unobserved_s=_sum(one.unobserved_s for one in known),
        planned_downtime_s=_sum(one.planned_downtime_s for one in known),
        days=days,
        services=[ServiceDown.model_validate(dict(row)) for row in rows["weekly_down"] if row["down_s"]],
        interventions=acts,
        rules=rules,
    )


def goal(name: str, value: float | None, limit: float, unit: str = "", *, is_whole: bool = True) -> Goal:
    """Return whether a goal was met: downtime has to stay below its limit, what is counted may reach it.

    What was seen of a part of the week may be too much already, and is never known to be little enough.
    """
    met = None if value is None else value < limit if unit == "s" else value <= limit
    return Goal(name=name, value=value, limit=limit, unit=unit, is_met=None if met and not is_whole else met)


def _is_whole(until_s: Sequence[float | None]) -> bool:
    """Return whether every day is known up to its end."""
    return all(second is not None and second >= verdict.DAY_S for second in until_s)


def interventions(acts: Sequence[Mapping[str, Any]]) -> list[Intervention]:
    """Return acts in the order of their times, those close together as one."""
    found: list[list[Mapping[str, Any]]] = []
    for act in acts:
        if found and act["at"] - found[-1][-1]["at"] <= TOGETHER:
            found[-1].append(act)
        else:
            found.append([act])
    return [Intervention(begin=group[0]["at"], end=group[-1]["at"], acts=_told(group)) for group in found]


def _told(group: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return each act once, with how often it was done."""
    counts: dict[str, int] = defaultdict(int)
    for act in group:
        counts[f"{act['act']} ({act['by']})" if act["by"] else act["act"]] += 1
    return [f"{act}, {count} times" if count > 1 else act for act, count in counts.items()]


def reviewed(alerts: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]]) -> list[RuleReview]:
    """Return every known rule's week, the loudest first."""
    by_rule: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for alert in alerts:
        by_rule[alert["name"]].append(alert)
    tiers = {row["name"]: row["tier"] for row in known} | {alert["name"]: alert["tier"] for alert in alerts}
    rules = [review(name, tier, by_rule[name]) for name, tier in tiers.items()]
    return sorted(rules, key=lambda one: (-one.told, -one.fired, one.name))


def review(name: str, tier: str, alerts: Sequence[Mapping[str, Any]]) -> RuleReview:
    """Return one rule's week."""
    told = [one for one in alerts if one["told_at"] is not None]
    answered = [one for one in told if one["acknowledged_at"] is not None]
    counted = RuleReview(
        name=name,
        tier=tier,
        fired=len(alerts),
        told=len(told),
        acknowledged=len(answered),
        ignored=sum(one["acknowledged_at"] is None and one["ended_at"] is not None for one in told),
        median_acknowledge_s=_median(one["acknowledged_at"] - one["told_at"] for one in answered),
        median_lasted_s=_median(one["ended_at"] - one["started_at"] for one in alerts if one["ended_at"]),
        advice=Advice.NONE,
        why="",
    )
    advice, why = advise(counted)
    return counted.model_copy(update={"advice": advice, "why": why})


def advise(rule: RuleReview) -> tuple[Advice, str]:
    """Return what to do about a rule, by the first of the criteria that it meets, and why."""
    return next((found for criterion in CRITERIA if (found := criterion(rule)) is not None), (Advice.NONE, ""))


def _nobody_acts(it: RuleReview) -> tuple[Advice, str] | None:
    if it.tier != "critical" or it.told < OFTEN or it.acknowledged:
        return None
    return Advice.LOWER, f"it called {it.told} times and nobody answered: a warning would do"


def _ends_by_itself(it: RuleReview) -> tuple[Advice, str] | None:
    if it.told < OFTEN or it.median_lasted_s is None or it.median_lasted_s >= BRIEF_S or it.acknowledged * 2 > it.told:
        return None
    return Advice.LENGTHEN, f"half of them were over within {durations.written(it.median_lasted_s)}, by themselves"


def _noise(it: RuleReview) -> tuple[Advice, str] | None:
    if it.tier == "critical" or it.fired < VERY_OFTEN or it.acknowledged:
        return None
    return Advice.PRUNE, f"it fired {it.fired} times and nobody did anything: raise its threshold, or leave it out"


def _is_answered(it: RuleReview) -> tuple[Advice, str] | None:
    if it.tier != "critical" or not it.told or it.acknowledged < it.told or it.median_acknowledge_s is None:
        return None
    return Advice.KEEP, f"somebody acted each time, within {durations.written(it.median_acknowledge_s)} at the median"


CRITERIA: Final[tuple[Callable[[RuleReview], tuple[Advice, str] | None], ...]] = (
    _nobody_acts, _ends_by_itself, _noise, _is_answered,
)  # fmt: skip


def _median(lengths: Any) -> float | None:  # noqa: ANN401  timedeltas
    known = [one.total_seconds() for one in lengths]
    return median(known) if known else None


def _sum(values: Any) -> float:  # noqa: ANN401  numbers and nulls
    return float(sum(value or 0.0 for value in values))


def _shown(value: float, unit: str) -> str:
    return durations.written(value) if unit == "s" else f"{value:g}"
