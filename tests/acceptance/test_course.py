"""An alert from its beginning to its end, seen from outside: a real Prometheus fires, the real process decides."""

import re
import time

import pytest
import requests

from tests.acceptance.scene import POLICY, PUSHED, QUIET_S, SOON_S, Scene, everything, words
from tests.alerting.processes import within
from tests.channel_server import ok, status

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def test_what_broke_since_when_and_what_it_means_is_told_once_and_its_end_once(scene: Scene) -> None:
    alerter = scene.begun()
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
    assert "Over after" in scene.told("/slack", 2)[1]
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 2


def test_nobody_acknowledges_so_the_next_channel_is_called_again_and_again(scene: Scene) -> None:
    scene.server.script("/pushover", PUSHED)
    scene.begun(environ=everything(scene.server.url))
    scene.exporter.set("feed_silent", feed="binance")

    (first,) = scene.server.wait_for(1, SOON_S, "/slack")
    pushed = scene.server.wait_for(3, 15, "/pushover/1/messages.json")
    assert pushed[0].monotonic_s - first.monotonic_s >= 2.5
    assert pushed[1].monotonic_s - pushed[0].monotonic_s >= 1.5
    assert [one.json["priority"] for one in pushed[:3]] == [2, 2, 2]


def test_what_is_acknowledged_over_http_is_called_no_more(scene: Scene) -> None:
    scene.server.script("/pushover", PUSHED)
    alerter = scene.begun(environ=everything(scene.server.url))
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
    alerter = scene.begun(environ=environ)
    scene.exporter.set("feed_silent", feed="binance")
    (said,) = scene.told("/slack", 1)
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
    alerter = scene.begun(policy.replace("repeat: 2s", "repeat: 1h"), everything(scene.server.url))
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
    alerter = scene.begun(policy, everything(scene.server.url))
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
