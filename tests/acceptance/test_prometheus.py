"""A Prometheus that is away, restarts or does not evaluate is an alert, and neither ends nor repeats one."""

import time

import pytest

from tests.acceptance.scene import POLICY, SOON_S, Scene, words
from tests.alerting.processes import within

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def test_a_prometheus_that_does_not_answer_is_an_alert_itself(scene: Scene) -> None:
    alerter = scene.begun()
    scene.prometheus.kill()
    try:
        assert "Prometheus does not answer" in scene.told("/slack", 1)[0]
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
        assert "Prometheus does not answer" in scene.told("/slack", 1, within_s=20)[0]
    finally:
        scene.prometheus.begin()


def test_a_watchdog_that_does_not_fire_is_an_alert_itself(scene: Scene) -> None:
    alerter = scene.new_alerter(POLICY.replace("watch: {", "watch: {watchdog: NoSuchRule, "))
    alerter.start()

    assert "watchdog does not fire" in scene.told("/slack", 1, within_s=20)[0]


def test_a_restarted_prometheus_ends_no_alert_and_tells_none_again(scene: Scene) -> None:
    alerter = scene.begun(
        POLICY.replace("resolve_after: 1s", "resolve_after: 5s")
        .replace("unreachable_after: 2s", "unreachable_after: 30s")
        .replace("repeat: 2s", "repeat: 1h")
    )
    scene.exporter.set("feed_silent", feed="binance")
    scene.server.wait_for(1, SOON_S, "/slack")
    scene.prometheus.kill()
    scene.prometheus.begin()
    within(10, lambda: "FeedSilent" in scene.prometheus.firing(), "it fires again")
    time.sleep(6)

    assert len(scene.server.requests("/slack")) == 1
    assert [one["alert_id"] for one in alerter.get("/alerts")["alerts"]] == [1]
