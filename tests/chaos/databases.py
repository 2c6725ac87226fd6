"""The stack's databases as the harness reaches them: as the superuser, from outside."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import psycopg
import redis

from nightdesk.errors import UnavailableError
from tests.chaos.stacks import DATABASE, SUPERUSER, Stack

CONNECT_TIMEOUT_S: Final = 3
WRITER: Final = "nightdesk_writer"
"""The workers' role."""

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


def postgres(stack: Stack) -> Connection:
    """Return a connection in autocommit. Raises UnavailableError."""
    at = stack.postgres()
    try:
        return psycopg.connect(
            host=at.host, port=at.port, password=at.password, user=SUPERUSER, dbname=DATABASE, autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S, options="-c timezone=UTC",
        )  # fmt: skip
    except psycopg.OperationalError as error:
        raise UnavailableError(f"PostgreSQL does not answer: {error}") from error


def redis_client(stack: Stack) -> "redis.Redis":
    """Return a client; nothing is sent yet."""
    at = stack.redis()
    return redis.Redis(at.host, at.port, password=at.password, socket_timeout=5, socket_connect_timeout=3)


def memory(client: "redis.Redis") -> tuple[int, int]:
    """Return the bytes that Redis uses and those that it may use."""
    found: Mapping[str, Any] = client.info("memory")
    return int(found["used_memory"]), int(found["maxmemory"])


def owners(stack: Stack) -> int:
    """Return how many workers own consumers; 0 while PostgreSQL does not answer."""
    try:
        with postgres(stack) as connection:
            rows = connection.execute("SELECT count(DISTINCT owner) FROM leases WHERE expires_at > now()").fetchall()
    except UnavailableError:
        return 0
    return int(rows[0][0])
