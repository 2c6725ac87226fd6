"""Whether Redis really forgot: a key that it had before must be gone."""

from typing import Final

import redis

from nightdesk.errors import UnavailableError
from tests.chaos.databases import redis_client
from tests.chaos.stacks import Stack
from tests.chaos.waiting import within

KEY: Final = "chaos:remembered"
BACK_LIMIT_S: Final = 30.0


def remember(stack: Stack) -> None:
    """Write the key."""
    with redis_client(stack) as client:
        client.set(KEY, "1")


def forgotten(stack: Stack) -> tuple[str, ...]:
    """Wait until Redis answers again; return what is wrong when it knows the key."""
    return () if within(BACK_LIMIT_S, lambda: _is_gone(stack)) else ("Redis forgot nothing, or did not come back",)


def _is_gone(stack: Stack) -> bool:
    try:
        with redis_client(stack) as client:
            return not client.exists(KEY)
    except (redis.RedisError, UnavailableError):
        return False
