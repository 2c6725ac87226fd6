"""The alerter is away for a while: what it missed is told, what was told is not told again."""

import time

import pytest

from tests.acceptance.scene import POLICY, PUSHED, QUIET_S, SOON_S, Scene, everything, has_delivered
from tests.alerting.processes import within
from tests.channel_server import OK, hang

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def test_what_fired_and_ended_while_it_was_away_is_told_when_it_is_back(scene: Scene) -> None:
    alerter = scene.begun()
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
    (said,) = scene.told("/slack", 1)
    assert "Came and went" in said
    assert "binance: FeedSilent" in said
    has_delivered(alerter, 1)
    alerter.kill()
    alerter.begin()
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


def test_what_still_fires_after_it_was_away_is_told_once(scene: Scene) -> None:
    alerter = scene.begun()
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
    alerter = scene.begun(policy, everything(scene.server.url))
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
    alerter = scene.begun()
    scene.exporter.set("disk_low", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    alerter.kill()
    alerter.begin()

    scene.server.wait_for(2, SOON_S, "/slack")
    assert alerter.metric("nightdesk_deliveries_repeated_total", channel="slack") == 1


def test_it_stops_in_good_order_and_finishes_what_is_under_way(scene: Scene) -> None:
    scene.server.script("/slack", hang(2), OK)
    alerter = scene.begun()
    scene.exporter.set("disk_low", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")

    alerter.stop()
    assert '"event": "alerter.stopped"' in alerter.text()
    alerter.begin()
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1
