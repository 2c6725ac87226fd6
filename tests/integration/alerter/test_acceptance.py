"""The alerter from outside: a real Prometheus fires, the real process decides, scripted servers take what arrives."""

import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from tests.alerting.processes import POSTING, Alerter, within
from tests.channel_server import OK, Received, Reply, hang, limited, ok, reset, status
from tests.integration.alerter.conftest import DUTY, POLICY, PUSHOVER, Scene

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

SOON_S = 10.0
"""Scrape, evaluation, poll and delivery take a second or so here; the rest is for a machine that is busy."""

QUIET_S = 2.5
"""How long nothing more may come."""

PUSHED = ok(b'{"status":1,"request":"r","receipt":"receipt1"}')


def everything(server_url: str) -> dict[str, str]:
    return {
        "SLACK_WEBHOOK_URL": f"{server_url}/slack",
        "WEBHOOK_URL": f"{server_url}/hook",
        "WEBHOOK_SECRET": "secret-of-the-hook",
        **PUSHOVER,
        **DUTY,
    }


def words(received: Received) -> str:
    return received.body.decode()


def told(scene: Scene, prefix: str, count: int, within_s: float = SOON_S) -> list[str]:
    return [words(one) for one in scene.server.wait_for(count, within_s, prefix)]


def has_delivered(alerter: Alerter, count: int) -> None:
    """Wait until so many deliveries are known to have arrived: killed before that, they are made again."""
    within(
        SOON_S, lambda: alerter.metric("nightdesk_delivery_attempts_total", outcome="delivered") >= count, "delivered"
    )


# --- one alert from its beginning to its end ---


def test_what_broke_since_when_and_what_it_means_is_told_once_and_its_end_once(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    fired_s = scene.exporter.set("feed_silent", feed="binance")

    (first,) = scene.server.wait_for(1, SOON_S, "/slack")
    said = words(first)
    assert first.wall_s - fired_s < SOON_S
    for part in (
        "binance: FeedSilent",
        "What FeedSilent means.",
        "BTCUSDT at 50000",
        "Since",
        "make ack ID=1",
        "docs/runbooks/FeedSilent.md",
    ):
        assert part in said

    alerter.post("/alerts/1/ack", {"by": "test"})
    scene.exporter.drop("feed_silent", feed="binance")
    assert "Over after" in told(scene, "/slack", 2)[1]
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 2


def test_nobody_acknowledges_so_the_next_channel_is_called_again_and_again(scene: Scene) -> None:
    scene.server.script("/pushover", PUSHED)
    alerter = scene.new_alerter(environ=everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")

    (first,) = scene.server.wait_for(1, SOON_S, "/slack")
    pushed = scene.server.wait_for(3, 15, "/pushover/1/messages.json")
    assert pushed[0].monotonic_s - first.monotonic_s >= 2.5
    assert pushed[1].monotonic_s - pushed[0].monotonic_s >= 1.5
    assert [one.json["priority"] for one in pushed[:3]] == [2, 2, 2]


def test_what_is_acknowledged_over_http_is_called_no_more(scene: Scene) -> None:
    scene.server.script("/pushover", PUSHED)
    alerter = scene.new_alerter(environ=everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    (number,) = (one["alert_id"] for one in alerter.get("/alerts?firing=true")["alerts"])

    assert alerter.post(f"/alerts/{number}/ack", {"by": "me", "note": "on it"}) == {"alerts": [number]}
    time.sleep(5)
    assert scene.server.requests("/pushover") == []
    shown = alerter.get(f"/alerts/{number}")
    assert (shown["state"], shown["acknowledged_by"], shown["note"]) == ("acknowledged", "me", "on it")


def test_an_acknowledge_link_works_without_a_login_and_its_page_alone_does_nothing(scene: Scene) -> None:
    environ = {"SLACK_WEBHOOK_URL": f"{scene.server.url}/slack", "PUBLIC_URL": "https://desk.example.com"}
    alerter = scene.new_alerter(environ=environ)
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    (said,) = told(scene, "/slack", 1)
    (token,) = set(re.findall(r"https://desk\.example\.com/ack/([0-9a-f-]+)", said))

    about = requests.get(f"{alerter.url}/ack/{token}", timeout=5).json()
    assert about["open"] is True
    assert about["alerts"][0]["state"] == "firing"
    assert requests.post(f"{alerter.url}/ack/{token}", timeout=5).json() == {"alerts": [1]}
    assert requests.get(f"{alerter.url}/ack/{token}", timeout=5).json()["open"] is False
    assert requests.post(f"{alerter.url}/ack/{token[:-1]}0", timeout=5).status_code == 404


def test_a_message_that_is_acknowledged_on_the_phone_is_acknowledged(scene: Scene) -> None:
    scene.server.script("/pushover/1/messages.json", PUSHED)
    scene.server.script("/pushover/1/receipts/receipt1.json", ok(b'{"status":1,"acknowledged":1,"expired":0}'))
    policy = POLICY.replace("{channels: [slack]}", "{channels: [pager]}").replace(
        "    - {after: 3s, channels: [pager]}\n", ""
    )
    alerter = scene.new_alerter(policy.replace("repeat: 2s", "repeat: 1h"), everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/pushover/1/messages.json")

    alert = within(20, lambda: next(iter(alerter.get("/alerts")["alerts"]), None), "there is an alert")
    within(20, lambda: alerter.get(f"/alerts/{alert['alert_id']}")["state"] == "acknowledged", "it is acknowledged")
    assert alerter.get(f"/alerts/{alert['alert_id']}")["acknowledged_by"] == "pager"


def test_a_message_that_is_acknowledged_elsewhere_rings_no_longer(scene: Scene) -> None:
    scene.server.script("/pushover/1/messages.json", PUSHED)
    policy = POLICY.replace("{channels: [slack]}", "{channels: [pager]}").replace(
        "    - {after: 3s, channels: [pager]}\n", ""
    )
    alerter = scene.new_alerter(policy, everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/pushover/1/messages.json")
    alerter.post("/alerts/1/ack")

    scene.server.wait_for(1, 20, "/pushover/1/receipts/receipt1/cancel.json")


def test_an_incident_is_triggered_acknowledged_and_resolved_under_one_key(scene: Scene) -> None:
    policy = POLICY.replace("{channels: [slack]}", "{channels: [duty]}")
    alerter = scene.new_alerter(policy, everything(scene.server.url))
    scene.server.script("/pagerduty", status(202, b'{"status":"success"}'))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/pagerduty")
    alerter.post("/alerts/1/ack")
    scene.server.wait_for(2, SOON_S, "/pagerduty")
    scene.exporter.drop("feed_silent", feed="binance")

    events = [one.json for one in scene.server.wait_for(3, SOON_S, "/pagerduty")]
    assert [one["event_action"] for one in events] == ["trigger", "acknowledge", "resolve"]
    assert len({one["dedup_key"] for one in events}) == 1


# --- what channels answer ---

TRANSIENT: Mapping[str, Reply] = {
    "status 500": status(500),
    "status 503": status(503),
    "not ok": ok(b"no_team"),
    "reset": reset(),
    "hang": hang(20),
}
PERMANENT: Mapping[str, Reply] = {
    "status 400": status(400, b"invalid_payload"),
    "status 403": status(403),
    "status 404": status(404, b"no_service"),
    "status 410": status(410),
}


@pytest.mark.parametrize("answer", [name for name in TRANSIENT if name != "hang"])
def test_what_fails_for_now_is_sent_again_until_it_arrives(scene: Scene, answer: str) -> None:
    scene.server.script("/slack", TRANSIENT[answer], TRANSIENT[answer], OK)
    alerter = scene.new_alerter()
    alerter.begin()
    scene.exporter.set("disk_low", feed="binance")

    scene.server.wait_for(3, 30, "/slack")
    within(SOON_S, lambda: alerter.metric("nightdesk_delivery_attempts_total", outcome="delivered") == 1, "delivered")
    assert alerter.metric("nightdesk_delivery_attempts_total", outcome="transient") == 2
    (notification,) = alerter.get("/notifications")["notifications"]
    (delivery,) = notification["deliveries"]
    assert [one["outcome"] for one in delivery["attempts"]] == ["transient", "transient", "delivered"]


@pytest.mark.parametrize("answer", PERMANENT)
def test_a_channel_that_fails_for_good_is_left_alone_reported_and_the_next_one_taken(scene: Scene, answer: str) -> None:
    scene.server.script("/slack", PERMANENT[answer])
    scene.server.script("/pushover", PUSHED)
    alerter = scene.new_alerter(POLICY.replace("after: 3s", "after: 1h"), everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")

    pushed = [one.json["title"] for one in scene.server.wait_for(2, 15, "/pushover/1/messages.json")]
    assert any("binance: FeedSilent" in title for title in pushed)
    assert any("slack does not deliver" in title for title in pushed)
    assert len(scene.server.requests("/slack")) == 1
    assert alerter.health()["channels"]["status"] == "degraded"
    assert alerter.metric("nightdesk_channel_enabled", channel="slack") == 0
    assert {one["channel"]: one["state"] for one in alerter.get("/channels")["channels"]}["slack"] == "resting"


def test_a_channel_that_failed_for_good_is_used_again_once_a_test_gets_through(scene: Scene) -> None:
    scene.server.script("/slack", status(404), OK)
    alerter = scene.new_alerter()
    alerter.begin()
    scene.exporter.set("disk_low", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    within(SOON_S, lambda: alerter.health()["channels"]["status"] == "down", "the channel is left alone")

    answered = {one["channel"]: one["outcome"] for one in alerter.post("/test")["channels"]}
    assert answered == {
        "slack": "delivered",
        "pager": "not_configured",
        "duty": "not_configured",
        "hook": "not_configured",
    }
    assert alerter.health()["channels"]["status"] == "ok"
    assert "binance: DiskLow" in told(scene, "/slack", 3)[2]


def test_a_pause_that_a_channel_asks_for_is_kept_and_holds_up_no_other(scene: Scene) -> None:
    scene.server.script("/slack", limited(4), OK)
    policy = POLICY.replace("{channels: [slack]}", "{channels: [slack, hook]}")
    alerter = scene.new_alerter(
        policy.replace("failover_after: 2s", "failover_after: 1m"), everything(scene.server.url)
    )
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")

    first, second = scene.server.wait_for(2, 20, "/slack")[:2]
    (hooked,) = scene.server.wait_for(1, SOON_S, "/hook")[:1]
    assert second.monotonic_s - first.monotonic_s >= 4.0
    assert hooked.monotonic_s < second.monotonic_s
    assert alerter.metric("nightdesk_delivery_failures_total", channel="slack", reason="rate_limited") == 1


def test_a_channel_that_hangs_holds_up_no_other_and_the_next_one_is_taken(scene: Scene) -> None:
    scene.server.script("/slack", hang(40))
    scene.server.script("/pushover", PUSHED)
    policy = POLICY.replace("after: 3s", "after: 1h").replace("repeat: 2s", "repeat: 1h")
    alerter = scene.new_alerter(policy, everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    alerter.post("/notifications", {"level": "critical", "title": "meanwhile"}, token=POSTING)

    titles = [one.json["title"] for one in scene.server.wait_for(1, 40, "/pushover/1/messages.json")]
    assert any("FeedSilent" in title for title in titles)
    assert alerter.health()["watch"]["status"] == "ok"


def test_about_one_alert_a_channel_is_told_in_order_however_often_it_fails(scene: Scene) -> None:
    scene.server.script("/hook", status(500), status(500), status(500), ok(b""))
    policy = POLICY.replace("{channels: [slack]}", "{channels: [hook]}").replace(
        "failover_after: 2s", "failover_after: 1h"
    )
    alerter = scene.new_alerter(policy, everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/hook")
    alerter.post("/alerts/1/ack")
    scene.exporter.drop("feed_silent", feed="binance")
    scene.exporter.set("symbol_silent", feed="coinbase")

    def kinds() -> list[str]:
        return [one.json["kind"] for one in scene.server.requests("/hook") if "binance" in one.json["title"]]

    within(60, lambda: "resolved" in kinds(), "its end arrives")
    delivered = kinds()
    assert delivered.index("resolved") == len(delivered) - 1
    assert set(delivered[:-1]) == {"firing"}


def test_a_storm_becomes_a_few_messages_and_no_channel_is_hammered(scene: Scene) -> None:
    alerter = scene.new_alerter(POLICY.replace("repeat: 2s", "repeat: 1h").replace("after: 3s", "after: 1h"))
    alerter.begin()
    scene.exporter.replace({f'feed_silent{{feed="feed{number}"}}': 1.0 for number in range(300)})

    within(20, lambda: len(alerter.get("/alerts?firing=true&limit=500")["alerts"]) == 300, "all of them fire")
    scene.server.wait_for(5, 30, "/slack")
    time.sleep(QUIET_S)
    said = [words(one) for one in scene.server.requests("/slack")]
    assert len(said) <= 10
    assert sum(int(count) for one in said for count in re.findall(r"FeedSilent: ([0-9]+) at once", one)[:1]) >= 290


# --- Prometheus ---


def test_a_prometheus_that_does_not_answer_is_an_alert_itself(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    scene.prometheus.kill()
    try:
        assert "Prometheus does not answer" in told(scene, "/slack", 1)[0]
        assert alerter.health()["watch"]["status"] == "down"
    finally:
        scene.prometheus.begin()
    within(
        20,
        lambda: any("Over after" in one and "Prometheus" in one for one in map(words, scene.server.requests("/slack"))),
        "its end is told",
    )


def test_an_alerter_that_finds_no_prometheus_at_its_start_says_so(scene: Scene) -> None:
    scene.prometheus.kill()
    try:
        alerter = scene.new_alerter()
        alerter.start()
        assert "Prometheus does not answer" in told(scene, "/slack", 1, within_s=20)[0]
    finally:
        scene.prometheus.begin()


def test_a_watchdog_that_does_not_fire_is_an_alert_itself(scene: Scene) -> None:
    alerter = scene.new_alerter(POLICY.replace("watch: {", "watch: {watchdog: NoSuchRule, "))
    alerter.start()

    assert "watchdog does not fire" in told(scene, "/slack", 1, within_s=20)[0]


def test_a_restarted_prometheus_ends_no_alert_and_tells_none_again(scene: Scene) -> None:
    alerter = scene.new_alerter(
        POLICY.replace("resolve_after: 1s", "resolve_after: 5s")
        .replace("unreachable_after: 2s", "unreachable_after: 30s")
        .replace("repeat: 2s", "repeat: 1h")
    )
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    scene.prometheus.kill()
    scene.prometheus.begin()
    within(10, lambda: "FeedSilent" in scene.prometheus.firing(), "it fires again")
    time.sleep(6)

    assert len(scene.server.requests("/slack")) == 1
    assert [one["alert_id"] for one in alerter.get("/alerts")["alerts"]] == [1]


# --- being away ---


def test_what_fired_and_ended_while_it_was_away_is_told_when_it_is_back(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    within(5, lambda: alerter.metric("nightdesk_watch_last_good_timestamp_seconds") > 0, "it has watched")
    alerter.kill()
    scene.exporter.set("feed_silent", feed="binance")
    within(10, lambda: "FeedSilent" in scene.prometheus.firing(), "it fires")
    time.sleep(1)
    scene.exporter.drop("feed_silent", feed="binance")
    within(10, lambda: "FeedSilent" not in scene.prometheus.firing(), "it is over")
    time.sleep(14)
    assert scene.server.requests("/slack") == []

    alerter.begin()
    (said,) = told(scene, "/slack", 1)
    assert "Came and went" in said
    assert "binance: FeedSilent" in said
    has_delivered(alerter, 1)
    alerter.kill()
    alerter.begin()
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


def test_what_still_fires_after_it_was_away_is_told_once(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    alerter.kill()
    scene.exporter.set("disk_low", feed="binance")
    within(10, lambda: "DiskLow" in scene.prometheus.firing(), "it fires")
    alerter.begin()

    scene.server.wait_for(1, SOON_S, "/slack")
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


def test_timers_go_on_over_a_restart_and_nothing_is_told_again(scene: Scene) -> None:
    scene.server.script("/pushover", PUSHED)
    policy = POLICY.replace("after: 3s", "after: 8s").replace("repeat: 2s", "repeat: 1h")
    alerter = scene.new_alerter(policy, everything(scene.server.url))
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    (first,) = scene.server.wait_for(1, SOON_S, "/slack")
    has_delivered(alerter, 1)
    alerter.kill()
    alerter.begin()

    (pushed,) = scene.server.wait_for(1, 20, "/pushover/1/messages.json")
    assert pushed.monotonic_s - first.monotonic_s >= 7.0
    assert len(scene.server.requests("/slack")) == 1


def test_a_message_under_way_when_it_is_killed_is_sent_again_and_counted(scene: Scene) -> None:
    scene.server.script("/slack", hang(30), OK)
    alerter = scene.new_alerter()
    alerter.begin()
    scene.exporter.set("disk_low", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    alerter.kill()
    alerter.begin()

    scene.server.wait_for(2, SOON_S, "/slack")
    assert alerter.metric("nightdesk_deliveries_repeated_total", channel="slack") == 1


def test_it_stops_in_good_order_and_finishes_what_is_under_way(scene: Scene) -> None:
    scene.server.script("/slack", hang(2), OK)
    alerter = scene.new_alerter()
    alerter.begin()
    scene.exporter.set("disk_low", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")

    alerter.stop()
    assert '"event": "alerter.stopped"' in alerter.text()
    alerter.begin()
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


# --- without channels, and what jobs say ---


def test_without_any_channel_the_same_is_told_in_the_log_and_over_http(scene: Scene) -> None:
    alerter = scene.new_alerter(environ={})
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")

    shown = within(SOON_S, lambda: alerter.get("/notifications")["notifications"], "there is a notification")
    assert shown[-1]["title"] == "binance: FeedSilent"
    assert shown[-1]["deliveries"] == []
    assert '"event": "notification.created"' in alerter.text()
    assert '"title": "binance: FeedSilent"' in alerter.text()
    channels = alerter.health()["channels"]
    assert channels["status"] == "ok"
    assert "nobody would be woken" in channels["detail"]


def test_a_job_says_something_and_says_it_again_without_harm(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    body: dict[str, Any] = {
        "level": "info",
        "title": "3 movers",
        "text": "NVDA +4 %",
        "fields": {"job": "scan"},
        "dedup_key": "scan-1",
    }

    first = alerter.post("/notifications", body, token=POSTING)
    assert alerter.post("/notifications", body, token=POSTING) == first
    (said,) = told(scene, "/slack", 1)
    assert "3 movers" in said
    assert "NVDA +4 %" in said
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("POST", "/notifications", "control-token"),
        ("POST", "/notifications", ""),
        ("GET", "/alerts", POSTING),
        ("POST", "/alerts/1/ack", POSTING),
        ("POST", "/silences", ""),
        ("POST", "/test", POSTING),
        ("GET", "/notifications", POSTING),
        ("GET", "/channels", ""),
    ],
)
def test_each_token_opens_only_its_own_doors(scene: Scene, method: str, path: str, token: str) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    answer = requests.request(
        method, f"{alerter.url}{path}", headers={"Authorization": f"Bearer {token}"}, json={}, timeout=5
    )

    assert answer.status_code == 401


def test_a_silence_holds_back_and_its_end_tells(scene: Scene) -> None:
    alerter = scene.new_alerter()
    alerter.begin()
    made = alerter.post("/silences", {"match": {"alertname": "FeedSilent"}, "seconds": 3600, "reason": "maintenance"})
    scene.exporter.set("feed_silent", feed="binance")
    within(SOON_S, lambda: alerter.get("/alerts?firing=true")["alerts"], "it is known")
    time.sleep(QUIET_S)
    assert scene.server.requests("/slack") == []
    assert alerter.get("/alerts")["alerts"][0]["hidden"] is True

    requests.delete(
        f"{alerter.url}/silences/{made['silence_id']}", headers={"Authorization": "Bearer control-token"}, timeout=5
    )
    scene.server.wait_for(1, SOON_S, "/slack")


# --- secrets ---


def test_no_secret_is_in_the_log_the_metrics_or_any_answer(scene: Scene) -> None:
    secrets = everything(scene.server.url) | {"SLACK_WEBHOOK_URL": f"{scene.server.url}/slack/T00/B00/very-secret-path"}
    scene.server.script("/slack", status(403, b"go away"))
    scene.server.script("/pushover", status(500))
    scene.server.script("/pagerduty", reset())
    policy = POLICY.replace("channels: [slack]}", "channels: [slack, pager, duty, hook]}")
    alerter = scene.new_alerter(policy, secrets)
    alerter.begin()
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(2, 15, "/pagerduty")
    alerter.post("/test")

    seen = alerter.text() + requests.get(f"{alerter.url}/metrics", timeout=5).text
    seen += "".join(str(alerter.get(path)) for path in ("/alerts", "/notifications", "/channels", "/alerts/1"))
    seen += str(alerter.health())
    for secret in (
        "very-secret-path",
        "control-token",
        POSTING,
        *PUSHOVER.values(),
        *DUTY.values(),
        "secret-of-the-hook",
    ):
        assert secret not in seen
