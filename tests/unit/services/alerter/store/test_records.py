"""What was committed is what is loaded: a turn is one transaction, and a restart knows everything."""

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.alerter.messages import Kind, Tier
from services.alerter.store.file import StateFile
from services.alerter.store.history import History
from services.alerter.store.records import urgency_of
from services.alerter.turn import State, Turn
from tests.unit.services.alerter.stage import policy_of
from tests.unit.services.alerter.store.kept import Kept
from tests.unit.services.alerter.test_invariants import POLICY, Act, acts


def comparable(state: State) -> State:
    """Return a state without what may rightly differ: the newest words, and when something was said."""
    alerts = {number: replace(one, annotations={}) for number, one in state.alerts.items()}
    return replace(state, alerts=alerts, posted={key: number for key, (number, _) in state.posted.items()})


@given(st.lists(acts, min_size=1, max_size=15))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_a_restart_knows_everything_that_was_committed(
    tmp_path_factory: pytest.TempPathFactory, happens: list[Act]
) -> None:
    file = StateFile(tmp_path_factory.mktemp("state") / "alerter.sqlite")
    stage = Kept(file, POLICY)
    for act in happens:
        act(stage)
        assert comparable(stage.loaded()) == comparable(stage.state)
    file.close()


def test_a_file_that_is_new_begins_with_nothing_to_catch_up_on(file: StateFile) -> None:
    stage = Kept(file)

    assert stage.loaded() == State(digested_s=stage.now_s)


def test_timers_go_on_after_a_restart(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("FeedSilent", feed="binance")
    stage.wait("14m")
    stage.story()
    stage.state = stage.loaded()
    stage.wait("2m")

    assert [line.split()[1:3] for line in stage.story()] == [["escalation", "pager:"]]


def test_what_was_told_is_not_told_again_after_a_restart(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("FeedSilent", feed="binance")
    stage.fire("GapOpen", "warning")
    stage.story()
    stage.state = stage.loaded()
    stage.wait("5m")

    assert stage.story() == []


def test_what_is_held_because_it_comes_and_goes_is_held_after_a_restart(file: StateFile) -> None:
    stage = Kept(file, "flapping: {episodes: 3, within: 1h, hold: 15m}")
    for _ in range(45):
        stage.blink("FeedSilent", feed="binance")
    stage.story()
    stage.state = stage.loaded()
    for _ in range(5):
        stage.blink("FeedSilent", feed="binance")

    assert [line for line in stage.story() if " resolved " in line or " firing " in line] == []


def test_a_digest_is_not_told_again_after_a_restart(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("GapOpen", "warning")
    stage.until("18:00")
    assert len(stage.story()) == 1

    stage.state = stage.loaded()
    stage.wait("20h")
    assert stage.story() == []


def test_a_budget_that_is_spent_is_spent_after_a_restart(file: StateFile) -> None:
    stage = Kept(file, "routes: [{match: {severity: warning}, to: [slack]}]\nbudget: {per_day: 1}")
    stage.post("warning", "one")
    stage.post("warning", "two")
    stage.story()
    stage.state = stage.loaded()
    stage.post("warning", "three")

    assert stage.story() == []


def test_a_group_of_an_older_policy_goes_on_with_the_channels_there_are(file: StateFile) -> None:
    stage = Kept(file, "routes: [{match: {alertname: DiskLow}, to: [phone]}]")
    stage.fire("DiskLow", "critical", volume="spool")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("1m")
    stage.story()
    stage.policy = policy_of(
        "channels: {mail: {kind: smtp}}\npage: {steps: [{channels: [mail]}]}\ngroup_by: [severity]\n"
        'digest: {at: ["18:00"], channels: [mail]}'
    )
    stage.enabled = frozenset({"mail"})
    stage.state = stage.loaded()
    stage.fire("FeedSilent", feed="coinbase")
    stage.wait("30m")
    stage.end("FeedSilent")
    stage.end("DiskLow")
    stage.wait("1m")

    assert [line.partition(" ")[2] for line in stage.story()] == [
        "firing mail: FeedSilent coinbase",
        "repeat mail: Still firing after 15 min: FeedSilent binance",
        "repeat mail: Still firing after 30 min: FeedSilent coinbase",
        "resolved mail: Over after 31 min: FeedSilent binance",
        "resolved mail: Over after 31 min: DiskLow spool",
        "resolved mail: Over after 30 min: FeedSilent coinbase",
    ]
    assert not stage.state.groups


def test_numbers_go_on_even_when_what_had_them_is_forgotten(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("1m")
    for table in ("deliveries", "notified", "notifications", "alerts"):
        file._connection.execute(f"DELETE FROM {table}")

    loaded = stage.loaded()
    assert (loaded.next_alert_id, loaded.next_notification_id) == (2, 3)


def test_what_is_over_and_let_go_in_one_turn_stays_over_after_a_restart(file: StateFile) -> None:
    stage = Kept(file)  # without inhibitions nothing over is kept
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("1m")
    stage.post("info", "said and done")
    stage.story()
    stage.state = stage.loaded()
    stage.wait("5m")

    assert stage.story() == []
    assert [alert.ended_s is None for alert in History(file).alerts(firing=False, before=None, limit=9)] == [False] * 2


def test_what_a_job_said_is_not_said_again_after_a_restart(file: StateFile) -> None:
    stage = Kept(file, "routes: [{match: {alertname: Notification}, to: [slack]}]")
    first = stage.post("info", "3 movers", key="scan")
    stage.wait("10m")
    stage.state = stage.loaded()

    assert stage.post("info", "3 movers", key="scan") == first


def test_a_silence_that_was_ended_does_not_come_back_after_a_restart(file: StateFile) -> None:
    stage = Kept(file)
    stage.silence("2h", alertname="FeedSilent")
    (silence,) = stage.state.silences.values()
    stage.change(lambda turn: turn.put_silence(replace(silence, ends_s=turn.now_s)))
    stage.state = stage.loaded()
    stage.fire("FeedSilent", feed="binance")

    assert stage.story() == ["00:00:00 firing slack: FeedSilent binance"]
    assert [one.ends_s for one in History(file).silences(now_s=stage.now_s, ended=True)] == [stage.began_s]


def test_a_turn_that_cannot_be_written_leaves_nothing_behind(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("FeedSilent", feed="binance")
    turn = Turn(stage.state, stage.now_s)
    alert = next(iter(turn.alerts.values()))
    turn.put(replace(alert, ended_s=1.0))
    turn.tell(stage.told[0])  # its number is taken

    with pytest.raises(sqlite3.IntegrityError):
        stage.records.commit(turn)
    assert stage.loaded().alerts[alert.alert_id].ended_s is None


def test_a_delivery_waits_for_each_channel_that_takes_the_message(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire("FeedSilent", feed="binance")
    stage.wait("16m")
    stage.ack("FeedSilent")

    rows = file._connection.execute(
        "SELECT kind, channel, state FROM deliveries JOIN notifications USING (notification_id) ORDER BY delivery_id"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        ("firing", "slack", "withdrawn"),
        ("escalation", "pager", "withdrawn"),
        ("acknowledged", "pager", "queued"),
    ]


def test_what_an_acknowledgement_takes_back_of_a_storm_is_nothing(file: StateFile) -> None:
    stage = Kept(file)
    stage.fire_together("FeedSilent", label="feed", values=[f"feed{number}" for number in range(8)])
    stage.ack_number(max(stage.state.alerts))

    states = file._connection.execute("SELECT state FROM deliveries WHERE channel = 'slack'").fetchall()
    assert {row["state"] for row in states} == {"queued"}


def test_what_calls_a_person_goes_first() -> None:
    assert urgency_of(Kind.FIRING, Tier.CRITICAL) < urgency_of(Kind.RESOLVED, Tier.CRITICAL)
    assert urgency_of(Kind.ESCALATION, Tier.CRITICAL) < urgency_of(Kind.FIRING, Tier.WARNING)
