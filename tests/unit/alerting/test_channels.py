"""What the unreliable channels took is what arrived whole and was answered with success, and says what was told."""

import json
import socket

import pytest
import requests

from nightdesk.outbound import Answer
from services.alerter.channels.webhook import WebhookChannel, WebhookOptions
from services.alerter.messages import Kind, Message, Tier, Told
from tests.alerting.account import Arrival, Telling
from tests.alerting.channels import HOOK, PAGER, Channels, arrival_of
from tests.channel_server import Received, hang, limited, ok, status


def post(channels: Channels, body: bytes) -> int:
    return requests.post(channels.environ()["WEBHOOK_URL"], data=body, timeout=10).status_code


def test_what_was_refused_was_not_taken_and_what_was_answered_late_was() -> None:
    with Channels({HOOK: [ok(), status(500), limited(1), hang(0.1)]}) as channels:
        assert [post(channels, body) for body in (b"a", b"b", b"c", b"d")] == [200, 500, 429, 200]

        assert [one.body for one in channels.taken(HOOK)] == [b"a", b"d"]


def test_what_broke_off_was_not_taken() -> None:
    with Channels({HOOK: [ok(), ok()]}) as channels:
        host, _, port = channels.environ()["WEBHOOK_URL"].removeprefix("http://").partition("/")[0].partition(":")
        with socket.create_connection((host, int(port))) as broken:
            broken.sendall(b"POST /hook HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        post(channels, b"whole")

        assert [one.body for one in channels.taken(HOOK)] == [b"whole"]


def test_a_request_that_is_held_is_waited_for() -> None:
    with Channels({PAGER: [hang(0.3)]}) as channels:
        with pytest.raises(requests.Timeout):
            requests.post(channels.environ()["PAGER_URL"], data=b"a", timeout=0.1)

        assert [one.body for one in channels.taken(PAGER)] == [b"a"]


def test_a_webhook_says_what_was_told() -> None:
    message = Message(
        notification_id=7,
        kind=Kind.FIRING,
        tier=Tier.CRITICAL,
        title="two",
        alerts=(
            Told(alert_id=3, labels={"alertname": "A"}, started_s=1.0),
            Told(alert_id=2, labels={"alertname": "B"}, started_s=1.0, ended_s=2.0),
        ),
    )
    options = WebhookOptions.model_validate({"kind": "webhook"})
    channel = WebhookChannel(options, {"url": "http://127.0.0.1/hook", "secret": "s"}, never, lambda: 0.0)
    body = json.dumps(channel.payload(message)).encode()
    received = Received(monotonic_s=0.0, wall_s=5.0, method="POST", path=HOOK, headers={}, body=body)

    assert arrival_of(received) == Arrival(
        notification_id=7,
        kind="firing",
        at_s=5.0,
        told=(
            Telling(alert_id=3, labels=frozenset({("alertname", "A")}), started_s=1.0),
            Telling(alert_id=2, labels=frozenset({("alertname", "B")}), started_s=1.0, ended_s=2.0),
        ),
    )


def never(*_arguments: object) -> Answer:
    raise AssertionError("nothing is sent")
