"""What is posted to PagerDuty, and what its answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import LimitedError, PermanentError, TransientError
from services.alerter.channels.fitting import length
from services.alerter.messages import Kind, Message, Tier
from tests.unit.services.alerter.channels.examples import MESSAGES, FakeAnswer, FakeApi, a_channel, a_message, answering

TAKEN = FakeAnswer(202, b'{"status":"success","message":"Event processed","dedup_key":"k"}')


def payload(message: Message) -> Any:
    return a_channel("pagerduty").payload(message)  # type: ignore[attr-defined]


def events(api: FakeApi) -> list[Any]:
    return [json.loads(body or b"") for *_, body in api.asked]


def test_what_fires_triggers_with_all_that_is_known() -> None:
    assert payload(a_message(items=("BTCUSDT is silent",))) == {
        "routing_key": "rOuTiNgKeYsEcReT",
        "event_action": "trigger",
        "dedup_key": "FeedSilent/binance#3",
        "client": "Nightdesk",
        "links": [
            {"href": "https://desk.example/ack/17.abc?x=1&y=2", "text": "Acknowledge"},
            {"href": "https://desk.example/runbooks/FeedSilent", "text": "Runbook"},
        ],
        "payload": {
            "summary": "Feed binance is silent",
            "source": "nightdesk",
            "severity": "critical",
            "custom_details": {
                "Since": "Sun 12:00:00 UTC, for 62 s",
                "Last good value": "BTCUSDT 64,250.10 at 11:58:58 UTC",
                "How to acknowledge": "Acknowledge on the server: make ack ID=3",
                "Text": "No message for 62 s & the socket is open. Nothing of it is stored.",
                "List": ["BTCUSDT is silent"],
            },
        },
    }


@pytest.mark.parametrize(("kind", "action"), [(Kind.ACKNOWLEDGED, "acknowledge"), (Kind.RESOLVED, "resolve")])
def test_what_is_acknowledged_or_over_names_what_it_is_about(kind: Kind, action: str) -> None:
    assert payload(a_message(kind=kind)) == {
        "routing_key": "rOuTiNgKeYsEcReT",
        "event_action": action,
        "dedup_key": "FeedSilent/binance#3",
    }


@pytest.mark.parametrize("tier", Tier)
def test_a_jobs_message_is_an_event_of_its_own_severity(tier: Tier) -> None:
    event = payload(a_message(kind=Kind.MESSAGE, tier=tier))

    assert (event["event_action"], event["payload"]["severity"]) == ("trigger", tier.value)


def test_what_opens_nothing_is_not_taken() -> None:
    assert set(Kind) - a_channel("pagerduty").takes == {Kind.DIGEST, Kind.NOTICE}


def test_a_key_that_is_too_long_stays_one_of_its_own() -> None:
    keys = {payload(a_message(dedup_key="k" * 254 + end))["dedup_key"] for end in ("a", "bb", "bc")}

    assert len(keys) == 3
    assert {len(key) for key in keys} == {255}


def test_without_a_key_the_notification_is_its_own() -> None:
    assert payload(a_message(dedup_key=""))["dedup_key"] == "nightdesk-17"


@given(MESSAGES)
def test_any_message_keeps_within_pagerdutys_limits(message: Message) -> None:
    event = payload(message)

    assert 0 < len(event["dedup_key"]) <= 255
    if "payload" in event:
        assert 0 < length(event["payload"]["summary"]) <= 1024
    assert len(json.dumps(event).encode()) <= 512 * 1024


def test_202_means_taken() -> None:
    api = answering(TAKEN)

    assert a_channel("pagerduty", api).send(a_message()).status == 202
    assert api.asked[0][:2] == ("POST", "https://events.pagerduty.com/v2/enqueue")


def test_a_test_leaves_nothing_open() -> None:
    api = answering(TAKEN)
    a_channel("pagerduty", api).send(a_message(kind=Kind.TEST, tier=Tier.INFO))

    assert [(event["event_action"], event["dedup_key"]) for event in events(api)] == [
        ("trigger", "FeedSilent/binance#3"),
        ("resolve", "FeedSilent/binance#3"),
    ]


def test_a_test_that_could_not_be_resolved_is_tried_again() -> None:
    with pytest.raises(TransientError):
        a_channel("pagerduty", answering(TAKEN, FakeAnswer(500))).send(a_message(kind=Kind.TEST))


@pytest.mark.parametrize(
    ("status", "error"), [(400, PermanentError), (429, LimitedError), (500, TransientError), (503, TransientError)]
)
def test_400_is_for_good_and_429_and_5xx_are_tried_again(status: int, error: type[Exception]) -> None:
    body = b'{"status":"invalid event","errors":["Length of \'routing_key\' is incorrect"]}'

    with pytest.raises(error, match="Length of 'routing_key' is incorrect"):
        a_channel("pagerduty", answering(FakeAnswer(status, body))).send(a_message())
