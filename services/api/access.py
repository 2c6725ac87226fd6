"""Who may ask: a bearer token for programs, a cookie from the login form for pages.

Without a token set, this machine may ask everything. Whoever comes through the proxy needs one all the same: where the
user set none, the one that init made.

The cookie holds no token but an expiry, signed with a key made of the session secret and the token: a leaked cookie
ends by itself, and changing the token ends them all. Comparisons take the same time whatever is wrong.
"""

import hashlib
import hmac
from collections.abc import Callable
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from math import ceil
from typing import Final
from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from services.api.attempts import Attempts

COOKIE: Final = "nightdesk_session"
SESSION_S: Final = 30 * 24 * 3600
OUTSIDE: Final = "x-nightdesk-outside"
"""The header that the proxy sets, and takes from its clients; nothing else outside of this machine reaches the api."""


class LoginNeeded(Exception):  # noqa: N818  not a failure: the page comes after the form
    """A browser without a session asked for a page; ``next_path`` is where it wanted to go."""

    def __init__(self, next_path: str) -> None:
        super().__init__(next_path)
        self.next_path = next_path


class TooManyError(HTTPException):
    """So many wrong tokens came from there that no other is looked at for a while."""

    def __init__(self, wait_s: float) -> None:
        seconds = ceil(wait_s)
        super().__init__(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"too many wrong tokens; try again in {seconds} s",
            {"Retry-After": str(seconds)},
        )


class Gate:
    """Let those pass who know the token; everybody of this machine when the user set none."""

    def __init__(
        self,
        *,
        token: str | None,
        login_token: str | None = None,
        secret: str,
        wall_s: Callable[[], float],
        attempts: Attempts,
    ) -> None:
        """Raise ValueError without a secret: a cookie signed with the token alone would confirm a guess of it."""
        if not secret:
            raise ValueError("a session secret is needed")
        self._token = token or login_token or ""
        self.asks_everybody = bool(token)
        self._key = hmac.new(secret.encode(), self._token.encode(), hashlib.sha256).digest()
        self._wall_s = wall_s
        self._attempts = attempts

    def is_closed_to(self, request: Request) -> bool:
        """Return whether a request has to bring the token or a session."""
        return self.asks_everybody or is_outside(request)

    def knows(self, token: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(_digest(token), _digest(self._token)) and bool(self._token)

    def takes(self, token: str, request: Request, way: str) -> bool:
        """Return whether this is the token; raises TooManyError where too many wrong ones came from, by this way."""
        who = f"{way} {address_of(request)}"
        wait_s = self._attempts.wait_s(who)
        if wait_s:
            raise TooManyError(wait_s)
        if self.knows(token):
            return True
        self._attempts.failed(who)
        return False

    def session(self) -> str:
        """Return a new cookie value: when it ends and a signature of that."""
        ends = str(int(self._wall_s()) + SESSION_S)
        return f"{ends}.{self._signature(ends)}"

    def holds(self, cookie: str) -> bool:
        """Return whether a cookie value is one of ours and has not ended."""
        ends, _, signature = cookie.partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._signature(ends).encode())
        return genuine and bool(self._token) and ends.isascii() and ends.isdigit() and int(ends) > self._wall_s()

    def admits(self, request: Request) -> bool:
        """Return whether a request brings the token or a session, where it needs one; raises TooManyError."""
        return not self.is_closed_to(request) or self._bears(request) or self.holds(request.cookies.get(COOKIE, ""))

    def _bears(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        # Programs of this machine share one address: one with an old token must not keep the others out.
        return self.takes(token.strip(), request, "bearer") if is_outside(request) else self.knows(token.strip())

    def _signature(self, ends: str) -> str:
        return hmac.new(self._key, f"nightdesk session {ends}".encode(), hashlib.sha256).hexdigest()


def is_outside(request: Request) -> bool:
    """Return whether a request came through the proxy."""
    return OUTSIDE in request.headers


def address_of(request: Request) -> str:
    """Return who asks: as the proxy saw them, else the connection's other end; an IPv6 network (/64) counts as one."""
    seen = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() if is_outside(request) else ""
    text = seen or (request.client.host if request.client else "")
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def wants_page(request: Request) -> bool:
    """Return whether a browser asks."""
    return "text/html" in request.headers.get("accept", "")


def give_session(answer: Response, gate: Gate, request: Request) -> None:
    """Put a new session into an answer.

    A link in a message leads here from another site, and the session has to come along (Lax); what changes something is
    asked for by our own pages only, see ``from_here``.
    """
    secure = is_outside(request) or request.url.scheme == "https"
    answer.set_cookie(COOKIE, gate.session(), max_age=SESSION_S, httponly=True, samesite="lax", secure=secure)


def refusal() -> HTTPException:
    """Return the answer to a program without the token."""
    return HTTPException(
        HTTPStatus.UNAUTHORIZED,
        "a bearer token is needed: Authorization: Bearer <API_TOKEN>",
        {"WWW-Authenticate": 'Bearer realm="nightdesk"'},
    )


async def for_pages(request: Request) -> None:
    """Send a browser without a session to the login form."""
    if not request.app.state.gate.admits(request):
        raise LoginNeeded(request.url.path)


async def for_both(request: Request) -> None:
    """Send a browser without a session to the login form, and refuse a program without a token."""
    if not request.app.state.gate.admits(request):
        raise LoginNeeded(request.url.path if request.method == "GET" else "/") if wants_page(request) else refusal()


async def by_our_pages(request: Request) -> None:
    """Refuse what another site's page makes a browser ask; programs send no Origin and pass."""
    if not from_here(request):
        raise HTTPException(HTTPStatus.FORBIDDEN, "this was sent from another site's page")


def from_here(request: Request) -> bool:
    """Return whether a form was posted by one of our own pages, as far as the browser says.

    Browsers send Origin with every POST; a program without one cannot be somebody's browser tricked into posting.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def own_path(path: str) -> str:
    """Return a path of this very server to go to after the login; anything else becomes ``/``."""
    inside = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return quote(path.partition("?")[0], safe="/") if inside else "/"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
