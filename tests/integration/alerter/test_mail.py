"""Mail to a real mail server: in clear, encrypted, with a login, and refused in every way."""

import email
import email.policy
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from nightdesk.outbound import Bounds, call
from services.alerter.channel import PermanentError, Reason, TransientError
from services.alerter.channels.smtp import SmtpChannel, SmtpOptions
from services.alerter.messages import Fact, Kind, Message, Tier

pytestmark = pytest.mark.integration

BOUNDS = Bounds(timeout_s=(5.0, 2.0), deadline_s=4.0)
PASSWORD = "pA s@sEcReT"

MESSAGE = Message(
    notification_id=17,
    kind=Kind.FIRING,
    tier=Tier.CRITICAL,
    title="Feed binance is silent, é",
    facts=(Fact("Since", "Sun 12:00:00 UTC, for 62 s"),),
    text=".\nA line that is only a point is part of the text.",
    dedup_key="FeedSilent/binance#3",
)


@dataclass
class Postman:
    """Takes mail, or answers as it is told."""

    replies: dict[str, str] = field(default_factory=dict)
    taken: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self.replies.get(address, "250 OK")
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        reply = self.replies.get("DATA", "250 OK")
        if reply.startswith("250"):
            self.taken.append(envelope)
        return reply


def authenticate(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: LoginPassword
) -> AuthResult:
    return AuthResult(success=given.password == PASSWORD.encode(), handled=False)


@contextmanager
def mail_server(postman: Postman, **options: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    controller = Controller(postman, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@dataclass
class Certificates:
    """What the server shows, and what a client trusts."""

    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return Certificates(server, client)


def a_channel(url: str, to: str = "one@there.example, Two <two@there.example>", tls: Any = None) -> SmtpChannel:
    secrets = {"url": url, "sender": "Nightdesk <desk@sender.example>", "recipients": to}
    trusted = {"tls": lambda: tls} if tls is not None else {}
    options = SmtpOptions.model_validate({"kind": "smtp"})
    return SmtpChannel(options, secrets, call, lambda: 1_772_366_400.0, bounds=BOUNDS, **trusted)


def refusal(channel: SmtpChannel) -> PermanentError | TransientError:
    with pytest.raises((PermanentError, TransientError)) as failed:
        channel.send(MESSAGE)
    assert "sEcReT" not in repr(failed.value)
    assert failed.value.__context__ is None
    return failed.value


def test_a_mail_arrives_whole_at_everybody() -> None:
    postman = Postman()
    with mail_server(postman) as port:
        a_channel(f"smtp://127.0.0.1:{port}").send(MESSAGE)

    (envelope,) = postman.taken
    assert envelope.mail_from == "desk@sender.example"
    assert envelope.rcpt_tos == ["one@there.example", "two@there.example"]
    assert isinstance(envelope.content, bytes)
    read: Any = email.message_from_bytes(envelope.content, policy=email.policy.default)
    assert read["Subject"] == "[critical] Feed binance is silent, é"
    assert read["Date"] == "Sun, 01 Mar 2026 12:00:00 -0000"
    text = read.get_body(("plain",)).get_content().splitlines()
    assert text == [
        "Since: Sun 12:00:00 UTC, for 62 s",
        ".",
        "A line that is only a point is part of the text.",
    ]


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_an_encrypted_connection_may_log_in(scheme: str, certificates: Certificates) -> None:
    postman = Postman()
    encrypted = (
        {"ssl_context": certificates.server, "auth_require_tls": False}
        if scheme == "smtps"
        else {"tls_context": certificates.server, "require_starttls": True}
    )
    with mail_server(postman, authenticator=authenticate, auth_required=True, **encrypted) as port:
        url = f"{scheme}://me:pA%20s%40sEcReT@127.0.0.1:{port}"
        a_channel(url, tls=certificates.client).send(MESSAGE)
        assert len(postman.taken) == 1

        wrong = refusal(a_channel(url.replace("pA", "no"), tls=certificates.client))
    assert isinstance(wrong, PermanentError)
    assert (wrong.reason, str(wrong)) == (Reason.UNAUTHORIZED, "127.0.0.1: reply 535")


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_certificate_that_nobody_vouches_for_is_not_taken(scheme: str, certificates: Certificates) -> None:
    postman = Postman()
    kind = "ssl_context" if scheme == "smtps" else "tls_context"
    with mail_server(postman, **{kind: certificates.server}) as port:
        error = refusal(a_channel(f"{scheme}://127.0.0.1:{port}"))

    assert (error.reason, str(error)) == (Reason.CONNECTION, "127.0.0.1: SSLCertVerificationError")
    assert postman.taken == []


def test_without_the_encryption_that_is_asked_for_nothing_is_sent() -> None:
    postman = Postman()
    with mail_server(postman) as port:
        error = refusal(a_channel(f"smtp+starttls://127.0.0.1:{port}"))

    assert isinstance(error, PermanentError)
    assert error.reason is Reason.REFUSED
    assert postman.taken == []


def test_a_server_that_knows_no_login_is_no_server_to_log_in_to() -> None:
    with mail_server(Postman()) as port:
        error = refusal(a_channel(f"smtp://me:sEcReT@127.0.0.1:{port}"))

    assert isinstance(error, PermanentError)


@pytest.mark.parametrize(
    ("replies", "kind", "reason"),
    [
        ({"DATA": "451 4.3.0 try later"}, TransientError, Reason.SERVER_ERROR),
        ({"DATA": "554 5.7.1 this is spam"}, PermanentError, Reason.REFUSED),
        (
            {"one@there.example": "550 5.1.1 unknown", "two@there.example": "550 5.1.1 unknown"},
            PermanentError,
            Reason.REFUSED,
        ),
        (
            {"one@there.example": "550 5.1.1 unknown", "two@there.example": "450 4.2.0 greylisted"},
            TransientError,
            Reason.SERVER_ERROR,
        ),
    ],
)
def test_4xx_is_tried_again_and_5xx_is_for_good(replies: dict[str, str], kind: type[Exception], reason: Reason) -> None:
    with mail_server(Postman(replies)) as port:
        error = refusal(a_channel(f"smtp://127.0.0.1:{port}"))

    assert isinstance(error, kind)
    assert error.reason is reason


def test_who_is_known_gets_the_mail_though_another_is_not() -> None:
    postman = Postman({"one@there.example": "550 5.1.1 unknown"})
    with mail_server(postman) as port:
        a_channel(f"smtp://127.0.0.1:{port}").send(MESSAGE)

    assert [envelope.rcpt_tos for envelope in postman.taken] == [["two@there.example"]]


# --- servers that are none ---


@contextmanager
def saying(greeting: bytes, piece: bytes = b"", pause_s: float = 0.05) -> Iterator[int]:
    """Greet whoever comes, then say a piece again and again."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                with suppress(OSError), listening.accept()[0] as client:
                    client.sendall(greeting)
                    while not stop.wait(pause_s):
                        client.sendall(piece)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            stop.set()
            thread.join()


@pytest.mark.parametrize(
    ("greeting", "piece", "reason"),
    [
        (b"", b"", Reason.TIMEOUT),
        (b"", b"2", Reason.TIMEOUT),
        (b"220 hello\r\n", b"250-and so on\r\n", Reason.TIMEOUT),
        (b"421 too many\r\n", b"", Reason.SERVER_ERROR),
        (b"554 no mail here\r\n", b"", Reason.REFUSED),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", Reason.UNEXPECTED_ANSWER),
    ],
    ids=["nothing", "trickle", "endless", "busy", "closed", "http"],
)
@pytest.mark.slow
def test_a_server_that_is_none_is_left_in_time(greeting: bytes, piece: bytes, reason: Reason) -> None:
    with saying(greeting, piece) as port:
        assert refusal(a_channel(f"smtp://127.0.0.1:{port}")).reason is reason


def test_a_handshake_that_does_not_come_is_left_in_time(certificates: Certificates) -> None:
    with saying(b"") as port:
        error = refusal(a_channel(f"smtps://127.0.0.1:{port}", tls=certificates.client))

    assert error.reason is Reason.TIMEOUT


def test_nobody_listening_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    error = refusal(a_channel(f"smtp://127.0.0.1:{port}"))

    assert isinstance(error, TransientError)
    assert (error.reason, str(error)) == (Reason.CONNECTION, "127.0.0.1: ConnectionRefusedError")
