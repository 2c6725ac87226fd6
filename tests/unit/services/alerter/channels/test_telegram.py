"""What is posted to Telegram, and what its answers mean."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given

from services.alerter.channel import LimitedError, PermanentError, Reason, TransientError
from services.alerter.channels.fitting import length
from services.alerter.messages import Kind, Message
from tests.unit.services.alerter.channels.examples import MESSAGES, FakeAnswer, a_channel, a_message, answering

TAKEN = FakeAnswer(200, b'{"ok":true,"result":{"message_id":1}}')


def payload(message: Message) -> Any:
    return a_channel("telegram").payload(message)  # type: ignore[attr-defined]


def refused(code: int, description: str, **parameters: int) -> FakeAnswer:
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return FakeAnswer(code, json.dumps(body).encode())


def test_a_message_is_html_with_what_matters_most_first() -> None:
    assert payload(a_message()) == {
        "chat_id": "-1000123",
        "text": (
            "🔴 <b>Feed binance is silent</b>\n"
            "<b>Since</b> Sun 12:00:00 UTC, for 62 s\n"
            "<b>Last good value</b> BTCUSDT 64,250.10 at 11:58:58 UTC\n"
            '<a href="https://desk.example/ack/17.abc?x=1&amp;y=2">Acknowledge</a>\n'
            "No message for 62 s &amp; the socket is open. Nothing of it is stored.\n"
            '<a href="https://desk.example/runbooks/FeedSilent">Runbook</a>'
        ),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }


def test_what_is_over_has_a_sign_of_its_own() -> None:
    assert payload(a_message(kind=Kind.RESOLVED))["text"].startswith("🟢 <b>")


class Strict(HTMLParser):
    """Reads what Telegram would read, and knows which tags are open."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if (tag, *(name for name, _ in attrs)) not in {("b",), ("a", "href")}:
            self.wrong.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if "&" in data or "<" in data:
            self.wrong.append(data)


@given(MESSAGES)
def test_any_message_is_whole_html_within_telegrams_limit(message: Message) -> None:
    text = payload(message)["text"]

    assert 0 < length(text) <= 4096
    read = Strict(text)
    assert (read.open, read.wrong) == ([], [])


def test_a_message_goes_to_the_bots_own_address() -> None:
    api = answering(TAKEN)

    assert a_channel("telegram", api, api_url="https://bots.example/").send(a_message()).status == 200
    assert api.asked[0][:2] == ("POST", "https://bots.example/bot123456:AAsEcReTsEcReT/sendMessage")


def test_a_limit_is_as_long_as_the_body_says() -> None:
    with pytest.raises(LimitedError) as limited:
        a_channel("telegram", answering(refused(429, "Too Many Requests: retry after 35", retry_after=35))).send(
            a_message()
        )
    assert limited.value.retry_after_s == 35


@pytest.mark.parametrize(
    ("code", "description", "reason"),
    [
        (400, "Bad Request: chat not found", Reason.REFUSED),
        (401, "Unauthorized", Reason.UNAUTHORIZED),
        (403, "Forbidden: bot was blocked by the user", Reason.UNAUTHORIZED),
        (404, "Not Found", Reason.NOT_FOUND),
    ],
)
def test_what_telegram_refuses_it_refuses_for_good_and_says_why(code: int, description: str, reason: Reason) -> None:
    with pytest.raises(PermanentError, match=description) as failed:
        a_channel("telegram", answering(refused(code, description))).send(a_message())
    assert (failed.value.reason, failed.value.status) == (reason, code)


def test_a_refusal_in_the_body_counts_whatever_the_status_is() -> None:
    body = b'{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}'

    with pytest.raises(PermanentError, match="Forbidden") as failed:
        a_channel("telegram", answering(FakeAnswer(200, body))).send(a_message())
    assert failed.value.reason is Reason.UNAUTHORIZED


@pytest.mark.parametrize("body", [b"ok", b"{}", b'{"ok":"true"}', b'{"ok":false}'])
def test_200_without_ok_is_tried_again(body: bytes) -> None:
    with pytest.raises(TransientError) as failed:
        a_channel("telegram", answering(FakeAnswer(200, body))).send(a_message())
    assert failed.value.reason is Reason.UNEXPECTED_ANSWER


def test_a_group_that_became_a_supergroup_is_followed() -> None:
    moved = refused(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-100777)
    api = answering(moved, TAKEN)
    channel = a_channel("telegram", api)
    channel.send(a_message())
    channel.send(a_message())

    assert [json.loads(body or b"")["chat_id"] for *_, body in api.asked] == ["-1000123", "-100777", "-100777"]


def test_a_group_that_moves_on_and_on_is_followed_once() -> None:
    api = answering(refused(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100777))

    with pytest.raises(PermanentError):
        a_channel("telegram", api).send(a_message())
    assert len(api.asked) == 2
