"""One connection to PostgreSQL, its statements and its errors."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar, Final, TypeAlias

import psycopg

from nightdesk.errors import LeaseLostError, NightdeskError, UnavailableError

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_S: Final = 3
"""libpq takes whole seconds; the design says 3.05."""

LOST_PEER_MS: Final = 15_000
"""A server that acknowledges nothing for so long is gone."""

KEEPALIVE_S: Final = 5
"""Seconds of silence after which the peer is asked whether it is there: who waits for an answer sends nothing that
could stay unacknowledged, and by itself the system would ask after two hours."""

_KEEPALIVES: Final = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
"""The same for the server, which would keep the locks of a client that is gone without a word."""

FENCE: Final = "ND001"
"""What ``advance_positions`` raises when the positions are not where the caller left them."""


class RefusedError(NightdeskError):
    """PostgreSQL answered and would not take the rows; the text is its own."""


class HinderedError(RefusedError):
    """PostgreSQL could not do it now for no fault of the rows: a lock, a time limit, a damaged file."""

    retryable: ClassVar[bool] = True


def connect(url: str, password: str | None, *, name: str, settings: Mapping[str, str] | None = None) -> Connection:
    """Return a connection in autocommit; raises UnavailableError.

    ``name`` is shown in ``pg_stat_activity``; ``settings`` are the session's.
    """
    options = " ".join(
        f"-c {key}={value}" for key, value in {"timezone": "UTC", **_KEEPALIVES, **(settings or {})}.items()
    )
    with translated():
        return psycopg.connect(
            url,
            password=password,
            autocommit=True,
            application_name=name,
            connect_timeout=CONNECT_TIMEOUT_S,
            tcp_user_timeout=LOST_PEER_MS,
            keepalives_idle=KEEPALIVE_S,
            keepalives_interval=KEEPALIVE_S,
            options=options,
        )


@cache
def statement(name: str) -> bytes:
    """Return the text of ``sql/<name>.sql``."""
    return files("nightdesk.store").joinpath("sql", f"{name}.sql").read_bytes()


def array(values: Iterable[float | None]) -> str:
    """Return numbers, truth values and nulls as the text of an array: many times cheaper than the driver's lists."""
    return "{" + ",".join(["NULL" if value is None else repr(value) for value in values]) + "}"


def texts(values: Iterable[str]) -> str:
    """Return words as the text of an array."""
    return "{" + ",".join(['"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values]) + "}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours, each saying whether to try again."""
    try:
        yield
    except psycopg.Error as error:
        text = str(error).strip()
        if error.sqlstate == FENCE:
            raise LeaseLostError(text) from error
        if _is_away(error):
            raise UnavailableError(f"PostgreSQL: {text}") from error
        if (error.sqlstate or "").startswith(_HINDERED):
            raise HinderedError(text) from error
        raise RefusedError(text) from error


def _is_away(error: psycopg.Error) -> bool:
    """Whether nothing can be done now; a table's damaged file or a lock that is not given concern one turn alone."""
    if error.sqlstate in _AWAY:
        return True
    if isinstance(error, psycopg.OperationalError):
        return not (error.sqlstate or "").startswith(_ONE_TURN)
    return isinstance(error, psycopg.InterfaceError)


_HINDERED: Final = ("58", "55", "57014")
"""System errors, objects not in the needed state, statement timeouts."""

_AWAY: Final = frozenset({"25006", "25P03"})
"""A server that only reads, as a standby does after a failover; a transaction that was ended because it paused."""

_ONE_TURN: Final = (*_HINDERED, "54")
"""Classes that the driver calls operational; the last is what exceeds a limit, which the same rows always will.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""
