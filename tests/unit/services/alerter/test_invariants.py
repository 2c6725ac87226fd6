"""Whatever happens, in any order: nobody is called about what is acknowledged, and nothing critical is forgotten."""

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.alerter.hiding import hidden
from services.alerter.messages import Kind, Tier
from services.alerter.times import local
from services.alerter.turn import DIGEST_GROUP, LOG_GROUP, Notification, Turn
from tests.unit.services.alerter.stage import Stage

pytestmark = pytest.mark.slow

Act: TypeAlias = Callable[[Stage], object]

POLICY = """
routes:
  - {match: {alertname: Soon}, to: [slack]}
  - {match: {alertname: Elsewhere}, to: [phone]}
inhibit:
  - {when: {alertname: Cause}, hide: {alertname: Effect}, linger: 2m}
  - {when: {alertname: Loud}, hide: {alertname: Soon}, same: [feed]}
flapping: {episodes: 3, within: 1h, hold: 5m}
quiet_hours: {from: "22:00", to: "07:00"}
budget: {per_day: 3}
"""
NAMES = {
    "Cause": "critical",
    "Effect": "critical",
    "Loud": "critical",
    "Elsewhere": "critical",
    "Soon": "warning",
    "Late": "warning",
}

alerts = st.tuples(st.sampled_from(sorted(NAMES)), st.sampled_from(["a", "b"]))
waits = st.sampled_from(["5s", "20s", "1m", "6m", "20m", "3h"])


def fired(one: tuple[str, str]) -> Act:
    return lambda stage: stage.fire(one[0], NAMES[one[0]], feed=one[1])


def ended(one: tuple[str, str]) -> Act:
    return lambda stage: stage.end(one[0], feed=one[1])


acts: st.SearchStrategy[Act] = st.one_of(
    alerts.map(fired),
    alerts.map(ended),
    waits.map(lambda length: lambda stage: stage.wait(length)),
    waits.map(lambda length: lambda stage: stage.wait(length)),
    st.sampled_from(sorted(NAMES)).map(lambda name: lambda stage: stage.ack(name)),
    st.tuples(waits, st.sampled_from(sorted(NAMES))).map(
        lambda both: lambda stage: stage.silence(both[0], alertname=both[1])
    ),
    st.sampled_from(["critical", "warning", "info"]).map(lambda level: lambda stage: stage.post(level, "said")),
)
quiet_acts: st.SearchStrategy[Act] = st.one_of(
    alerts.filter(lambda one: one[0] not in {"Effect", "Soon"}).map(fired),
    alerts.map(ended),
    waits.map(lambda length: lambda stage: stage.wait(length)),
)


class Watched(Stage):
    """A stage that checks what has to hold after every turn."""

    def look(self) -> None:
        before = len(self.told)
        super().look()
        for one in self.told[before:]:
            self._check_call(one)
        self._check_nothing_forgotten()

    def _check_call(self, told: Notification) -> None:
        if told.kind in {Kind.ESCALATION, Kind.REPEAT}:
            open_ = [self.state.alerts[number] for number in told.alerts]
            assert open_, "a call about nothing"
            assert all(alert.acknowledged is None and alert.is_firing for alert in open_)

    def _check_nothing_forgotten(self) -> None:
        hides = hidden(Turn(self.state, self.now_s), self.policy)
        for alert in self.firing():
            if alert.tier is not Tier.CRITICAL or alert.group in {DIGEST_GROUP, LOG_GROUP}:
                continue
            group = self.state.groups[alert.group]
            waits = alert.told_s is None or alert.acknowledged is not None or alert.alert_id in hides
            assert waits or group.due_s is not None, f"nobody will ever be called about {alert}"


@given(st.lists(acts, min_size=1, max_size=25))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_nobody_is_called_about_what_is_acknowledged_and_nothing_critical_is_forgotten(happens: list[Act]) -> None:
    stage = Watched(POLICY)
    for act in happens:
        act(stage)
    stage.wait("1h")


@given(st.lists(quiet_acts, min_size=1, max_size=25))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_every_critical_alert_is_told_once_and_its_end_once_after_it(happens: list[Act]) -> None:
    stage = Watched(POLICY)
    for act in happens:
        act(stage)
    stage.reports.clear()
    stage.wait("3h")

    begun, over = Counter[int](), Counter[int]()
    for told in stage.told:
        if told.tier is not Tier.CRITICAL or told.kind in {Kind.ESCALATION, Kind.REPEAT, Kind.ACKNOWLEDGED}:
            continue
        for one in told.message.alerts:
            if one.ended_s is None:
                assert not over[one.alert_id], "its end was told before its beginning"
                begun[one.alert_id] += 1
            else:
                over[one.alert_id] += 1
    criticals = {one.alert_id for told in stage.told if told.tier is Tier.CRITICAL for one in told.message.alerts}
    assert all(over[number] == 1 for number in criticals)
    assert all(begun[number] <= 1 for number in criticals)
    assert not stage.state.groups


@given(st.lists(acts, min_size=1, max_size=25))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_day_has_no_more_messages_than_its_budget(happens: list[Act]) -> None:
    stage = Stage(POLICY)
    for act in happens:
        act(stage)

    soft = [
        local(one.created_s, stage.policy.timezone).date()
        for one in stage.told
        if one.tier is not Tier.CRITICAL
        and one.channels
        and one.kind not in {Kind.DIGEST, Kind.NOTICE, Kind.ACKNOWLEDGED}
    ]
    notices = [local(one.created_s, stage.policy.timezone).date() for one in stage.told if one.kind is Kind.NOTICE]
    assert max(Counter(soft).values(), default=0) <= 3
    assert max(Counter(notices).values(), default=0) <= 1


@given(st.lists(acts, min_size=1, max_size=25))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_what_is_over_and_told_is_let_go(happens: list[Act]) -> None:
    stage = Stage(POLICY)
    for act in happens:
        act(stage)
    for name in NAMES:
        stage.ack(name)
    stage.ack("Notification")
    stage.reports.clear()
    stage.wait("31h")

    assert not stage.state.alerts
    assert not stage.state.groups
    assert not stage.state.silences
    assert not stage.state.episodes
