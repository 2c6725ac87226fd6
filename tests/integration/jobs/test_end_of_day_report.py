"""A day gathered from a Prometheus that answers as the real one does and from a real alerter, and told."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from nightdesk.clock import Clock
from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.outbound import Answer, Received, call
from services.jobs import end_of_day_report, weekly_review
from services.jobs.facts.prometheus import query
from services.jobs.runner.desks import Notifier
from services.jobs.runner.job import Desk
from tests.alerting.processes import POSTING, Alerter, within
from tests.channel_server import ChannelServer
from tests.conftest import Database
from tests.golden import week
from tests.integration.jobs.conftest import Told

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DAY = date(2026, 11, 19)
MORNING_AFTER = datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
EVENING = datetime(2026, 11, 19, 21, 30, tzinfo=UTC)
BEGIN_S = datetime(2026, 11, 19, tzinfo=UTC).timestamp()

ALERT: dict[str, Any] = {
    "alert_id": 7, "name": "FeedSilent", "state": "ended", "tier": "critical", "source": "prometheus",
    "summary": "silent", "description": "", "last_good": "", "runbook": "", "labels": {"feed": "simulator"},
    "hidden": False, "note": None, "started_at": "2026-11-19T03:10:00Z",
    "ended_at": "2026-11-19T03:14:00Z", "told_at": "2026-11-19T03:10:05Z",
    "acknowledged_at": "2026-11-19T03:12:05Z", "acknowledged_by": "phone",
}  # fmt: skip
SILENCE: dict[str, Any] = {
    "silence_id": 1, "match": {"alertname": "ServiceDown", "service": "api"}, "starts_at": "2026-11-19T08:00:00Z",
    "ends_at": "2026-11-19T09:00:00Z", "by": "me", "reason": "update", "active": False,
}  # fmt: skip


class KilledError(BaseException):
    """The process is no more."""


def every(step_s: int, value: float, until_s: float = 86_400) -> list[tuple[float, str]]:
    """Samples in the form Prometheus answers with: Unix seconds and a text."""
    return [(BEGIN_S + at_s, f"{value:g}") for at_s in range(step_s, round(until_s) + 1, step_s)]


def away(since_s: float, until_s: float) -> list[tuple[float, str]]:
    late = range(round(since_s) + 30, round(until_s) + 1, 15)
    return [(BEGIN_S + at_s, f"{at_s - since_s:g}") for at_s in late]


def a_measured_day() -> dict[str, list[tuple[dict[str, str], list[tuple[float, str]]]]]:
    return {
        "observed": [({}, every(15, 3))],
        "down": [({"service": "worker"}, away(36_000, 36_240)), ({"service": "api"}, away(28_800, 28_920))],
        "disk_free_ratio": [({"volume": "spool"}, [*every(60, 0.5), (BEGIN_S + 86_400, "0.31")])],
        "disk_free_bytes": [({"volume": "spool"}, every(60, 5e9))],
        "memory_available_ratio": [({}, every(60, 0.42))],
        "memory_used_bytes": [({"service": "worker"}, every(60, 2e8))],
        "memory_limit_bytes": [({"service": "worker"}, every(60, 3.2e8))],
        "started": [({"service": "worker", "launched_by": "x"}, [*every(30, 100, 36_000), (BEGIN_S + 36_030, "500")])],
        "disconnects": [({"feed": "simulator", "instance": "a"}, [*every(60, 2, 3600), (BEGIN_S + 3660, "5")])],
        "quarantined": [],
    }


@dataclass
class Neighbours:
    """Prometheus and the alerter, as they answer over HTTP; either may be away, and all ends at the n-th call."""

    measured: dict[str, Any] = field(default_factory=a_measured_day)
    alerts: list[dict[str, Any]] = field(default_factory=lambda: [ALERT])
    is_prometheus_away: bool = False
    is_alerter_away: bool = False
    killed_at: int | None = None
    calls: list[str] = field(default_factory=list)

    def __call__(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        if self.killed_at == len(self.calls):
            raise KilledError
        self.calls.append(url)
        return self._prometheus(url) if "/api/v1/" in url else self._alerter(urlsplit(url).path)

    def _prometheus(self, url: str) -> Answer:
        if self.is_prometheus_away:
            raise requests.ConnectionError("no route")
        asked = parse_qs(urlsplit(url).query)
        begin_s, end_s = float(asked["start"][0]), float(asked["end"][0])
        name = next(name for name in self.measured if query(name) == asked["query"][0])
        result = [
            {"metric": metric, "values": [one for one in values if begin_s <= one[0] <= end_s]}
            for metric, values in self.measured[name]
        ]
        return answered({"status": "success", "data": {"resultType": "matrix", "result": result}})

    def _alerter(self, path: str) -> Answer:
        if self.is_alerter_away:
            raise requests.ConnectionError("no route")
        if path == "/silences":
            return answered({"silences": [SILENCE]})
        if path == "/alerts":
            return answered({"alerts": self.alerts, "next": None})
        return Received(status_code=404, headers={}, content=b"{}")


def answered(body: Any) -> Answer:
    return Received(status_code=200, headers={}, content=json.dumps(body).encode())


@pytest.fixture
def gathering(desk: Callable[..., Desk]) -> Callable[..., Any]:
    """Run the job beside these neighbours: ``gathering(neighbours, at=..., notify=...)``."""

    def run(
        neighbours: Neighbours, *, at: datetime = MORNING_AFTER, attempt: int = 1,
        settings: Mapping[str, Any] | None = None, **arguments: Any,
    ) -> Any:  # fmt: skip
        known = {"notifications_token": "token", "prometheus_url": "http://prometheus:9090"} | dict(settings or {})
        made = desk(scheduled_for=at, job="end_of_day_report", call=neighbours, **known)
        object.__setattr__(made, "attempt", attempt)
        return end_of_day_report.run(made, end_of_day_report.Arguments(**arguments))

    return run


def facts(database: Database, day: date = DAY) -> dict[tuple[str, str], float]:
    with database.connect() as connection:
        found = connection.execute("SELECT fact, subject, value FROM daily_facts WHERE day = %s", [day]).fetchall()
    return {(str(fact), str(subject)): float(str(value)) for fact, subject, value in found}


def history(database: Database) -> list[tuple[object, ...]]:
    with database.connect() as connection:
        return connection.execute("SELECT * FROM alert_history ORDER BY started_at, alert_id").fetchall()


def test_a_day_is_stored_as_it_was_measured(gathering: Callable[..., Any], database: Database) -> None:
    result = gathering(Neighbours())

    found = facts(database)
    assert found["down_s", "worker"] == 240
    assert found["down_s", "api"] == 120
    assert found["downtime_s", ""] == 240  # the api's was silenced
    assert found["planned_downtime_s", ""] == 120
    assert found["unobserved_s", ""] == 0
    assert found["disk_free_ratio_min", "spool"] == 0.31
    assert found["memory_peak_bytes", "worker"] == 2e8
    assert found["restarts", "worker"] == 1
    assert found["reconnects", "simulator"] == 3
    assert [row[1:3] for row in history(database)] == [(7, "FeedSilent")]
    assert result["stored"] == {"alerts": 1, "facts": len(found) - 2, "not_known": []}


def test_the_day_is_told_once_in_a_few_lines(gathering: Callable[..., Any], told: Told) -> None:
    gathering(Neighbours())

    ((level, title, text, fields, key),) = told.notifications
    assert (level, title, key) == ("info", "Thu 19 Nov 2026: worth a look", "end_of_day_report 2026-11-19")
    assert text.splitlines() == [
        "• Services were down for 4 min", "• 1 page, acknowledged", "• Services were started again 1 time",
    ]  # fmt: skip
    assert fields["report"] == "/reports/daily/2026-11-19"
    assert (fields["alerts"], fields["disk"]) == ("1 told, 1 page", "31.0 % free")


def test_in_the_evening_the_day_is_told_so_far(gathering: Callable[..., Any], told: Told, database: Database) -> None:
    gathering(Neighbours(), at=EVENING)

    assert told.notifications[0][1] == "Thu 19 Nov 2026: worth a look so far"
    assert facts(database)["told_s", ""] == 21.5 * 3600


def test_what_is_gathered_at_night_completes_what_was_told_in_the_evening(
    gathering: Callable[..., Any], database: Database, told: Told
) -> None:
    gathering(Neighbours(), at=EVENING)
    gathering(Neighbours(), notify=False)

    assert facts(database)["told_s", ""] == 86_400
    assert facts(database)["disk_free_ratio_min", "spool"] == 0.31
    assert len(told.notifications) == 1


def test_an_evening_that_is_made_up_for_the_next_day_takes_nothing_away(
    gathering: Callable[..., Any], database: Database
) -> None:
    gathering(Neighbours(), notify=False)
    before = facts(database)

    gathering(Neighbours(), at=EVENING)

    assert facts(database) == before


def test_gathered_again_it_is_the_same(gathering: Callable[..., Any], database: Database) -> None:
    gathering(Neighbours())
    before = facts(database), history(database)

    gathering(Neighbours())

    assert (facts(database), history(database)) == before


@pytest.mark.slow
def test_killed_anywhere_and_run_again_it_is_the_same(gathering: Callable[..., Any], database: Database) -> None:
    whole = Neighbours()
    gathering(whole)
    wanted = facts(database), history(database)
    for number in range(len(whole.calls)):
        with database.connect() as connection:
            connection.execute("TRUNCATE daily_facts, alert_history")
        with pytest.raises(KilledError):
            gathering(Neighbours(killed_at=number))

        gathering(Neighbours())

        assert (facts(database), history(database)) == wanted


def test_without_prometheus_the_alerts_are_stored_and_the_run_is_tried_again(
    gathering: Callable[..., Any], database: Database, told: Told
) -> None:
    with pytest.raises(UnavailableError, match="Prometheus does not answer"):
        gathering(Neighbours(is_prometheus_away=True))

    assert len(history(database)) == 1
    assert told.notifications == []


def test_a_prometheus_that_stays_away_is_said_to_be(gathering: Callable[..., Any], told: Told) -> None:
    result = gathering(Neighbours(is_prometheus_away=True), attempt=3)

    assert result["stored"]["not_known"] == ["Prometheus does not answer: ConnectionError"]
    ((_, _, text, fields, _),) = told.notifications
    assert "• Not known: disks, memory and restarts" in text
    assert fields["disk"] == "not known"


def test_where_there_is_no_prometheus_nobody_waits_for_one(gathering: Callable[..., Any]) -> None:
    result = gathering(Neighbours(), settings={"prometheus_url": ""})

    assert result["stored"]["not_known"] == ["PROMETHEUS_URL is not set: nothing measured disks, memory and restarts"]


def test_without_the_alerter_the_measurements_are_stored(gathering: Callable[..., Any], database: Database) -> None:
    with pytest.raises(UnavailableError, match="the alerter does not answer"):
        gathering(Neighbours(is_alerter_away=True))

    assert facts(database)["disk_free_ratio_min", "spool"] == 0.31
    assert ("alerts_until_s", "") not in facts(database)


def test_what_prometheus_forgot_takes_nothing_away(gathering: Callable[..., Any], database: Database) -> None:
    gathering(Neighbours())
    before = facts(database)

    gathering(Neighbours(measured={name: [] for name in a_measured_day()}), day=DAY)

    assert facts(database) == before


def test_an_alert_that_the_alerter_lost_does_not_fire_for_ever(
    gathering: Callable[..., Any], database: Database
) -> None:
    gathering(Neighbours(alerts=[ALERT | {"ended_at": None, "state": "firing"}]))
    gathering(Neighbours(alerts=[]), at=MORNING_AFTER + timedelta(days=1))

    with database.connect() as connection:
        assert connection.execute("SELECT ended_at FROM alert_history").fetchall() == [
            (datetime(2026, 11, 20, tzinfo=UTC),)
        ]


def test_another_alert_by_the_number_of_a_lost_one_does_not_keep_it_firing(
    gathering: Callable[..., Any], database: Database
) -> None:
    again = ALERT | {"started_at": "2026-11-20T08:00:00Z", "ended_at": None, "state": "firing"}
    gathering(Neighbours(alerts=[ALERT | {"ended_at": None, "state": "firing"}]))
    gathering(Neighbours(alerts=[again]), at=MORNING_AFTER + timedelta(days=1))

    with database.connect() as connection:
        assert connection.execute("SELECT ended_at FROM alert_history ORDER BY started_at").fetchall() == [
            (datetime(2026, 11, 20, tzinfo=UTC),),
            (None,),
        ]


def test_a_day_that_has_not_begun_is_no_argument(gathering: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError, match="has not begun"):
        gathering(Neighbours(), day=date(2026, 11, 21))


def test_a_week_is_reviewed_of_what_was_stored(desk: Callable[..., Desk], database: Database, told: Told) -> None:
    with database.connect() as connection:
        week.fill(connection)
    monday = desk(scheduled_for=datetime(2026, 11, 23, 11, tzinfo=UTC), job="weekly_review")

    result = weekly_review.run(monday, weekly_review.Arguments())

    assert result["monday"] == "2026-11-16"
    assert {name: one["is_met"] for name, one in result["goals"].items()} == {
        "unplanned downtime": None, "interventions": False, "pages": False,
    }  # fmt: skip
    assert result["advice"] == {"FeedReconnecting": "prune it", "SymbolSilent": "lower its tier"}
    ((level, title, text, fields, key),) = told.notifications
    assert (level, title, key) == ("info", "Week of 16 Nov: too much: interventions, pages", "weekly_review 2026-11-16")
    assert text.startswith("unplanned downtime: 4 min 15 s, goal under 15 min\n")
    assert fields["report"] == "/reports/weekly/2026-11-16"


def said(channels: ChannelServer, text: str) -> bool:
    return any(text in one.body.decode() for one in channels.requests())


POLICY = """
channels:
  hook: {kind: webhook}
page: {steps: [{channels: [hook]}], repeat: 1h, interval: 0s}
notices: {wait: 0s}
digest: {at: ["00:00"], channels: [hook]}
watch: {every: 1s, resolve_after: 1s, unreachable_after: 1s}
routes:
  - match: {alertname: Notification, job: end_of_day_report}
    to: [hook]
    always: yes
"""


@pytest.fixture
def alerter(tmp_path: Path) -> Iterator[tuple[Alerter, ChannelServer]]:
    with ChannelServer() as channels:
        environ = {
            "WEBHOOK_URL": f"{channels.url}/hook", "WEBHOOK_SECRET": "s", "PUBLIC_URL": "https://desk.example.com",
        }  # fmt: skip
        one = Alerter(tmp_path / "alerter", "http://127.0.0.1:9", POLICY, environ)
        one.start()
        within(30, lambda: one.ended() is None and is_there(one), "the alerter answers")
        yield one, channels
        one.kill()


def is_there(alerter: Alerter) -> bool:
    try:
        return requests.get(f"{alerter.url}/livez", timeout=1).status_code == 200
    except requests.RequestException:
        return False


@pytest.mark.slow
def test_a_real_alerter_tells_what_fired_and_delivers_the_summary_with_a_link(
    desk: Callable[..., Desk], database: Database, alerter: tuple[Alerter, ChannelServer]
) -> None:
    real, channels = alerter
    posted = real.post("/notifications", {"level": "critical", "title": "the strategy stopped itself"}, token=POSTING)
    within(30, lambda: said(channels, "the strategy stopped itself"), "the page is delivered")
    real.post(f"/alerts/{posted['alert_id']}/ack", {"by": "phone", "note": "on it"})
    begin = datetime.fromisoformat(real.get(f"/alerts/{posted['alert_id']}")["started_at"])
    made = desk(
        scheduled_for=begin + timedelta(days=1), job="end_of_day_report", call=call, by_hand=True, clock=Clock(),
        alerter_url=real.url, notifications_token=POSTING,
    )  # fmt: skip
    object.__setattr__(made, "notify", Notifier(made.settings, "end_of_day_report", call))

    result = end_of_day_report.run(made, end_of_day_report.Arguments(day=begin.date()))

    with database.connect() as connection:
        rows = connection.execute(
            "SELECT name, tier, acknowledged_by, note FROM alert_history WHERE alert_id = %s", [posted["alert_id"]]
        ).fetchall()
    assert rows == [("Notification", "critical", "phone", "on it")]
    assert result["stored"]["alerts"] >= 1
    report = f"https://desk.example.com/reports/daily/{begin.date()}"
    within(30, lambda: said(channels, report), "the summary is delivered with a link to its report")
