"""What a silence or another alert hides is not told, and is told when it no longer is."""

from tests.unit.services.alerter.stage import Stage

INHIBIT = """
inhibit:
  - when: {alertname: ServiceDown, service: collector}
    hide: {alertname: FeedSilent|SymbolSilent}
    linger: 2m
  - when: {alertname: FeedSilent}
    hide: {alertname: SymbolSilent}
    same: [feed]
  - when: {alertname: DiskLow, severity: critical}
    hide: {alertname: DiskLow}
"""


def test_an_alert_that_another_explains_is_not_told() -> None:
    stage = Stage(INHIBIT)
    stage.fire("ServiceDown", service="collector")
    stage.wait("30s")
    stage.fire("FeedSilent", feed="binance")
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("10m")

    assert stage.story() == ["00:00:00 firing slack: ServiceDown collector"]


def test_it_recovers_unheard_within_the_time_it_is_given() -> None:
    stage = Stage(INHIBIT)
    stage.fire("ServiceDown", service="collector")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("5m")
    stage.end("ServiceDown")
    stage.wait("1m")
    stage.end("FeedSilent")
    stage.wait("1h")

    assert [line.split(": ", 1)[1] for line in stage.story()] == [
        "ServiceDown collector",
        "Over after 5 min: ServiceDown collector",
    ]
    assert not stage.state.alerts


def test_it_is_told_when_it_outlasts_what_explained_it() -> None:
    stage = Stage(INHIBIT)
    stage.fire("ServiceDown", service="collector")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("5m")
    stage.end("ServiceDown")
    stage.story()
    stage.wait("10m")

    assert stage.story() == [
        "00:05:15 resolved slack: Over after 5 min: ServiceDown collector",
        "00:07:00 firing slack: FeedSilent binance",
    ]


def test_only_what_shares_the_labels_is_explained() -> None:
    stage = Stage(INHIBIT)
    stage.fire("FeedSilent", feed="binance")
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.fire("SymbolSilent", feed="coinbase", symbol="BTC-USD")

    assert stage.story() == [
        "00:00:00 firing slack: FeedSilent binance",
        "00:00:00 firing slack: SymbolSilent coinbase BTC-USD",
    ]


def test_no_alert_explains_itself() -> None:
    stage = Stage(INHIBIT)
    stage.fire("DiskLow", volume="spool")

    assert stage.story() == ["00:00:00 firing slack: DiskLow spool"]


def test_two_that_would_explain_each_other_are_both_told() -> None:
    stage = Stage(INHIBIT)
    stage.fire("DiskLow", volume="spool")
    stage.fire("DiskLow", volume="postgres")
    stage.wait("2m")

    assert [line.split()[1:] for line in stage.story()] == [
        ["firing", "slack:", "DiskLow", "spool"],
        ["firing", "slack:", "DiskLow", "postgres"],
    ]


def test_what_explains_and_is_explained_by_something_else_is_not_told() -> None:
    stage = Stage(
        """
inhibit:
  - when: {alertname: DiskLow|HostDown}
    hide: {alertname: DiskLow}
"""
    )
    stage.fire("HostDown")
    stage.fire("DiskLow", volume="spool")

    assert stage.story() == ["00:00:00 firing slack: HostDown"]


def test_what_is_explained_after_it_was_told_does_not_escalate() -> None:
    stage = Stage(INHIBIT)
    stage.fire("FeedSilent", feed="binance")
    stage.wait("1m")
    stage.fire("ServiceDown", service="collector")
    stage.ack("ServiceDown")
    stage.story()
    stage.wait("2h")
    assert stage.story() == []

    stage.end("ServiceDown")
    stage.wait("3m")
    assert [line.partition(": ")[0].split()[1] for line in stage.story()] == ["resolved", "escalation"]


def test_a_silence_holds_back_what_matches_until_it_ends() -> None:
    stage = Stage()
    stage.silence("2h", alertname="FeedSilent", feed="bin.*")
    stage.fire("FeedSilent", feed="binance")
    stage.fire("FeedSilent", feed="coinbase")
    stage.wait("119m")

    assert {line.rpartition(": ")[2] for line in stage.story()} == {"FeedSilent coinbase"}


def test_what_still_fires_when_its_silence_ends_is_told() -> None:
    stage = Stage()
    stage.silence("2h", alertname="FeedSilent")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("3h")

    assert stage.story()[0] == "02:00:00 firing slack: FeedSilent binance"


def test_what_ends_within_its_silence_is_never_told() -> None:
    stage = Stage()
    stage.silence("2h", alertname="FeedSilent")
    stage.blink("FeedSilent", feed="binance", on="10m")
    stage.wait("3h")

    assert stage.story() == []
    assert not stage.state.alerts
    assert not stage.state.silences


def test_a_silence_in_the_middle_stops_the_escalation_and_its_end_goes_on_with_it() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("1m")
    stage.silence("1h", feed="binance")
    stage.story()
    stage.wait("70m")

    assert stage.story() == [
        "01:01:00 escalation pager: Nobody has acknowledged for 1 h 1 min: FeedSilent binance",
        "01:11:00 escalation phone: Nobody has acknowledged for 1 h 11 min: FeedSilent binance",
    ]


def test_what_ended_within_its_silence_is_not_told_of_after_it_even_where_its_group_goes_on() -> None:
    stage = Stage()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.ack("SymbolSilent")
    stage.story()
    stage.silence("1h", symbol="ETHUSDT")
    stage.blink("SymbolSilent", feed="binance", symbol="ETHUSDT", on="10m")
    stage.wait("2h")

    assert stage.story() == []


def test_the_end_of_what_was_told_is_told_even_within_a_silence() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.silence("1h", feed="binance")
    stage.story()
    stage.end("FeedSilent")
    stage.wait("1m")

    assert stage.story() == ["00:00:15 resolved slack: Over after 0 s: FeedSilent binance"]


def test_a_silence_that_ends_while_a_call_is_due_lets_it_through() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.silence("20m", feed="binance")
    stage.story()
    stage.wait("21m")

    assert stage.story() == [
        "00:20:00 escalation pager: Nobody has acknowledged for 20 min: FeedSilent binance",
    ]


def test_a_warning_that_ended_within_its_silence_is_in_no_digest() -> None:
    stage = Stage("routes: [{match: {alertname: DiskLow}, to: [slack]}]")
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("1m")
    stage.story()
    stage.silence("1h", volume="postgres")
    stage.blink("DiskLow", "warning", on="10m", volume="postgres")
    stage.wait("2h")
    stage.end("DiskLow")
    stage.until("18:30")

    assert stage.story() == []


CIRCLE = """
inhibit:
  - {when: {alertname: FeedSilent}, hide: {alertname: DiskLow}}
  - {when: {alertname: DiskLow}, hide: {alertname: FeedSilent}}
"""


def test_alerts_that_explain_each_other_in_a_circle_are_both_told() -> None:
    stage = Stage(CIRCLE)
    stage.silence("1m", alertname=".*")
    stage.fire("FeedSilent", feed="binance")
    stage.fire("DiskLow", volume="data")
    stage.wait("10m")

    told = " ".join(stage.story())
    assert "FeedSilent" in told
    assert "DiskLow" in told


def test_what_explains_by_way_of_something_hidden_still_explains() -> None:
    chain = """
inhibit:
  - {when: {alertname: ServiceDown}, hide: {alertname: FeedSilent}}
  - {when: {alertname: FeedSilent}, hide: {alertname: SymbolSilent}}
"""
    stage = Stage(chain)
    stage.fire("ServiceDown", service="collector")
    stage.fire("FeedSilent", feed="binance")
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("10m")

    assert stage.story() == ["00:00:00 firing slack: ServiceDown collector"]


def test_a_cause_that_is_only_held_because_it_flaps_explains_no_longer_than_it_lingers() -> None:
    stage = Stage(INHIBIT)
    for _ in range(4):
        stage.blink("ServiceDown", service="collector", on="20s", off="3m")
    stage.ack("ServiceDown")
    stage.story()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("3m")

    assert stage.firing()[0].name == "ServiceDown"
    assert [line.partition(" ")[2] for line in stage.story()] == ["firing slack: FeedSilent binance"]


def test_a_cause_that_ended_in_a_future_that_was_taken_back_explains_nothing() -> None:
    stage = Stage(INHIBIT)
    stage.fire("ServiceDown", service="collector")
    stage.wait("1h")
    stage.end("ServiceDown")
    stage.wait("20s")
    stage.story()
    stage.now_s -= 3600
    stage.fire("FeedSilent", feed="binance")

    assert [line.partition(" ")[2] for line in stage.story()] == ["firing slack: FeedSilent binance"]
