"""What channels answer: refusals, failures, pauses, silence; nothing is lost and nobody is hammered."""

import re
import time
from collections.abc import Mapping

import pytest

from tests.acceptance.scene import POLICY, PUSHED, QUIET_S, SOON_S, Scene, everything, words
from tests.alerting.processes import POSTING, within
from tests.channel_server import OK, Reply, hang, limited, ok, reset, status

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


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
    alerter = scene.begun()
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
    alerter = scene.begun(POLICY.replace("after: 3s", "after: 1h"), everything(scene.server.url))
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
    alerter = scene.begun()
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
    assert "binance: DiskLow" in scene.told("/slack", 3)[2]


def test_a_pause_that_a_channel_asks_for_is_kept_and_holds_up_no_other(scene: Scene) -> None:
    scene.server.script("/slack", limited(4), OK)
    policy = POLICY.replace("{channels: [slack]}", "{channels: [slack, hook]}")
    alerter = scene.begun(policy.replace("failover_after: 2s", "failover_after: 1m"), everything(scene.server.url))
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
    alerter = scene.begun(policy, everything(scene.server.url))
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
    alerter = scene.begun(policy, everything(scene.server.url))
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
    alerter = scene.begun(POLICY.replace("repeat: 2s", "repeat: 1h").replace("after: 3s", "after: 1h"))
    scene.exporter.replace({f'feed_silent{{feed="feed{number}"}}': 1.0 for number in range(300)})

    within(20, lambda: len(alerter.get("/alerts?firing=true&limit=500")["alerts"]) == 300, "all of them fire")
    scene.server.wait_for(5, 30, "/slack")
    time.sleep(QUIET_S)
    said = [words(one) for one in scene.server.requests("/slack")]
    assert len(said) <= 10
    assert sum(int(count) for one in said for count in re.findall(r"FeedSilent: ([0-9]+) at once", one)[:1]) >= 290
