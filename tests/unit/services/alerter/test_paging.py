"""A critical alert calls one channel after the other until somebody acknowledges or it is over."""

import pytest

from services.alerter.deciding import acknowledge
from tests.unit.services.alerter.stage import BASE, Stage, policy_of


def test_a_critical_alert_is_told_at_once() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")

    assert stage.story() == ["00:00:00 firing slack: FeedSilent binance"]


def test_it_escalates_step_by_step_and_then_repeats_the_last_step() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("90m")

    assert stage.story() == [
        "00:00:00 firing slack: FeedSilent binance",
        "00:15:00 escalation pager: Nobody has acknowledged for 15 min: FeedSilent binance",
        "00:25:00 escalation phone: Nobody has acknowledged for 25 min: FeedSilent binance",
        "00:55:00 repeat phone: Still firing after 55 min: FeedSilent binance",
        "01:25:00 repeat phone: Still firing after 1 h 25 min: FeedSilent binance",
    ]


def test_its_end_is_told_to_everybody_who_was_called() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("20m")
    stage.story()
    stage.end("FeedSilent")
    stage.wait("5m")

    assert stage.story() == ["00:20:15 resolved slack,pager: Over after 20 min: FeedSilent binance"]


def test_its_end_is_told_once_and_then_it_is_forgotten() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("1h")

    assert [line.split()[1] for line in stage.story()] == ["firing", "resolved"]
    assert not stage.state.alerts
    assert not stage.state.groups


def test_what_is_acknowledged_calls_nobody_any_more() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("5m")
    stage.ack("FeedSilent")
    stage.wait("5h")

    assert stage.story() == [
        "00:00:00 firing slack: FeedSilent binance",
        "00:05:00 acknowledged slack: Acknowledged by me: FeedSilent binance",
    ]


def test_the_end_of_what_is_acknowledged_is_still_told() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.ack("FeedSilent")
    stage.story()
    stage.end("FeedSilent")
    stage.wait("1m")

    assert stage.story() == ["00:00:15 resolved slack: Over after 0 s: FeedSilent binance"]


def test_an_acknowledgement_takes_back_what_is_still_on_its_way() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.withdrawn.clear()
    stage.ack("FeedSilent")

    assert len(stage.withdrawn) == 1


def test_acknowledging_twice_says_nothing_new() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")

    assert len(stage.ack("FeedSilent")) == 1
    assert stage.ack("FeedSilent") == []


def test_whoever_answers_a_message_has_not_read_the_later_ones() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    answered_s = stage.now_s
    stage.wait("2m")
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    first, later = stage.firing()
    stage.story()
    stage.change(
        lambda turn: acknowledge(turn, stage.policy, stage.words, {first.alert_id}, by="phone", until_s=answered_s)
    )
    stage.wait("30m")

    assert [alert.alert_id for alert in stage.firing() if alert.acknowledged is None] == [later.alert_id]
    assert any("ETHUSDT" in line for line in stage.story())


def test_alerts_of_one_group_share_their_message() -> None:
    stage = Stage()
    stage.fire_together("SymbolSilent", label="symbol", values=["BTCUSDT", "ETHUSDT", "SOLUSDT"])

    assert stage.story() == ["00:00:00 firing slack: SymbolSilent: 3 at once"]


def test_what_joins_a_group_is_told_after_the_interval_to_everybody_who_was_called() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("16m")
    stage.story()
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.wait("1m")
    stage.fire("SymbolSilent", feed="binance", symbol="SOLUSDT")
    stage.wait("2m")

    assert stage.story() == [
        "00:16:00 firing slack,pager: SymbolSilent binance ETHUSDT",
        "00:17:00 firing slack,pager: SymbolSilent binance SOLUSDT",
    ]


def test_what_joins_within_the_interval_waits_for_it() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("20s")
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.wait("1m")

    assert stage.story() == [
        "00:00:00 firing slack: SymbolSilent binance BTCUSDT",
        "00:01:00 firing slack: SymbolSilent binance ETHUSDT",
    ]


def test_a_group_is_over_once_all_of_it_is() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("1m")
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.story()
    stage.end("SymbolSilent", symbol="BTCUSDT")
    stage.wait("2m")
    assert stage.story() == []

    stage.end("SymbolSilent", symbol="ETHUSDT")
    stage.wait("1m")
    assert stage.story() == ["00:03:15 resolved slack: Over after 3 min: SymbolSilent: 2 at once"]


def test_a_new_alert_in_an_acknowledged_group_begins_at_the_first_step() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("16m")
    stage.ack("SymbolSilent")
    stage.story()
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.wait("16m")

    assert stage.story() == [
        "00:16:00 firing slack: SymbolSilent binance ETHUSDT",
        "00:31:00 escalation pager: Nobody has acknowledged for 15 min: SymbolSilent binance ETHUSDT",
    ]


def test_the_same_alert_again_is_told_again_at_once() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("1m")
    stage.fire("FeedSilent", feed="binance")

    assert [line.split()[:2] for line in stage.story()] == [
        ["00:00:00", "firing"],
        ["00:00:15", "resolved"],
        ["00:01:00", "firing"],
    ]


def test_an_alert_that_is_away_for_a_moment_goes_on() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.end("FeedSilent")
    stage.wait("10s")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("10m")

    assert [line.split()[1] for line in stage.story()] == ["firing"]


def test_what_ends_and_fires_again_in_its_group_is_told_in_this_order() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.wait("2m")
    stage.end("SymbolSilent", symbol="BTCUSDT")
    stage.wait("2m")
    stage.told = []
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    (told,) = stage.told

    assert [(one.labels["symbol"], one.ended_s is None) for one in told.message.alerts] == [
        ("BTCUSDT", True),
        ("BTCUSDT", False),
    ]


def test_while_it_is_in_doubt_nobody_is_called() -> None:
    stage = Stage(more="flapping: {episodes: 2, within: 1h, hold: 1h}")
    stage.blink("FeedSilent", feed="binance")
    stage.blink("FeedSilent", feed="binance", on="10s")
    stage.story()
    stage.wait("30m")

    assert stage.story() == []


@pytest.mark.parametrize(
    ("enabled", "story"),
    [
        (["pager"], ["00:00:00 firing pager", "00:30:00 repeat pager"]),
        (["slack", "phone"], ["00:00:00 firing slack", "00:10:00 escalation phone", "00:40:00 repeat phone"]),
        (["phone", "pager"], ["00:00:00 firing pager", "00:10:00 escalation phone", "00:40:00 repeat phone"]),
        ([], ["00:00:00 firing -", "00:30:00 repeat -"]),
    ],
)
def test_a_step_without_a_usable_channel_falls_away(enabled: list[str], story: list[str]) -> None:
    stage = Stage(enabled=enabled)
    stage.fire("FeedSilent", feed="binance")
    stage.wait("50m")

    assert [line.partition(": ")[0] for line in stage.story()] == story


def test_a_channel_that_no_step_names_is_better_than_none() -> None:
    stage = Stage(base=BASE.replace("    - {after: 10m, channels: [phone]}\n", ""), enabled=["phone"])
    stage.fire("FeedSilent", feed="binance")

    assert stage.story() == ["00:00:00 firing phone: FeedSilent binance"]


def test_what_came_and_went_before_it_could_be_told_is_told_as_that() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("5s")
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")
    stage.wait("5s")
    stage.end("SymbolSilent", symbol="ETHUSDT")
    stage.wait("2m")

    assert stage.story() == [
        "00:00:00 firing slack: SymbolSilent binance BTCUSDT",
        "00:01:00 missed slack: Came and went within 5 s: SymbolSilent binance ETHUSDT",
    ]


def test_a_storm_becomes_a_few_messages() -> None:
    stage = Stage()
    stage.fire_together("FeedSilent", label="feed", values=[f"feed{number}" for number in range(100)])

    assert stage.story() == [
        "00:00:00 firing slack: FeedSilent feed0",
        "00:00:00 firing slack: FeedSilent feed1",
        "00:00:00 firing slack: FeedSilent feed2",
        "00:00:00 firing slack: FeedSilent feed3",
        "00:00:00 firing slack: FeedSilent: 96 at once",
    ]


def test_acknowledging_one_of_a_storm_leaves_the_others() -> None:
    stage = Stage()
    stage.fire_together("FeedSilent", label="feed", values=[f"feed{number}" for number in range(10)])
    stage.ack_number(min(stage.state.alerts))

    assert sum(alert.acknowledged is not None for alert in stage.firing()) == 1


def test_acknowledging_a_storm_is_told_in_a_few_messages() -> None:
    stage = Stage()
    stage.fire_together("FeedSilent", label="feed", values=[f"feed{number}" for number in range(100)])
    stage.story()
    stage.ack("FeedSilent")

    assert [line.partition("Acknowledged by me: ")[2] for line in stage.story()] == [
        "FeedSilent feed0",
        "FeedSilent feed1",
        "FeedSilent feed2",
        "FeedSilent feed3",
        "FeedSilent: 96 at once",
    ]


def test_what_joins_a_group_is_told_to_channels_that_can_be_used() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("2m")
    stage.story()
    stage.enabled = frozenset({"pager", "phone"})
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")

    assert stage.story() == ["00:02:00 firing pager: SymbolSilent binance ETHUSDT"]


def test_an_end_is_told_to_a_channel_that_can_be_used() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("2m")
    stage.story()
    stage.enabled = frozenset({"phone"})
    stage.end("FeedSilent")
    stage.wait("1m")

    assert stage.story() == ["00:02:15 resolved phone: Over after 2 min: FeedSilent binance"]


def test_what_nobody_could_be_told_is_told_once_there_is_a_channel() -> None:
    stage = Stage(enabled=[])
    stage.fire("FeedSilent", feed="binance")
    stage.wait("70m")
    stage.story()
    stage.enabled = frozenset({"slack", "pager"})
    stage.wait("20m")

    assert stage.story() == [
        "01:10:30 firing slack: FeedSilent binance",
        "01:25:30 escalation pager: Nobody has acknowledged for 1 h 25 min: FeedSilent binance",
    ]


def test_what_was_acknowledged_where_there_was_no_channel_is_not_told_once_there_is_one() -> None:
    stage = Stage(enabled=[])
    stage.fire("FeedSilent", feed="binance")
    stage.ack("FeedSilent")
    stage.story()
    stage.enabled = frozenset({"slack", "pager"})
    stage.wait("2h")

    assert stage.story() == []


def test_a_channel_that_fails_after_it_was_called_does_not_cost_the_next_one_its_turn() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.story()
    stage.enabled = frozenset({"pager", "phone"})
    stage.wait("60m")

    assert [line.partition(": ")[0] for line in stage.story()] == [
        "00:15:00 escalation pager",
        "00:25:00 escalation phone",
        "00:55:00 repeat phone",
    ]


def test_a_channel_that_works_again_is_called_before_the_last_is_called_again() -> None:
    stage = Stage(enabled=["slack", "pager"])
    stage.fire("FeedSilent", feed="binance")
    stage.wait("20m")
    stage.story()
    stage.enabled = frozenset({"slack", "pager", "phone"})
    stage.wait("60m")

    assert [line.partition(": ")[0] for line in stage.story()] == [
        "00:45:00 escalation phone",
        "01:15:00 repeat phone",
    ]


def test_a_policy_with_fewer_steps_calls_the_last_of_them_again() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("26m")
    stage.story()
    stage.policy = policy_of(BASE.replace("    - {after: 10m, channels: [phone]}\n", ""))
    stage.wait("60m")

    assert [line.partition(": ")[0] for line in stage.story()] == ["00:55:00 repeat pager", "01:25:00 repeat pager"]
