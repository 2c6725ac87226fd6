"""What is posted to a webhook, and how it is signed."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import PermanentError
from services.alerter.messages import Kind, Message, Told
from tests.unit.services.alerter.channels.examples import MESSAGES, NOW_S, FakeAnswer, a_channel, a_message, answering


def payload(message: Message) -> Any:
    return a_channel("webhook").payload(message)  # type: ignore[attr-defined]


def test_the_whole_message_is_posted() -> None:
    told = Told(alert_id=3, labels={"alertname": "FeedSilent", "feed": "binance"}, started_s=NOW_S - 62)

    assert payload(a_message(items=("BTCUSDT is silent",), alerts=(told,), more_alerts=2)) == {
        "notification_id": 17,
        "kind": "firing",
        "tier": "critical",
        "title": "Feed binance is silent",
        "text": "No message for 62 s & the socket is open. Nothing of it is stored.",
        "facts": [
            {"name": "Since", "text": "Sun 12:00:00 UTC, for 62 s"},
            {"name": "Last good value", "text": "BTCUSDT 64,250.10 at 11:58:58 UTC"},
        ],
        "items": ["BTCUSDT is silent"],
        "links": [{"label": "Runbook", "url": "https://desk.example/runbooks/FeedSilent"}],
        "acknowledge_url": "https://desk.example/ack/17.abc?x=1&y=2",
        "hint": "Acknowledge on the server: make ack ID=3",
        "dedup_key": "FeedSilent/binance#3",
        "alerts": [
            {
                "alert_id": 3,
                "labels": {"alertname": "FeedSilent", "feed": "binance"},
                "started_s": NOW_S - 62,
                "ended_s": None,
            }
        ],
        "more_alerts": 2,
    }


def test_every_field_of_a_message_is_posted() -> None:
    assert set(payload(a_message())) == set(Message.__dataclass_fields__)


@given(MESSAGES)
def test_any_message_is_json(message: Message) -> None:
    assert json.loads(json.dumps(payload(message)))["notification_id"] == message.notification_id


def test_who_knows_the_secret_can_tell_that_the_body_is_ours() -> None:
    api = answering(FakeAnswer(200, b""))
    a_channel("webhook", api).send(a_message())

    _, _, headers, body = api.asked[0]
    digest = hmac.new(b"sIgNiNgSeCrEt", b"1772366400." + (body or b""), hashlib.sha256).hexdigest()
    assert headers["X-Nightdesk-Signature"] == f"t=1772366400,v1={digest}"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body or b"") == payload(a_message())


def test_the_same_notification_has_the_same_key_whenever_it_is_sent() -> None:
    api = answering(FakeAnswer(204, b""))
    channel = a_channel("webhook", api)
    channel.send(a_message())
    channel.send(a_message(kind=Kind.REPEAT))
    channel.send(a_message(notification_id=18))

    keys = [headers["Idempotency-Key"] for _, _, headers, _ in api.asked]
    assert keys == ["nightdesk-17", "nightdesk-17", "nightdesk-18"]


def test_a_redirect_is_a_refusal() -> None:
    with pytest.raises(PermanentError):
        a_channel("webhook", answering(FakeAnswer(308, b"", {"Location": "https://elsewhere"}))).send(a_message())
