"""What a mail needs to know: where the mail server is, and who writes to whom. Pure; errors never repeat a value."""

from email.utils import getaddresses
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from nightdesk.errors import ConfigurationError

PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
"""The usual port of each scheme: in clear, encrypted on demand, encrypted from the first byte (RFC 8314)."""


class MailServer(NamedTuple):
    """A mail server and the login there, if any."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def mail_server(variable: str, text: str) -> MailServer:
    """Return the server in ``smtp+starttls://user:password@host:port``; raises ConfigurationError.

    The scheme may also be ``smtps`` or ``smtp``. What is no plain character in user or password is percent-encoded.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(
            f"{variable}: is no mail server; write smtp+starttls://user:password@host:port (or smtps://, smtp://), "
            "with %40 for an @ in user or password, %2F for a /, %23 for a #, %3F for a ?"
        )
    if not (user + password).isascii() or not (user + password).isprintable() or bool(user) != bool(password):
        raise ConfigurationError(f"{variable}: user and password are both needed, in ASCII, or neither")
    return MailServer(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)


def mail_addresses(variable: str, text: str) -> list[tuple[str, str]]:
    """Return names and addresses of a list with commas; raises ConfigurationError."""
    found = getaddresses([text])
    if not found or not all(_is_address(address) for _, address in found) or not text.isprintable():
        raise ConfigurationError(f"{variable}: is no e-mail address, or several with commas between them")
    return found


def _is_address(text: str) -> bool:
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and text.isascii() and not any(character in text for character in ' \t<>(),;:"')
