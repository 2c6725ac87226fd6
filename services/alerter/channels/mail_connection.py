"""One mail over one SMTP connection: every wait bounded, all of it bounded, and errors that say what they mean."""

import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from email.message import EmailMessage
from typing import Final

from nightdesk.outbound import Bounds, Deadline
from services.alerter.channel import PermanentError, Reason, TransientError
from services.alerter.channels.mail_address import MailServer

_LOGIN_REFUSED: Final = frozenset({530, 534, 535, 538})
"""RFC 4954, 6."""


def transfer(
    mail: EmailMessage,
    sender: str,
    recipients: Sequence[str],
    server: MailServer,
    *,
    bounds: Bounds,
    tls: Callable[[], ssl.SSLContext],
) -> None:
    """Hand one mail to the server; raises PermanentError (5xx, login) or TransientError (4xx, network)."""
    with Deadline(bounds.deadline_s) as deadline:
        try:
            _transfer(mail, sender, recipients, _Connection(server, bounds, deadline, tls))
        except (OSError, ValueError) as error:
            failure = _failure(error, server.host, is_late=deadline.has_passed)
        else:
            return
    # raised out here, so that the library's error, which holds what the server said of the login, does not come along
    raise failure


class _Connection(smtplib.SMTP):
    """A connection that is encrypted and logged in as its address says, or else an error."""

    def __init__(
        self, server: MailServer, bounds: Bounds, deadline: Deadline, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        self._server = server
        self._bounds = bounds
        self._deadline = deadline
        self._tls = tls
        # a name of ours, or looking it up may take longer than the mail
        super().__init__(server.host, server.port, local_hostname="localhost")
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _get_socket(self, host: str, port: int, _timeout: float) -> socket.socket:
        """Return the socket, watched from its first byte on."""
        connect_s, read_s = self._bounds.timeout_s
        made = socket.create_connection((host, port), connect_s)
        made.settimeout(read_s)
        self._deadline.watch(made)
        if self._server.scheme != "smtps":
            return made
        try:
            return self._tls().wrap_socket(made, server_hostname=host)
        except BaseException:
            made.close()
            raise

    def _open(self) -> None:
        if self.sock is not None:
            self.local_hostname = _literal(self.sock)
        if self._server.scheme == "smtp+starttls":
            self.starttls(context=self._tls())
        if self._server.user:
            self.login(self._server.user, self._server.password)


def _transfer(mail: EmailMessage, sender: str, recipients: Sequence[str], connection: _Connection) -> None:
    try:
        connection.send_message(mail, sender, list(recipients))
        with suppress(OSError):  # the mail is theirs already
            connection.quit()
    finally:
        connection.close()


def _literal(own: socket.socket) -> str:
    """Return our own address as a greeting, which needs no name that anybody could look up (RFC 5321, 4.1.3)."""
    host = own.getsockname()[0]
    return f"[IPv6:{host}]" if own.family == socket.AF_INET6 else f"[{host}]"


def _failure(error: Exception, host: str, *, is_late: bool) -> PermanentError | TransientError:
    if is_late or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return TransientError(Reason.TIMEOUT, f"{host}: no answer in time")
    code = _code(error)
    if code is not None:
        return _refusal(code, f"{host}: reply {code}")
    text = f"{host}: {type(error).__name__}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return TransientError(Reason.CONNECTION, text)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return PermanentError(
            Reason.REFUSED, f"{host}: the server does not offer the encryption or login that is asked of it"
        )
    if isinstance(error, smtplib.SMTPException):
        return PermanentError(Reason.UNAUTHORIZED, f"{host}: the server knows no way to log in that is known here")
    return (
        TransientError(Reason.CONNECTION, text) if isinstance(error, OSError) else PermanentError(Reason.REFUSED, text)
    )


def _code(error: Exception) -> int | None:
    """Return the reply that refused: of several recipients' the one that may change."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return min((code for code, _ in error.recipients.values()), default=None)
    return error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else None


def _refusal(code: int, text: str) -> PermanentError | TransientError:
    if code in _LOGIN_REFUSED:
        return PermanentError(Reason.UNAUTHORIZED, text)
    if 500 <= code < 600:
        return PermanentError(Reason.REFUSED, text)
    return TransientError(Reason.SERVER_ERROR if 400 <= code < 500 else Reason.UNEXPECTED_ANSWER, text)
