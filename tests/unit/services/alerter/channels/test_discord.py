"""What is posted to Discord, and what its answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import LimitedError, PermanentError, Reason
from services.alerter.channels.fitting import length
from services.alerter.messages import Kind, Message
from tests.unit.services.alerter.channels.examples import MESSAGES, FakeAnswer, a_channel, a_message, answering


def payload(message: Message) -> Any:
    return a_channel("discord").payload(message)  # type: ignore[attr-defined]


def test_a_message_is_a_headline_and_a_card_of_its_tiers_colour() -> None:
    assert payload(a_message(items=("BTCUSDT is silent",))) == {
        "content": "🔴 **Feed binance is silent**",
        "embeds": [
            {
                "color": 0xD32F2F,
                "description": (
                    "**Since** Sun 12:00:00 UTC, for 62 s\n"
                    "**Last good value** BTCUSDT 64,250.10 at 11:58:58 UTC\n"
                    "[Acknowledge](https://desk.example/ack/17.abc?x=1&y=2)\n"
                    "No message for 62 s & the socket is open. Nothing of it is stored.\n"
                    "• BTCUSDT is silent\n"
                    "[Runbook](https://desk.example/runbooks/FeedSilent)"
                ),
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_what_looks_like_markup_is_shown_as_it_is() -> None:
    shown = payload(a_message(title="a *b* [c](d) <@1> `e` BTC_USDT"))

    assert shown["content"] == r"🔴 **a \*b\* \[c\](d) \<@1\> \`e\` BTC_USDT**"


def test_what_is_over_is_green() -> None:
    assert payload(a_message(kind=Kind.RESOLVED))["embeds"][0]["color"] == 0x2E7D32


def test_a_title_alone_needs_no_card() -> None:
    bare = a_message(text="", facts=(), links=(), acknowledge_url=None, hint="")

    assert payload(bare)["embeds"] == []


@given(MESSAGES)
def test_any_message_keeps_within_discords_limits(message: Message) -> None:
    shown = payload(message)

    assert 0 < length(shown["content"]) <= 2000
    assert all(0 < length(embed["description"]) <= 4096 for embed in shown["embeds"])
    json.dumps(shown).encode()


def test_discord_takes_a_message_with_204() -> None:
    assert a_channel("discord", answering(FakeAnswer(204, b""))).send(a_message()).status == 204


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"X-RateLimit-Reset-After": "1.5"}, b"", 1.5),
        ({}, b'{"message":"You are being rate limited.","retry_after":64.57,"global":false}', 64.57),
        ({"Retry-After": "65", "X-RateLimit-Reset-After": "64.57"}, b'{"retry_after":64.57}', 65.0),
        ({}, b"", 30.0),
        ({"Retry-After": "Sun, 01 Mar 2026 12:01:30 GMT"}, b"", 90.0),
    ],
)
def test_a_limit_is_the_longest_that_discord_names(headers: dict[str, str], body: bytes, seconds: float) -> None:
    with pytest.raises(LimitedError) as limited:
        a_channel("discord", answering(FakeAnswer(429, body, headers))).send(a_message())
    assert limited.value.retry_after_s == seconds


def test_a_webhook_that_was_removed_is_not_found() -> None:
    gone = FakeAnswer(404, b'{"message": "Unknown Webhook", "code": 10015}')

    with pytest.raises(PermanentError, match="Unknown Webhook") as refused:
        a_channel("discord", answering(gone)).send(a_message())
    assert refused.value.reason is Reason.NOT_FOUND
