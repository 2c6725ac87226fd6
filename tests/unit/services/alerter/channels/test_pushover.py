"""What is posted to Pushover, whom it wakes, and what its answers and receipts mean."""

import json
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import LimitedError, PermanentError, Reason, Receipted, TransientError
from services.alerter.channels.fitting import length
from services.alerter.channels.pushover import priority_of
from services.alerter.messages import Kind, Message, Tier
from tests.unit.services.alerter.channels.examples import (
    MESSAGES,
    NOW_S,
    FakeAnswer,
    FakeApi,
    a_channel,
    a_message,
    answering,
)

TAKEN = FakeAnswer(200, b'{"status":1,"request":"q","receipt":"rAbC"}')


def payload(message: Message) -> Any:
    return a_channel("pushover").payload(message)  # type: ignore[attr-defined]


def receipted(*answers: FakeAnswer | Exception) -> tuple[Receipted, FakeApi]:
    api = answering(*answers)
    channel = a_channel("pushover", api)
    assert isinstance(channel, Receipted)
    return channel, api


def test_what_calls_somebody_is_an_emergency_with_the_link_that_ends_it() -> None:
    assert payload(a_message()) == {
        "token": "aPpToKeNsEcReT",
        "user": "uSeRkEySeCrEt",
        "title": "🔴 Feed binance is silent",
        "message": (
            "Since: Sun 12:00:00 UTC, for 62 s\n"
            "Last good value: BTCUSDT 64,250.10 at 11:58:58 UTC\n"
            "No message for 62 s & the socket is open. Nothing of it is stored.\n"
            "Runbook: https://desk.example/runbooks/FeedSilent"
        ),
        "priority": 2,
        "retry": 60,
        "expire": 10800,
        "url": "https://desk.example/ack/17.abc?x=1&y=2",
        "url_title": "Acknowledge",
    }


def test_without_a_link_the_message_says_how_to_acknowledge() -> None:
    shown = payload(a_message(acknowledge_url=None))

    assert "url" not in shown
    assert "Acknowledge on the server: make ack ID=3" in shown["message"]


def test_a_link_that_is_too_long_gives_way_to_the_hint() -> None:
    shown = payload(a_message(acknowledge_url="https://desk.example/" + "a" * 600))

    assert "url" not in shown
    assert "Acknowledge on the server: make ack ID=3" in shown["message"]


TABLE = """
              critical  warning  info
firing               2        0    -1
escalation           2        0    -1
repeat               2        0    -1
missed               0        0    -1
resolved             0       -1    -1
digest              -1       -1    -2
notice               1        0    -1
message              1        0    -1
test                 0        0     0
"""


def rows() -> list[tuple[Kind, Tier, int]]:
    head, *lines = TABLE.strip().splitlines()
    tiers = [Tier(name) for name in head.split()]
    return [
        (Kind(name), tier, int(priority))
        for name, *priorities in map(str.split, lines)
        for tier, priority in zip(tiers, priorities, strict=True)
    ]


@pytest.mark.parametrize(("kind", "tier", "priority"), rows())
def test_the_priority_is_how_urgent_it_is(kind: Kind, tier: Tier, priority: int) -> None:
    assert priority_of(a_message(kind=kind, tier=tier)) == priority


def test_the_table_has_every_kind_that_pushover_takes() -> None:
    assert {kind for kind, _, _ in rows()} == a_channel("pushover").takes


@given(MESSAGES)
def test_any_message_keeps_within_pushovers_limits(message: Message) -> None:
    shown = payload(message)

    assert 0 < length(shown["title"]) <= 250
    assert 0 < length(shown["message"]) <= 1024
    assert -2 <= shown["priority"] <= 2
    assert ("retry" in shown) == ("expire" in shown) == (shown["priority"] == 2)
    assert len(shown.get("url", "")) <= 512
    assert len(shown.get("url_title", "")) <= 100
    json.dumps(shown).encode()


def test_an_emergency_has_a_receipt_to_ask_about() -> None:
    channel, api = receipted(TAKEN)
    delivered = channel.send(a_message())  # type: ignore[attr-defined]

    assert (delivered.status, delivered.receipt) == (200, "rAbC")
    method, url, _, body = api.asked[0]
    assert (method, url) == ("POST", "https://api.pushover.net/1/messages.json")
    assert json.loads(body or b"")["token"] == "aPpToKeNsEcReT"


@pytest.mark.parametrize("body", [b"", b'{"status":0}', b"<html>"])
def test_200_without_status_1_is_tried_again(body: bytes) -> None:
    with pytest.raises(TransientError) as failed:
        a_channel("pushover", answering(FakeAnswer(200, body))).send(a_message())
    assert failed.value.reason is Reason.UNEXPECTED_ANSWER


def test_a_refusal_is_for_good_and_says_why() -> None:
    body = b'{"user":"invalid","errors":["user identifier is not a valid user"],"status":0}'

    with pytest.raises(PermanentError, match="user identifier is not a valid user"):
        a_channel("pushover", answering(FakeAnswer(400, body))).send(a_message())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Limit-App-Reset": str(int(NOW_S) + 90)}, 90.0),
        ({"X-Limit-App-Reset": str(int(NOW_S) + 20 * 86_400)}, 3600.0),
        ({"X-Limit-App-Reset": str(int(NOW_S) - 5)}, 0.0),
        ({"X-Limit-App-Reset": "soon"}, 30.0),
        ({}, 30.0),
    ],
)
def test_a_quota_that_is_used_up_is_waited_for_an_hour_at_most(headers: dict[str, str], seconds: float) -> None:
    with pytest.raises(LimitedError) as limited:
        a_channel("pushover", answering(FakeAnswer(429, b"", headers))).send(a_message())
    assert limited.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b'{"status":1,"acknowledged":0,"expired":0}', False),
        (200, b'{"status":1,"acknowledged":1,"expired":0}', True),
        (200, b'{"status":1,"acknowledged":1,"expired":1}', True),
        (200, b'{"status":1,"acknowledged":0,"expired":1}', None),
        (404, b'{"receipt":"not found","status":0}', None),
    ],
)
def test_a_receipt_says_whether_somebody_acknowledged(status: int, body: bytes, said: bool | None) -> None:
    channel, api = receipted(FakeAnswer(status, body))

    assert channel.is_acknowledged("rAbC") is said
    assert api.asked == [("GET", "https://api.pushover.net/1/receipts/rAbC.json?token=aPpToKeNsEcReT", {}, None)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [(FakeAnswer(400), PermanentError), (FakeAnswer(500), TransientError), (FakeAnswer(429), LimitedError)],
)
def test_a_receipt_that_cannot_be_asked_about_is_an_error(answer: FakeAnswer, error: type[Exception]) -> None:
    channel, _ = receipted(answer)

    with pytest.raises(error):
        channel.is_acknowledged("rAbC")


def test_a_receipt_is_no_way_to_another_address() -> None:
    channel, api = receipted(FakeAnswer(404))
    channel.is_acknowledged("../x?y")

    assert api.asked[0][1].startswith("https://api.pushover.net/1/receipts/..%2Fx%3Fy.json?")


def test_an_emergency_is_cancelled_by_its_receipt() -> None:
    channel, api = receipted(FakeAnswer(200, b'{"status":1}'))
    channel.cancel("rAbC")

    method, url, _, body = api.asked[0]
    assert (method, url) == ("POST", "https://api.pushover.net/1/receipts/rAbC/cancel.json")
    assert json.loads(body or b"") == {"token": "aPpToKeNsEcReT"}
