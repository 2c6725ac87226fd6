"""What stands under a title: what matters most comes first, whatever the limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerter.channels.fitting import length
from services.alerter.channels.layout import HTML, PLAIN, Markup, acknowledgement, address_of, laid_out, title_of
from services.alerter.messages import Fact, Kind, Link, Message
from tests.unit.services.alerter.channels.examples import MESSAGES, a_message


def test_what_matters_most_comes_first() -> None:
    message = a_message(items=("BTCUSDT is silent", "ETHUSDT is silent"))

    assert laid_out(message, PLAIN, 1000).split("\n") == [
        "Since: Sun 12:00:00 UTC, for 62 s",
        "Last good value: BTCUSDT 64,250.10 at 11:58:58 UTC",
        "Acknowledge: https://desk.example/ack/17.abc?x=1&y=2",
        "No message for 62 s & the socket is open. Nothing of it is stored.",
        "• BTCUSDT is silent",
        "• ETHUSDT is silent",
        "Runbook: https://desk.example/runbooks/FeedSilent",
    ]


def test_in_html_everything_is_escaped_but_its_own_tags() -> None:
    message = a_message(facts=(Fact("a<b", "c&d"),), text="<script>", links=())

    assert laid_out(message, HTML, 1000).split("\n") == [
        "<b>a&lt;b</b> c&amp;d",
        '<a href="https://desk.example/ack/17.abc?x=1&amp;y=2">Acknowledge</a>',
        "&lt;script&gt;",
    ]


def test_without_a_link_the_hint_says_how_to_acknowledge() -> None:
    message = a_message(acknowledge_url=None)

    assert acknowledgement(message, PLAIN, 100) == "Acknowledge on the server: make ack ID=3"


def test_a_link_that_does_not_fit_gives_way_to_the_hint() -> None:
    message = a_message(acknowledge_url="https://desk.example/ack/" + "a" * 100)

    assert acknowledgement(message, PLAIN, 100) == "Acknowledge on the server: make ack ID=3"


def test_what_asks_for_nothing_says_nothing_of_it() -> None:
    assert acknowledgement(a_message(acknowledge_url=None, hint=""), PLAIN, 100) == ""


def test_facts_leave_room_to_acknowledge() -> None:
    message = a_message(facts=tuple(Fact(f"Fact {number}", "x" * 200) for number in range(50)))

    assert "Acknowledge: https://desk.example/ack/17.abc?x=1&y=2" in laid_out(message, PLAIN, 500)


def test_a_long_text_leaves_room_for_links() -> None:
    text = laid_out(a_message(text="x" * 5000), PLAIN, 1000)

    assert text.endswith("…\nRunbook: https://desk.example/runbooks/FeedSilent")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "", "desk.example", "//desk.example", None])
def test_what_is_no_web_address_is_no_link(url: str | None) -> None:
    assert address_of(url) == ""


def test_an_address_has_no_character_that_markup_takes_for_its_own() -> None:
    assert address_of('https://x/a b|c<d>(e)"é\n') == "https://x/a%20b%7Cc%3Cd%3E%28e%29%22%C3%A9"


def test_a_message_without_a_title_is_called_by_its_kind() -> None:
    assert title_of(a_message(title=" \n")) == "firing"


@given(message=MESSAGES, markup=st.sampled_from([PLAIN, HTML]), limit=st.integers(0, 5000))
def test_nothing_is_ever_too_long(message: Message, markup: Markup, limit: int) -> None:
    assert length(laid_out(message, markup, limit)) <= limit


@given(message=MESSAGES, limit=st.integers(700, 5000))
def test_how_to_acknowledge_always_stands_there(message: Message, limit: int) -> None:
    wanted = acknowledgement(message, PLAIN, limit // 2)

    assert wanted in laid_out(message, PLAIN, limit)


def test_links_without_a_label_are_links() -> None:
    message = a_message(links=(Link("", "https://x.example/"),), kind=Kind.NOTICE)

    assert laid_out(message, PLAIN, 1000).endswith("\nLink: https://x.example/")
