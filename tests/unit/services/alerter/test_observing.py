"""From what is reported to alerts that begin and end; what was missed; what jobs have to say."""

from typing import NamedTuple

import pytest

from services.alerter.alerts import NAME, SEVERITY, Report, Source, fingerprint_of
from services.alerter.messages import Tier
from services.alerter.observing import SAME_S, observe, settle
from tests.unit.services.alerter.stage import Stage
from tests.unit.services.alerter.test_recalling import NOON, Away, away_since_it_fired

FLAPPING = "flapping: {episodes: 3, within: 1h, hold: 15m}"


# --- what is reported now ---


def kinds(stage: Stage) -> list[str]:
    return [line.split()[1] for line in stage.story()]


def test_what_is_reported_again_is_the_same_alert() -> None:
    stage = Stage()
    for _ in range(3):
        stage.fire("FeedSilent", feed="binance")

    assert [alert.alert_id for alert in stage.firing()] == [1]
    assert kinds(stage) == ["firing"]


def test_what_differs_in_a_label_is_another() -> None:
    stage = Stage()
    stage.fire("DiskLow", "warning", volume="spool")
    stage.fire("DiskLow", "critical", volume="spool")
    stage.fire("DiskLow", "critical", volume="postgres")

    assert [(alert.tier, alert.labels["volume"]) for alert in stage.firing()] == [
        (Tier.WARNING, "spool"),
        (Tier.CRITICAL, "spool"),
        (Tier.CRITICAL, "postgres"),
    ]


def test_an_alert_whose_labels_change_ends_and_begins_as_another() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance", shard="1")
    stage.end("FeedSilent")
    stage.fire("FeedSilent", feed="binance", shard="2")
    stage.wait("2m")

    assert [line.partition(" ")[2] for line in stage.story()] == [
        "firing slack: FeedSilent binance 1",
        "firing slack: FeedSilent binance 2",
    ]
    assert [alert.labels["shard"] for alert in stage.firing()] == ["2"]


def test_its_newest_words_are_those_that_are_told() -> None:
    stage = Stage()
    report = stage.fire("FeedSilent", feed="binance")
    newest = Report(labels=report.labels, annotations={"summary": "silent for 14 min"}, started_s=report.started_s)
    stage.reports = {fingerprint_of(report.labels): newest}
    stage.wait("15m")

    assert stage.story()[-1].endswith("silent for 14 min")


@pytest.mark.parametrize(
    ("severity", "tier"),
    [("critical", "critical"), ("warning", "warning"), ("info", "info"), ("page", "warning"), ("", "warning")],
)
def test_how_urgent_it_is_says_its_severity_and_without_one_it_is_a_warning(severity: str, tier: str) -> None:
    stage = Stage()
    stage.fire("Something", severity)

    assert [alert.tier for alert in stage.firing()] == [Tier(tier)]


@pytest.mark.parametrize(
    ("pending", "is_complete", "is_missing"),
    [(False, True, True), (True, True, False), (False, False, False), (True, False, False)],
)
def test_what_is_reported_no_more_is_missing_if_that_is_sure(
    pending: bool, is_complete: bool, is_missing: bool
) -> None:
    stage = Stage()
    report = stage.fire("FeedSilent", feed="binance")
    waits = frozenset({fingerprint_of(report.labels)} if pending else ())
    stage.change(
        lambda turn: observe(turn, stage.policy, [], Source.PROMETHEUS, pending=waits, is_complete=is_complete)
    )

    assert [alert.missing_s is not None for alert in stage.firing()] == [is_missing]


def test_one_source_ends_nothing_of_another() -> None:
    stage = Stage()
    own = Report(labels={NAME: "StateDamaged", SEVERITY: "critical"}, started_s=stage.now_s)
    stage.change(lambda turn: observe(turn, stage.policy, [own], Source.ALERTER))
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("1m")
    stage.change(lambda turn: settle(turn, stage.policy, Source.ALERTER, turn.now_s))

    assert [alert.name for alert in stage.firing()] == ["StateDamaged"]


@pytest.mark.parametrize(("gone", "is_over"), [("14s", False), ("15s", True)])
def test_it_is_over_once_it_has_been_missing_for_as_long_as_the_policy_says(gone: str, is_over: bool) -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.now_s += float(gone[:-1])
    stage.look()

    assert (not stage.firing()) is is_over


# --- what was missed ---


class Missed(NamedTuple):
    """What happened after the last good look, 5 s after noon, and what is told of it 300 s after noon.

    ``known`` is whether it fired and was told before; ``since`` is since when it fires, if it does; seconds after noon.
    """

    what: str
    known: bool
    past: list[tuple[float, float]]
    since: float | None
    told: list[str]
    firing: int

    def happens(self) -> Away:
        stage = away_since_it_fired() if self.known else Away()
        stage.reports.clear()
        stage.at(300)
        if self.since is not None:
            stage.fires_since(self.since)
        stage.read_up(*self.past, since=5)
        return stage


TABLE = [
    Missed("fired and ended", False, [(100, 120)], None, ["missed"], 0),
    Missed("fired and ended twice", False, [(100, 120), (200, 220)], None, ["missed"], 0),
    Missed("fired and still fires", False, [(100, 295)], 100, ["firing"], 1),
    Missed("fired, ended, fires again", False, [(100, 120), (250, 295)], 250, ["firing"], 1),
    Missed("fired at the very end", False, [(295, 295)], 290, ["firing"], 1),
    Missed("fired at the very end and is gone", False, [(295, 295)], None, [], 1),
    Missed("nothing", False, [], None, [], 0),
    Missed("goes on", True, [(-10, 295)], 0, [], 1),
    Missed("ended", True, [(-10, 60)], None, ["resolved"], 0),
    Missed("ended at once", True, [(-10, 6)], None, ["resolved"], 0),
    Missed("ended, came and went", True, [(-10, 60), (150, 180)], None, ["resolved"], 0),
    Missed("ended and fires again", True, [(-10, 60), (250, 295)], 250, ["firing"], 1),
    Missed("ended, and nothing is remembered of it", True, [], None, [], 1),
    Missed("fires, and nothing is remembered of it", True, [], 0, [], 1),
]
missed = pytest.mark.parametrize("missed", TABLE, ids=[row.what for row in TABLE])


@missed
def test_what_was_missed_is_told_as_if_somebody_had_looked(missed: Missed) -> None:
    stage = missed.happens()

    assert stage.kinds() == missed.told
    assert len(stage.firing()) == missed.firing


@missed
def test_what_is_read_up_twice_is_told_once(missed: Missed) -> None:
    stage = missed.happens()
    stage.story()
    stage.at(303)
    stage.read_up(*[one for one in missed.past if one[1] >= 285], since=300)

    assert stage.kinds() == []


def test_what_was_missed_and_is_hidden_is_not_told() -> None:
    stage = Away()
    stage.silence("1h", alertname="FeedSilent")
    stage.at(300)
    stage.read_up((100, 120), since=5)
    stage.wait("2h")

    assert stage.kinds() == []


def test_what_was_missed_is_kept_with_when_it_was() -> None:
    stage = Away()
    stage.at(300)
    stage.read_up((100, 120), since=5)
    (told,) = stage.told

    assert [(one.started_s, one.ended_s) for one in told.message.alerts] == [(NOON + 100, NOON + 120)]


# --- what jobs and strategies say ---


def test_what_a_job_says_has_its_fields_as_labels_and_its_own_name() -> None:
    stage = Stage()
    stage.post("critical", "stopped", job="momentum", alertname="Other", severity="info")
    (alert,) = stage.firing()

    assert alert.labels == {
        "job": "momentum",
        "alertname": "Notification",
        "severity": "critical",
        "title": "stopped",
    }


@pytest.mark.parametrize("level", ["critical", "warning", "info"])
def test_a_key_stands_for_what_was_said_first_for_a_day(level: str) -> None:
    stage = Stage()
    first = stage.post(level, "one", key="k")
    stage.now_s += SAME_S - 1
    assert stage.post(level, "two", key="k") == first

    stage.now_s += 1
    assert stage.post(level, "three", key="k") != first


def test_what_has_become_worse_is_no_repetition() -> None:
    stage = Stage()
    stage.post("warning", "margin is low", key="margin")
    stage.story()
    stage.post("critical", "margin is gone", key="margin")

    assert [line.partition(" ")[2] for line in stage.story()] == ["firing slack: margin is gone"]


def test_a_key_stands_for_what_was_said_even_once_that_is_acknowledged() -> None:
    stage = Stage()
    first = stage.post("critical", "stopped", key="k")
    stage.ack("Notification")
    stage.story()

    assert stage.post("critical", "stopped", key="k") == first
    assert stage.story() == []


@pytest.mark.parametrize("to", ["digest", "log"])
def test_what_nobody_is_called_about_does_not_go_on_for_ever(to: str) -> None:
    stage = Stage(f"routes: [{{match: {{job: quiet}}, to: {to}}}]")
    stage.post("critical", "stopped", job="quiet")
    assert stage.firing() == []

    stage.until("18:30")
    assert len(stage.story()) == 1
    assert not stage.state.alerts


@pytest.mark.parametrize(("level", "to"), [("warning", "page"), ("info", "page"), ("critical", "[phone]")])
def test_what_somebody_is_called_about_goes_on_until_it_is_acknowledged(level: str, to: str) -> None:
    stage = Stage(f"routes: [{{match: {{job: loud}}, to: {to}}}]")
    stage.post(level, "stopped", job="loud")
    stage.wait("1h")
    assert len(stage.firing()) == 1

    stage.ack("Notification")
    assert stage.firing() == []


def test_a_job_cannot_take_the_place_of_an_alert() -> None:
    stage = Stage()
    report = stage.fire("FeedSilent", feed="binance")
    stage.post("critical", "said", key=fingerprint_of(report.labels))
    stage.end("FeedSilent")
    stage.wait("1m")

    assert [alert.name for alert in stage.firing()] == ["Notification"]
