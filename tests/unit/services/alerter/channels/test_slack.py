"""What is posted to Slack, and what its answers mean."""

import json
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import LimitedError, PermanentError, Reason, TransientError
from services.alerter.channels.fitting import length
from services.alerter.messages import Fact, Kind, Link, Message, Tier
from tests.unit.services.alerter.channels.examples import MESSAGES, SECRETS, FakeAnswer, a_channel, a_message, answering


def payload(message: Message) -> Any:
    return a_channel("slack").payload(message)  # type: ignore[attr-defined]


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_a_message_is_a_headline_and_a_card_of_its_tiers_colour() -> None:
    assert payload(a_message(items=("BTCUSDT is silent",))) == {
        "text": "🔴 *Feed binance is silent*",
        "attachments": [
            {
                "color": "#d32f2f",
                "fallback": ("Since: Sun 12:00:00 UTC, for 62 s · Last good value: BTCUSDT 64,250.10 at 11:58:58 UTC"),
                "blocks": [
                    {
                        "type": "section",
                        "fields": [
                            {"type": "mrkdwn", "text": "*Since*\nSun 12:00:00 UTC, for 62 s"},
                            {"type": "mrkdwn", "text": "*Last good value*\nBTCUSDT 64,250.10 at 11:58:58 UTC"},
                        ],
                    },
                    section("<https://desk.example/ack/17.abc?x=1&amp;y=2|Acknowledge>"),
                    section("No message for 62 s &amp; the socket is open. Nothing of it is stored."),
                    section("• BTCUSDT is silent"),
                    section("<https://desk.example/runbooks/FeedSilent|Runbook>"),
                ],
            }
        ],
        "unfurl_links": False,
        "unfurl_media": False,
    }


@pytest.mark.parametrize(
    ("kind", "tier", "colour"),
    [
        (Kind.FIRING, Tier.CRITICAL, "#d32f2f"),
        (Kind.DIGEST, Tier.WARNING, "#f2a900"),
        (Kind.NOTICE, Tier.INFO, "#607d8b"),
        (Kind.RESOLVED, Tier.CRITICAL, "#2e7d32"),
    ],
)
def test_the_colour_says_how_urgent_it_is(kind: Kind, tier: Tier, colour: str) -> None:
    assert payload(a_message(kind=kind, tier=tier))["attachments"][0]["color"] == colour


def test_nobody_is_called_and_nothing_linked_by_what_a_text_says() -> None:
    shown = payload(a_message(title="<!channel> & <https://x|y>", text="<@U1>"))

    assert shown["text"] == "🔴 *&lt;!channel&gt; &amp; &lt;https://x|y&gt;*"
    assert section("&lt;@U1&gt;") in shown["attachments"][0]["blocks"]


def test_a_label_does_not_end_its_link() -> None:
    shown = payload(a_message(links=(Link("a|b>c", "https://x.example/?q=<d|e>"),)))

    assert shown["attachments"][0]["blocks"][-1] == section("<https://x.example/?q=%3Cd%7Ce%3E|a/b&gt;c>")


def test_a_title_alone_needs_no_card() -> None:
    bare = a_message(text="", facts=(), links=(), acknowledge_url=None, hint="")

    assert payload(bare)["attachments"] == []


def test_more_facts_than_can_be_shown_are_counted() -> None:
    blocks = payload(a_message(facts=tuple(Fact(f"f{number}", "x") for number in range(25))))["attachments"][0][
        "blocks"
    ]

    assert [len(block.get("fields", ())) for block in blocks[:3]] == [10, 10, 0]
    assert blocks[2] == section("+5 more")


@given(MESSAGES)
def test_any_message_keeps_within_slacks_limits(message: Message) -> None:
    shown = payload(message)

    assert 0 < length(shown["text"]) <= 3000
    for card in shown["attachments"]:
        assert card["fallback"] == card["fallback"].strip()
        assert 0 < len(card["blocks"]) <= 50
        for block in card["blocks"]:
            assert len(block.get("fields", ())) <= 10
            assert all(0 < length(one["text"]) <= 2000 for one in block.get("fields", ()))
            assert "fields" in block or 0 < length(block["text"]["text"]) <= 3000
    json.dumps(shown).encode()


def test_a_message_is_taken_when_slack_says_ok() -> None:
    api = answering(FakeAnswer(200, b"ok"))

    assert a_channel("slack", api).send(a_message()).status == 200
    method, url, _, body = api.asked[0]
    assert (method, url) == ("POST", SECRETS["slack"]["webhook_url"])
    assert json.loads(body or b"") == payload(a_message())


@pytest.mark.parametrize("body", [b"", b"no_service", b"<html>ok</html>"])
def test_200_without_ok_is_tried_again(body: bytes) -> None:
    with pytest.raises(TransientError) as failed:
        a_channel("slack", answering(FakeAnswer(200, body))).send(a_message())
    assert (failed.value.reason, failed.value.status) == (Reason.UNEXPECTED_ANSWER, 200)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b"invalid_payload", Reason.REFUSED),
        (403, b"action_prohibited", Reason.UNAUTHORIZED),
        (404, b"no_service", Reason.NOT_FOUND),
        (410, b"channel_is_archived", Reason.NOT_FOUND),
    ],
)
def test_what_slack_refuses_it_refuses_for_good_and_says_why(status: int, body: bytes, reason: Reason) -> None:
    with pytest.raises(PermanentError, match=body.decode()) as refused:
        a_channel("slack", answering(FakeAnswer(status, body))).send(a_message())
    assert (refused.value.reason, refused.value.status) == (reason, status)


def test_a_limit_is_as_long_as_slack_says() -> None:
    with pytest.raises(LimitedError) as limited:
        a_channel("slack", answering(FakeAnswer(429, b"", {"Retry-After": "17"}))).send(a_message())
    assert limited.value.retry_after_s == 17
