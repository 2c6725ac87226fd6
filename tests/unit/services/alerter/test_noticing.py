"""What a route sends to channels is told once, within quiet hours and budget; the rest waits for the digest."""

from datetime import UTC, datetime

from tests.unit.services.alerter.stage import Stage

ROUTES = """
routes:
  - {match: {severity: warning, alertname: DiskLow|MemoryLow|JobMissed.*}, to: [slack]}
  - {match: {alertname: Notification, job: pre_market_scan}, to: [slack], always: yes}
  - {match: {alertname: Notification, job: chatty}, to: [slack]}
  - {match: {alertname: LeftAlone}, to: log}
  - {match: {alertname: CriticalElsewhere}, to: [phone]}
"""


def kinds(stage: Stage) -> list[str]:
    return [line.partition(": ")[0] for line in stage.story()]


def test_a_warning_that_a_route_names_is_told_after_a_short_wait_and_its_end_is_not() -> None:
    stage = Stage(ROUTES)
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("10m")
    stage.end("DiskLow")
    stage.wait("1h")

    assert stage.story() == ["00:00:30 firing slack: DiskLow spool"]


def test_its_end_is_told_where_the_policy_wants_that() -> None:
    stage = Stage(
        ROUTES + "notices: {resolved: yes}",
        base=Stage.base_without("notices"),
    )
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("10m")
    stage.end("DiskLow")
    stage.wait("1m")

    assert kinds(stage) == ["00:00:30 firing slack", "00:10:15 resolved slack"]


def test_it_is_said_again_while_it_lasts_and_does_not_escalate() -> None:
    stage = Stage(ROUTES)
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("9h")

    assert kinds(stage) == [
        "00:00:30 firing slack",
        "04:00:30 repeat slack",
        "08:00:30 repeat slack",
    ]


def test_it_is_not_said_again_once_somebody_acknowledged() -> None:
    stage = Stage(ROUTES)
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("1m")
    stage.ack("DiskLow")
    stage.story()
    stage.wait("9h")

    assert stage.story() == []


def test_a_warning_that_no_route_names_waits_for_the_digest() -> None:
    stage = Stage(ROUTES)
    stage.fire("ServiceRestarted", "warning", service="worker")
    stage.wait("5h")
    assert stage.story() == []

    stage.until("18:00")
    assert stage.story() == ["06:00:00 digest slack: Digest: 1 new, 1 going on, 0 over"]


def test_an_info_is_logged_and_nobody_is_told() -> None:
    stage = Stage(ROUTES)
    stage.fire("SomethingMinor", "info")
    stage.wait("10m")
    stage.end("SomethingMinor")
    stage.wait("10m")

    assert stage.story() == ["00:00:00 firing -: SomethingMinor"]
    assert not stage.state.alerts


def test_a_route_to_the_log_holds_a_warning_back_for_good() -> None:
    stage = Stage(ROUTES)
    stage.fire("LeftAlone", "warning")
    stage.until("18:30")

    assert stage.story() == ["00:00:00 firing -: LeftAlone"]


def test_what_is_beyond_the_budget_waits_for_the_digest_and_that_is_said_once() -> None:
    stage = Stage(ROUTES + "budget: {per_day: 2}\ngroup_by: [alertname]")
    for number in range(5):
        stage.fire(f"JobMissed{number}", "warning")
        stage.wait("1m")
    stage.until("18:00")

    assert stage.story() == [
        "00:00:30 firing slack: JobMissed0",
        "00:01:30 firing slack: JobMissed1",
        "00:02:30 notice slack: The budget of 2 messages a day is used up",
        "06:00:00 digest slack: Digest: 3 new, 3 going on, 0 over",
    ]


def test_the_next_day_has_a_budget_of_its_own() -> None:
    stage = Stage(ROUTES + "budget: {per_day: 1}\ngroup_by: [alertname]")
    stage.fire("JobMissed1", "warning")
    stage.wait("1m")
    stage.fire("JobMissed2", "warning")
    stage.ack("JobMissed1")
    stage.wait("12h")
    stage.story()
    stage.fire("JobMissed3", "warning")
    stage.wait("1m")

    assert kinds(stage) == ["12:01:30 firing slack"]


def test_a_page_is_neither_counted_nor_held_back_by_the_budget() -> None:
    stage = Stage(ROUTES + "budget: {per_day: 0}")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("16m")

    assert kinds(stage) == ["00:00:00 firing slack", "00:15:00 escalation pager"]
    assert stage.state.spent.messages == 0


def test_in_quiet_hours_a_warning_waits_for_the_digest() -> None:
    stage = Stage(ROUTES + 'quiet_hours: {from: "11:00", to: "13:00"}')
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("5h")
    assert stage.story() == []

    stage.until("18:00")
    assert kinds(stage) == ["06:00:00 digest slack"]


def test_quiet_hours_do_not_hold_back_a_page_nor_any_other_critical_alert() -> None:
    stage = Stage(ROUTES + 'quiet_hours: {from: "11:00", to: "13:00"}')
    stage.fire("FeedSilent", feed="binance")
    stage.fire("CriticalElsewhere")
    stage.wait("1m")

    assert kinds(stage) == ["00:00:00 firing slack", "00:00:30 firing phone"]


def test_quiet_hours_reach_over_midnight() -> None:
    night = datetime(2026, 11, 24, 3, 0, tzinfo=UTC).timestamp()
    stage = Stage(ROUTES + 'quiet_hours: {from: "22:00", to: "07:00"}', at=night)
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("1h")

    assert stage.story() == []


def test_a_warning_that_came_and_went_before_it_was_told_is_in_the_digest() -> None:
    stage = Stage(ROUTES)
    stage.blink("DiskLow", "warning", on="10s", volume="spool")
    stage.until("18:00")

    assert stage.story() == ["06:00:00 digest slack: Digest: 1 new, 0 going on, 1 over"]


def test_what_nobody_could_be_told_is_told_once_there_is_a_channel() -> None:
    stage = Stage(ROUTES, enabled=[])
    stage.fire("CriticalElsewhere")
    stage.fire("DiskLow", "warning", volume="spool")
    stage.wait("10m")
    stage.story()
    stage.enabled = frozenset({"slack"})
    stage.wait("1h")

    assert kinds(stage) == ["00:10:30 firing slack", "00:10:30 firing slack"]


# --- what jobs and strategies say ---


def test_a_message_is_told_at_once_where_a_route_sends_it() -> None:
    stage = Stage(ROUTES)
    stage.post("info", "3 movers before the open", job="chatty")
    stage.wait("1h")

    assert stage.story() == ["00:00:00 message slack: 3 movers before the open"]
    assert not stage.state.alerts


def test_a_message_without_a_route_goes_where_its_level_says() -> None:
    stage = Stage(ROUTES)
    stage.post("info", "nothing to do", job="other")
    stage.post("warning", "slippage", job="other")
    stage.until("18:00")

    assert stage.story() == [
        "00:00:00 message -: nothing to do",
        "06:00:00 digest slack: Digest: 1 new, 0 going on, 1 over",
    ]


def test_a_message_that_is_always_sent_minds_neither_quiet_hours_nor_budget() -> None:
    stage = Stage(ROUTES + 'quiet_hours: {from: "11:00", to: "13:00"}\nbudget: {per_day: 0}')
    stage.post("info", "3 movers before the open", job="pre_market_scan")

    assert kinds(stage) == ["00:00:00 message slack"]


def test_other_messages_do() -> None:
    stage = Stage(ROUTES + "budget: {per_day: 1}")
    for number in range(3):
        stage.post("info", f"number {number}", job="chatty")
    stage.until("18:00")

    assert kinds(stage) == ["00:00:00 message slack", "00:00:00 notice slack", "06:00:00 digest slack"]


def test_two_messages_without_a_key_are_two() -> None:
    stage = Stage(ROUTES)
    stage.post("info", "same", job="chatty")
    stage.post("info", "same", job="chatty")

    assert kinds(stage) == ["00:00:00 message slack", "00:00:00 message slack"]


def test_a_key_makes_messages_of_one_day_the_same() -> None:
    stage = Stage(ROUTES)
    first = stage.post("info", "scan", key="scan-2026-11-23", job="chatty")
    stage.wait("2h")
    again = stage.post("info", "scan", key="scan-2026-11-23", job="chatty")
    stage.wait("23h")
    later = stage.post("info", "scan", key="scan-2026-11-23", job="chatty")

    assert first == again != later
    assert kinds(stage) == ["00:00:00 message slack", "25:00:00 message slack"]


def test_a_critical_message_is_a_page_until_it_is_acknowledged() -> None:
    stage = Stage(ROUTES)
    stage.post("critical", "the strategy stopped itself", job="momentum")
    stage.wait("16m")
    assert kinds(stage) == ["00:00:00 firing slack", "00:15:00 escalation pager"]

    stage.ack("Notification")
    stage.wait("5h")
    assert kinds(stage) == ["00:16:00 acknowledged slack,pager"]
    assert not stage.state.alerts
    assert not stage.state.groups


def test_messages_do_not_share_a_group() -> None:
    stage = Stage(ROUTES)
    stage.post("critical", "one")
    stage.post("critical", "two")
    stage.ack_number(min(stage.state.alerts))

    assert [alert.labels["title"] for alert in stage.firing()] == ["two"]
