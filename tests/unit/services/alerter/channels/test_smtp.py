"""What a mail looks like, and which addresses make sense."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given

from nightdesk.errors import ConfigurationError
from services.alerter.channels.mail_address import MailServer, mail_addresses, mail_server
from services.alerter.messages import Kind, Message, Tier
from tests.unit.services.alerter.channels.examples import MESSAGES, a_channel, a_message


def mail(message: Message) -> EmailMessage:
    """Return the mail as the other side reads it."""
    sent: EmailMessage = a_channel("smtp").payload(message)  # type: ignore[attr-defined]
    read = email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


def part(read: EmailMessage, kind: str) -> str:
    found = read.get_body((kind,))
    assert found is not None
    text: Any = found.get_content()
    return str(text)


def test_a_mail_has_what_matters_most_first() -> None:
    read = mail(a_message())

    assert read["Subject"] == "[critical] Feed binance is silent"
    assert read["From"] == "Nightdesk <desk@sender.example>"
    assert read["To"] == "one@there.example, Two <two@there.example>"
    assert read["Importance"] == "high"
    assert read["Auto-Submitted"] == "auto-generated"
    assert part(read, "plain").splitlines() == [
        "Since: Sun 12:00:00 UTC, for 62 s",
        "Last good value: BTCUSDT 64,250.10 at 11:58:58 UTC",
        "Acknowledge: https://desk.example/ack/17.abc?x=1&y=2",
        "No message for 62 s & the socket is open. Nothing of it is stored.",
        "Runbook: https://desk.example/runbooks/FeedSilent",
    ]


def test_the_html_says_the_same_and_escapes_it() -> None:
    html = part(mail(a_message(title="a <b>", text="c & d")), "html")

    assert "a &lt;b&gt;</h1>" in html
    assert "<b>Since</b> Sun 12:00:00 UTC, for 62 s<br>" in html
    assert '<a href="https://desk.example/ack/17.abc?x=1&amp;y=2">Acknowledge</a><br>' in html
    assert "c &amp; d<br>" in html
    assert "#d32f2f" in html


def test_what_is_over_is_not_urgent() -> None:
    read = mail(a_message(kind=Kind.RESOLVED))

    assert read["Subject"].startswith("[resolved] ")
    assert read["Importance"] is None


def test_a_mail_sent_again_has_the_same_id() -> None:
    first, again = mail(a_message()), mail(a_message(text="for 90 s now"))

    assert first["Message-ID"] == again["Message-ID"]
    assert first["Message-ID"].startswith("<nightdesk-17.")
    assert first["Message-ID"].endswith("@sender.example>")


def test_other_mails_have_other_ids() -> None:
    ids = {mail(one)["Message-ID"] for one in (a_message(), a_message(notification_id=18), a_message(dedup_key="x"))}

    assert len(ids) == 3


def test_what_belongs_together_refers_to_the_same_mail() -> None:
    firing, over = mail(a_message()), mail(a_message(notification_id=18, kind=Kind.RESOLVED))

    assert firing["References"] == firing["In-Reply-To"] == over["References"]
    assert mail(a_message(dedup_key="other"))["References"] != firing["References"]
    assert mail(a_message(dedup_key=""))["References"] is None


@given(MESSAGES)
def test_any_message_is_a_mail(message: Message) -> None:
    read = mail(message)

    assert not read.defects
    assert read["Subject"]
    assert len(read.as_bytes()) < 2_000_000
    assert part(read, "plain").strip()


def test_only_what_is_critical_is_important() -> None:
    assert mail(a_message(tier=Tier.WARNING))["Importance"] is None


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("smtp://mail.example", MailServer("smtp", "mail.example", 25, "", "")),
        ("smtp+starttls://u:p@mail.example", MailServer("smtp+starttls", "mail.example", 587, "u", "p")),
        (
            "smtps://me%40x.example:p%2Fq%3A@mail.example:4650/",
            MailServer("smtps", "mail.example", 4650, "me@x.example", "p/q:"),
        ),
        ("smtp://u:p@[::1]:2525", MailServer("smtp", "::1", 2525, "u", "p")),
    ],
)
def test_a_mail_server_is_read(text: str, server: MailServer) -> None:
    assert mail_server("SMTP_URL", text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h:99999",
        "smtp://u:p/q@h",
        "smtp://u@h",
        "smtp://h?x=y",
        "smtp://u:p%C3%A9@h",
        "smtp://u:p%0A@h",
        "smtp://[::1",
    ],
)
def test_what_is_no_mail_server_is_refused_and_brings_no_other_error_along(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^SMTP_URL: ") as wrong:
        mail_server("SMTP_URL", text)
    assert wrong.value.__context__ is None


def test_addresses_have_names_or_not() -> None:
    assert mail_addresses("EMAIL_TO", 'a@b.example, "C, D" <c@d.example>') == [
        ("", "a@b.example"),
        ("C, D", "c@d.example"),
    ]


@pytest.mark.parametrize("text", ["", ",", "a", "a@", "@b", "a@b,c", "a@b\nBcc: c@d", "a b@c", "é@x.example"])
def test_what_is_no_list_of_addresses_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^EMAIL_TO: "):
        mail_addresses("EMAIL_TO", text)
