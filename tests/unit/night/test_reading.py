"""A message is read as its channel shows it."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import pytest

from nightdesk.outbound import Answer
from services.alerter.channels.pushover import PushoverChannel, PushoverOptions
from services.alerter.channels.slack import SlackChannel, SlackOptions
from services.alerter.messages import Fact, Kind, Message, Tier
from tests.night import reading
from tests.night.reading import Sign, Told

Read: TypeAlias = Callable[[Message], Told]


def a_message(kind: Kind = Kind.FIRING, tier: Tier = Tier.CRITICAL, title: str = "binance is > 60 s silent") -> Message:
    return Message(
        notification_id=1,
        kind=kind,
        tier=tier,
        title=title,
        text="Nothing comes.",
        facts=(Fact("Alert", "FeedSilent #12"),),
        items=("binance is > 60 s silent (5 s)", "over: coinbase was silent"),
        hint="Acknowledge on the server: make ack ID=12",
    )


def slack(message: Message) -> Told:
    channel = SlackChannel(
        SlackOptions.model_validate({"kind": "slack"}), {"webhook_url": "https://hooks.example.com/x"}, _call, _wall_s
    )
    return reading.slack(channel.payload(message), 5.0)


def pushover(message: Message) -> Told:
    channel = PushoverChannel(
        PushoverOptions.model_validate({"kind": "pushover"}), {"app_token": "token", "user_key": "user"}, _call, _wall_s
    )
    return reading.pushover(channel.payload(message), 5.0)


@pytest.mark.parametrize("read", [slack, pushover])
def test_title_list_and_number_are_found_on_every_channel(read: Read) -> None:
    told = read(a_message())

    assert (told.sign, told.title, told.number) == (Sign.CRITICAL, "binance is > 60 s silent", 12)
    assert told.subjects == ("binance is > 60 s silent (5 s)",)
    assert "Nothing comes." in told.text


@pytest.mark.parametrize("read", [slack, pushover])
@pytest.mark.parametrize(
    ("kind", "tier", "is_page", "is_soft"),
    [
        (Kind.FIRING, Tier.CRITICAL, True, False),
        (Kind.MISSED, Tier.CRITICAL, True, False),
        (Kind.RESOLVED, Tier.CRITICAL, False, False),
        (Kind.FIRING, Tier.WARNING, False, True),
        (Kind.DIGEST, Tier.INFO, False, True),
        (Kind.NOTICE, Tier.INFO, False, True),
    ],
)
def test_what_calls_for_somebody_is_told_from_what_does_not(
    read: Read, kind: Kind, tier: Tier, is_page: bool, is_soft: bool
) -> None:
    told = read(a_message(kind, tier))

    assert (told.is_page, told.is_soft) == (is_page, is_soft)


@pytest.mark.parametrize(
    ("title", "is_again"),
    [
        ("Nobody has acknowledged for 45 s: it broke", True),
        ("Still firing after 2 min: it broke", True),
        ("Came and went within 15 s: it broke", False),
        ("it broke", False),
    ],
)
def test_a_second_call_is_known_by_its_title(title: str, is_again: bool) -> None:
    told = Told(at_s=1.0, channel="slack-desk", sign=Sign.CRITICAL, title=title)

    assert told.is_again is is_again
    assert told.subjects == ("it broke",)


def test_the_first_that_reached_somebody_counts() -> None:
    words = re.compile("it broke")
    told = [
        Told(at_s=1.0, channel="a", sign=Sign.CRITICAL, title="it broke"),
        Told(at_s=3.0, channel="b", sign=Sign.CRITICAL, title="it broke", is_delivered=False),
        Told(at_s=4.0, channel="c", sign=Sign.OVER, title="Over after 3 s: it broke"),
        Told(at_s=6.0, channel="e", sign=Sign.CRITICAL, title="it broke"),
        Told(at_s=5.0, channel="d", sign=Sign.WARNING, title="Digest", lines=("it broke",)),
    ]

    found = reading.first(told, words, from_s=2.0)

    assert found is not None
    assert found.channel == "d"
    assert reading.first(told, words, from_s=7.0) is None


def _call(_method: str, _url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
    raise AssertionError("nothing is sent here")


def _wall_s() -> float:
    return 0.0
