"""E-mail, by SMTP (RFC 5321): text and HTML, with ids by which a mail program drops repeats and keeps a matter as one.

One mail to everybody in ``EMAIL_TO``. A server that takes it for some of them took it: sent again it would be a repeat
to those, and no less refused to the others.
"""

import hashlib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from html import escape
from importlib.resources import files
from string import Template
from typing import Final, Literal

from pydantic import Field

from nightdesk.outbound import TIMEOUT_S, Bounds, Call
from services.alerter.channel import EVERY_KIND, Delivered, Options
from services.alerter.channels.api import WallS
from services.alerter.channels.fitting import cut
from services.alerter.channels.layout import HTML, PLAIN, laid_out, title_of
from services.alerter.channels.mail_address import mail_addresses, mail_server
from services.alerter.channels.mail_connection import transfer
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import Tone, tone_of
from services.alerter.messages import Kind, Message, Tier

MAX_SUBJECT: Final = 200
MAX_BODY: Final = 100_000

BOUNDS: Final = Bounds(timeout_s=TIMEOUT_S, deadline_s=60.0)
"""A mail takes a dozen questions and answers, and a server that fears spam lets strangers wait for each."""


class SmtpOptions(Options):
    """What ``config/alerts.yaml`` says of an e-mail channel."""

    kind: Literal["smtp"] = Field(description="what kind of channel it is")
    url: SecretName = Field("SMTP_URL", description="variable with smtp+starttls://user:password@host:port")
    sender: SecretName = Field("EMAIL_FROM", description="variable with the sender's address")
    recipients: SecretName = Field("EMAIL_TO", description="variable with the recipients' addresses")


class SmtpChannel:
    """One sender and those it writes to."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(
        self,
        options: SmtpOptions,
        secrets: Mapping[str, str],
        _call: Call,
        wall_s: WallS,
        *,
        bounds: Bounds = BOUNDS,
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    ) -> None:
        self._server = mail_server(options.url, secrets["url"])
        self._sender = mail_addresses(options.sender, secrets["sender"])[0]
        self._recipients = mail_addresses(options.recipients, secrets["recipients"])
        self._wall_s = wall_s
        self._bounds = bounds
        self._tls = tls

    def payload(self, message: Message) -> EmailMessage:
        """Return the mail, but for its date."""
        title, tone = title_of(message), tone_of(message)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = formataddr(self._sender)
        mail["To"] = ", ".join(map(formataddr, self._recipients))
        mail["Subject"] = cut(f"[{tone.word}] {title}", MAX_SUBJECT)
        for name, value in self._ids(message).items():
            mail[name] = value
        mail["Auto-Submitted"] = "auto-generated"  # nobody's note of absence answers it (RFC 3834)
        if message.tier is Tier.CRITICAL and message.kind is not Kind.RESOLVED:
            mail["Importance"] = "high"
        mail.set_content(laid_out(message, PLAIN, MAX_BODY) or title, cte="quoted-printable")
        page = _page(title, tone, laid_out(message, HTML, MAX_BODY))
        mail.add_alternative(page, subtype="html", cte="quoted-printable")
        return mail

    def send(self, message: Message) -> Delivered:
        """Deliver one mail to everybody."""
        mail = self.payload(message)
        mail["Date"] = formatdate(self._wall_s())
        addresses = [address for _, address in self._recipients]
        transfer(mail, self._sender[1], addresses, self._server, bounds=self._bounds, tls=self._tls)
        return Delivered()

    def _ids(self, message: Message) -> dict[str, str]:
        """Return who this mail is, and what it belongs to.

        Its own id is the notification's and the recipients', so that a repeat collapses, and holds what it is about, so
        that a number used again after the state was lost does not. What belongs together refers to one mail that was
        never sent, for which of them comes first nobody here remembers.
        """
        host = self._sender[1].rpartition("@")[2]
        to = ",".join(address for _, address in self._recipients)
        own = f"<nightdesk-{message.notification_id}.{_digest(message.dedup_key, to)}@{host}>"
        root = f"<nightdesk.{_digest(message.dedup_key)}@{host}>"
        return {"Message-ID": own, **({"In-Reply-To": root, "References": root} if message.dedup_key else {})}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _page(title: str, tone: Tone, body: str) -> str:
    text = files("services.alerter.channels").joinpath("mail.html").read_text(encoding="utf-8")
    return Template(text).substitute(
        title=escape(title), word=tone.word, colour=f"#{tone.colour:06x}", body=body.replace("\n", "<br>\n")
    )
