"""What Apprise is told, and that it is loaded only where it is used."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings

from services.alerter.channel import Reason, TransientError
from services.alerter.channels.fitting import length
from services.alerter.messages import Kind, Message, Tier
from tests.unit.services.alerter.channels.examples import MESSAGES, a_channel, a_message

CHANNEL: Any = a_channel("apprise")


def test_apprise_is_told_a_title_a_text_and_a_type() -> None:
    assert CHANNEL.payload(a_message(text="")) == {
        "title": "🔴 Feed binance is silent",
        "body": (
            "Since: Sun 12:00:00 UTC, for 62 s\n"
            "Last good value: BTCUSDT 64,250.10 at 11:58:58 UTC\n"
            "Acknowledge: https://desk.example/ack/17.abc?x=1&y=2\n"
            "Runbook: https://desk.example/runbooks/FeedSilent"
        ),
        "notify_type": "failure",
    }


@pytest.mark.parametrize(
    ("kind", "tier", "said"),
    [
        (Kind.FIRING, Tier.CRITICAL, "failure"),
        (Kind.DIGEST, Tier.WARNING, "warning"),
        (Kind.MESSAGE, Tier.INFO, "info"),
        (Kind.RESOLVED, Tier.CRITICAL, "success"),
    ],
)
def test_the_type_is_how_urgent_it_is(kind: Kind, tier: Tier, said: str) -> None:
    assert CHANNEL.payload(a_message(kind=kind, tier=tier))["notify_type"] == said


@settings(max_examples=30)
@given(MESSAGES)
def test_any_message_has_a_title_and_a_text_of_a_length_that_can_be_read(message: Message) -> None:
    shown = CHANNEL.payload(message)

    assert shown["title"]
    assert 0 < length(shown["body"]) <= 4000


def test_a_title_alone_is_cut_as_a_text_is() -> None:
    assert length(CHANNEL.payload(a_message(title="🔴" * 4000, text="", facts=(), items=(), links=()))["body"]) <= 4000


def test_a_failure_may_pass() -> None:
    with pytest.raises(TransientError) as failed:
        CHANNEL.send(a_message())
    assert failed.value.reason is Reason.FAILURE


def test_a_service_that_takes_less_gets_the_beginning() -> None:
    services: Any = a_channel("apprise")._services  # type: ignore[attr-defined]

    assert [service.overflow_mode for service in services] == ["truncate"]


def test_it_is_not_loaded_where_nobody_uses_it() -> None:
    code = "import sys, services.alerter.channels; sys.exit('apprise' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
