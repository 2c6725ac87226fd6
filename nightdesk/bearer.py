"""Bearer tokens of one service for another (RFC 6750)."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TypeAlias

from fastapi import Request
from starlette.exceptions import HTTPException

Guard: TypeAlias = Callable[[Request], Awaitable[None]]


def guard(token: str, name: str, *, realm: str) -> Guard:
    """Return a dependency that refuses a request without this bearer token; ``name`` is its variable."""
    return guard_any({name: token}, realm=realm)


def guard_any(tokens: Mapping[str, str], *, realm: str) -> Guard:
    """Return a dependency that refuses a request without one of these bearer tokens, by their variables."""
    wanted = " or ".join(f"<{name}>" for name in tokens)

    async def check(request: Request) -> None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        matches = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in tokens.values()]
        if scheme.lower() != "bearer" or not any(matches):
            raise HTTPException(
                HTTPStatus.UNAUTHORIZED,
                f"a bearer token is needed: Authorization: Bearer {wanted}",
                {"WWW-Authenticate": f'Bearer realm="{realm}"'},
            )

    return check
