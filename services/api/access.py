"""Who may ask: a bearer token for programs, a cookie from the login form for pages.

The cookie holds no token but an expiry, signed with a key made of the session secret and the token: a leaked cookie
ends by itself, and changing the token ends them all. Comparisons take the same time whatever is wrong.
"""

import hashlib
import hmac
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import Request
from starlette.exceptions import HTTPException

COOKIE: Final = "nightdesk_session"
SESSION_S: Final = 30 * 24 * 3600


class LoginNeeded(Exception):  # noqa: N818  not a failure: the page comes after the form
    """A browser without a session asked for a page; ``next_path`` is where it wanted to go."""

    def __init__(self, next_path: str) -> None:
        super().__init__(next_path)
        self.next_path = next_path


class Gate:
    """Let those pass who know the token; everybody when there is none."""

    def __init__(self, *, token: str | None, secret: str, wall_s: Callable[[], float]) -> None:
        """Raise ValueError without a secret: a cookie signed with the token alone would confirm a guess of it."""
        if not secret:
            raise ValueError("a session secret is needed")
        self._token = token or ""
        self._key = hmac.new(secret.encode(), self._token.encode(), hashlib.sha256).digest()
        self._wall_s = wall_s

    @property
    def closed(self) -> bool:
        """Whether a token is asked for at all."""
        return bool(self._token)

    def knows(self, token: str) -> bool:
        """Return whether this is the token."""
        return hmac.compare_digest(_digest(token), _digest(self._token)) and self.closed

    def session(self) -> str:
        """Return a new cookie value: when it ends and a signature of that."""
        ends = str(int(self._wall_s()) + SESSION_S)
        return f"{ends}.{self._signature(ends)}"

    def holds(self, cookie: str) -> bool:
        """Return whether a cookie value is one of ours and has not ended."""
        ends, _, signature = cookie.partition(".")
        genuine = hmac.compare_digest(signature.encode(), self._signature(ends).encode())
        return genuine and self.closed and ends.isascii() and ends.isdigit() and int(ends) > self._wall_s()

    def admits(self, request: Request) -> bool:
        """Return whether a request brings the token or a session."""
        if not self.closed:
            return True
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.knows(token.strip()):
            return True
        return self.holds(request.cookies.get(COOKIE, ""))

    def _signature(self, ends: str) -> str:
        return hmac.new(self._key, f"nightdesk session {ends}".encode(), hashlib.sha256).hexdigest()


async def for_programs(request: Request) -> None:
    """Refuse a request without token or session."""
    if not request.app.state.gate.admits(request):
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            "a bearer token is needed: Authorization: Bearer <API_TOKEN>",
            {"WWW-Authenticate": 'Bearer realm="nightdesk"'},
        )


async def for_pages(request: Request) -> None:
    """Send a browser without a session to the login form."""
    if not request.app.state.gate.admits(request):
        raise LoginNeeded(request.url.path)


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
