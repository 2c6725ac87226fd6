"""Bearer tokens of one service for another (RFC 6750)."""

import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias

from fastapi import Request
from starlette.exceptions import HTTPException

Guard: TypeAlias = Callable[[Request], Awaitable[None]]


def guard(token: str, name: str, *, realm: str) -> Guard:
    """Return a dependency that refuses a request without this bearer token; ``name`` is its variable."""

    async def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                f"a bearer token is needed: Authorization: Bearer <{name}>",
                {"WWW-Authenticate": f'Bearer realm="{realm}"'},
            )

    return check
