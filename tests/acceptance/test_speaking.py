"""Without channels, from jobs, under silences, with each token; and no secret is ever said."""

import time
from typing import Any

import pytest
import requests

from tests.acceptance.scene import DUTY, POLICY, PUSHOVER, QUIET_S, SOON_S, Scene, everything
from tests.alerting.processes import POSTING, within
from tests.channel_server import reset, status

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def test_without_any_channel_the_same_is_told_in_the_log_and_over_http(scene: Scene) -> None:
    alerter = scene.begun(environ={})
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
    alerter = scene.begun()
    body: dict[str, Any] = {
        "level": "info",
        "title": "3 movers",
        "text": "NVDA +4 %",
        "fields": {"job": "scan"},
        "dedup_key": "scan-1",
    }

    first = alerter.post("/notifications", body, token=POSTING)
    assert alerter.post("/notifications", body, token=POSTING) == first
    (said,) = scene.told("/slack", 1)
    assert "3 movers" in said
    assert "NVDA +4 %" in said
    time.sleep(QUIET_S)
    assert len(scene.server.requests("/slack")) == 1


@pytest.mark.parametrize(
    ("method", "path", "token"),
    [
        ("POST", "/notifications", "control-token"),
        ("POST", "/notifications", ""),
        ("GET", "/alerts", ""),
        ("POST", "/silences", POSTING),
        ("POST", "/alerts/1/ack", POSTING),
        ("POST", "/silences", ""),
        ("POST", "/test", ""),
        ("GET", "/notifications", POSTING),
        ("GET", "/channels", ""),
    ],
)
def test_each_token_opens_only_its_own_doors(scene: Scene, method: str, path: str, token: str) -> None:
    alerter = scene.begun()
    answer = requests.request(
        method, f"{alerter.url}{path}", headers={"Authorization": f"Bearer {token}"}, json={}, timeout=5
    )

    assert answer.status_code == 401


def test_a_silence_holds_back_and_its_end_tells(scene: Scene) -> None:
    alerter = scene.begun()
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


def test_no_secret_is_in_the_log_the_metrics_or_any_answer(scene: Scene) -> None:
    secrets = everything(scene.server.url) | {"SLACK_WEBHOOK_URL": f"{scene.server.url}/slack/T00/B00/very-secret-path"}
    scene.server.script("/slack", status(403, b"go away"))
    scene.server.script("/pushover", status(500))
    scene.server.script("/pagerduty", reset())
    policy = POLICY.replace("channels: [slack]}", "channels: [slack, pager, duty, hook]}")
    alerter = scene.begun(policy, secrets)
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
