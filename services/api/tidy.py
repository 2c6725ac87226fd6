"""Forms that ask by GET send every field, the empty ones too: a browser is sent on to the address without them."""

from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PAGE: Final = "text/html"


class TidyQuery:
    """Middleware before everything else; programs that send an empty parameter are told that it is wrong."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or send its browser to the address that says the same in short."""
        if scope["type"] == "http" and scope["method"] == "GET" and PAGE in Headers(scope=scope).get("accept", ""):
            tidy = without_empty(scope["query_string"].decode("latin-1"))
            if tidy is not None:
                # Relative, so that it stays on this page whatever the path looks like.
                await RedirectResponse(f"?{tidy}", 303)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def without_empty(query: str) -> str | None:
    """Return a query without parameters that have no value; None when there is none of these."""
    fields = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in fields if value.strip()]
    return None if len(kept) == len(fields) else urlencode(kept)
