"""What a channel refused, or never answered, reached nobody."""

from collections.abc import Iterator

import pytest
import requests

from tests.channel_server import ChannelServer, status
from tests.night.mailbox import PUSHOVER_PATH, RECEIPTS_PATH, SLACK_PATH, Mailbox
from tests.night.reading import PUSHOVER, SLACK


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with ChannelServer() as server:
        yield Mailbox(server)


def to_slack(mail: Mailbox, title: str) -> int:
    body = {"text": f"\N{LARGE RED CIRCLE} *{title}*"}
    return requests.post(f"{mail.url}{SLACK_PATH}", json=body, timeout=5).status_code


def to_pushover(mail: Mailbox, title: str) -> None:
    body = {"title": f"\N{LARGE RED CIRCLE} {title}", "message": "x"}
    requests.post(f"{mail.url}{PUSHOVER_PATH}", json=body, timeout=5)


def test_messages_of_both_channels_are_read_in_the_order_they_came(mail: Mailbox) -> None:
    to_slack(mail, "one")
    to_pushover(mail, "two")
    requests.get(f"{mail.url}{RECEIPTS_PATH}/r.json", timeout=5)
    to_slack(mail, "three")

    assert [(one.channel, one.title) for one in mail.told()] == [
        (SLACK, "one"), (PUSHOVER, "two"), (SLACK, "three"),
    ]  # fmt: skip


def test_what_slack_refuses_is_not_delivered_until_it_is_mended(mail: Mailbox) -> None:
    to_slack(mail, "before")
    mend = mail.fail_slack(status(404))
    assert to_slack(mail, "refused") == 404
    mend()
    assert to_slack(mail, "after") == 200

    assert [one.title for one in mail.told() if one.is_delivered] == ["before", "after"]


def test_what_was_refused_stays_refused_when_it_is_read_after_the_mending(mail: Mailbox) -> None:
    mend = mail.fail_slack(status(500))
    to_slack(mail, "refused")
    to_pushover(mail, "taken")
    mend()

    assert [one.is_delivered for one in mail.told()] == [False, True]


def test_the_phone_is_answered_only_while_somebody_answers_it(mail: Mailbox) -> None:
    def acknowledged() -> int:
        answer = requests.get(f"{mail.url}{RECEIPTS_PATH}/r.json", timeout=5)
        return int(answer.json()["acknowledged"])

    assert acknowledged() == 0
    mail.answer_phone()
    assert acknowledged() == 1
    mail.leave_phone()
    assert acknowledged() == 0
