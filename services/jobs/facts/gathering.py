"""Store what the alerter and Prometheus know of a day; either may be away, and what the other says is stored."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from psycopg.types.json import Jsonb

from nightdesk.alerting import Alert, Silence
from nightdesk.errors import ConfigurationError, NightdeskError, UnavailableError
from nightdesk.runs import Json
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.facts.alerter import Alerter
from services.jobs.facts.measuring import FINE_S, MEASURES, Facts, Period, Silenced, availability, measured
from services.jobs.facts.prometheus import Prometheus
from services.jobs.runner.job import Desk

log = structlog.get_logger()

DOWN = "ServiceDown"
"""The alert whose silence says that a service is to be down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was stored, and why the rest was not; ``is_passing`` is whether it may be there on another try."""

    alerts: int | None
    facts: int | None
    troubles: Sequence[str]
    is_passing: bool

    def as_json(self) -> Json:
        """Return it for the run's result."""
        return {"alerts": self.alerts, "facts": self.facts, "not_known": list(self.troubles)}


def gather(desk: Desk, connection: Connection, day: date, until: datetime) -> Gathered:
    """Ask both about a UTC day up to a moment of it, and store what they say."""
    troubles: list[NightdeskError] = []

    def attempt(what: Callable[[], int]) -> int | None:
        try:
            return what()
        except NightdeskError as error:
            troubles.append(error)
            log.warning("facts.not_known", day=day.isoformat(), why=str(error))
            return None

    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    desk.progress(0, 2, "alerts")
    alerts = attempt(lambda: _store_alerts(desk, connection, begin, until))
    desk.progress(1, 2, "measurements")
    facts = attempt(lambda: _store_measurements(desk, connection, begin, until))
    told = {"day": day, "fact": "told_s", "value": (until - begin).total_seconds()}
    with translated():
        connection.execute(statement("facts_put_progress"), told)
    desk.progress(2, 2, "stored")
    return Gathered(
        alerts=alerts,
        facts=facts,
        troubles=[str(one) for one in troubles],
        is_passing=any(one.retryable for one in troubles),
    )


def _store_alerts(desk: Desk, connection: Connection, begin: datetime, until: datetime) -> int:
    with translated():
        unfinished = [one for (one,) in connection.execute(statement("facts_unfinished"), {"before": until}).fetchall()]
    found = _alerter(desk).alerts(begin, until, unfinished)
    with translated(), connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement("facts_put_alert"), [_alert(one) for one in found])
        known = {"started": [one.started_at for one in found], "known": [one.alert_id for one in found]}
        cursor.execute(statement("facts_end_lost"), {"begin": begin, "until": until, **known})
        told = {"day": begin.date(), "fact": "alerts_until_s", "value": (until - begin).total_seconds()}
        cursor.execute(statement("facts_put_progress"), told)
    return len(found)


def _alerter(desk: Desk) -> Alerter:
    token = desk.settings.notifications_token
    if token is None:
        raise ConfigurationError("NOTIFICATIONS_TOKEN is not set: the alerter cannot be asked what fired")
    return Alerter(url=desk.settings.alerter_url, token=token.get_secret_value(), call=desk.call)


def _alert(one: Alert) -> dict[str, object]:
    return {
        "started_at": one.started_at,
        "alert_id": one.alert_id,
        "name": one.name,
        "tier": one.tier,
        "source": one.source,
        "summary": one.summary,
        "labels": Jsonb(one.labels),
        "ended_at": one.ended_at,
        "told_at": one.told_at,
        "acknowledged_at": one.acknowledged_at,
        "acknowledged_by": one.acknowledged_by or "",
        "note": one.note or "",
    }


def _store_measurements(desk: Desk, connection: Connection, begin: datetime, until: datetime) -> int:
    period = Period(begin_s=begin.timestamp(), end_s=until.timestamp())
    facts = _measurements(desk, period)
    day = begin.date()
    with translated(), connection.transaction(), connection.cursor() as cursor:
        cursor.execute(statement("facts_lock"), {"day": day})
        known = cursor.execute(statement("facts_observed"), {"day": day}).fetchone()
        observed_s = facts["until_s", ""] - facts["unobserved_s", ""]
        if known is not None and known[0] > observed_s:
            log.info("facts.kept", day=day.isoformat(), known_s=known[0], told_s=observed_s)
            return 0
        cursor.execute(statement("facts_forget"), {"day": day})
        cursor.executemany(
            statement("facts_put_fact"),
            [
                {"day": day, "fact": fact, "subject": subject, "value": value}
                for (fact, subject), value in sorted(facts.items())
            ],
        )
    return len(facts)


def _measurements(desk: Desk, period: Period) -> Facts:
    """Ask Prometheus; what it forgot is unobserved."""
    if not desk.settings.prometheus_url:
        raise ConfigurationError("PROMETHEUS_URL is not set: nothing measured disks, memory and restarts")
    prometheus = Prometheus(url=desk.settings.prometheus_url, call=desk.call)
    facts = availability(
        prometheus.series("observed", period, FINE_S),
        prometheus.series("down", period, FINE_S),
        _silenced(desk),
        period,
    )
    for measure in MEASURES:
        facts |= measured(measure, prometheus.series(measure.query, period, measure.step_s), period)
    return facts


def _silenced(desk: Desk) -> list[Silenced]:
    """Return what was planned; where nobody can say, nothing was."""
    try:
        return [planned(one) for one in _alerter(desk).silences()]
    except (UnavailableError, ConfigurationError) as error:
        log.warning("facts.silences_not_known", why=str(error))
        return []


def planned(silence: Silence) -> Silenced:
    """Return which services a silence lets be down: those whose alert it would hide."""

    def covers(service: str) -> bool:
        labels = {"alertname": DOWN, "service": service}
        return all(
            name == "severity" or re.fullmatch(pattern, labels.get(name, "")) is not None
            for name, pattern in silence.match.items()
        )

    return Silenced(span=(silence.starts_at.timestamp(), silence.ends_at.timestamp()), covers=covers)


def told_until(scheduled_for: datetime, day: date) -> datetime:
    """Return up to when a day can be told: its end, or the whole minute that is over."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    return min(end, scheduled_for.replace(second=0, microsecond=0))
