"""The reader's connections to PostgreSQL, and the api's statements.

Nothing here waits long: a database that is away is an answer of its own.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import cache
from importlib import resources
from typing import Any, Final, TypeAlias, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from nightdesk.errors import UnavailableError
from nightdesk.reports.statements import statement as report_statement

ACQUIRE_S: Final = 2.5
CONNECT_S: Final = 3
STATEMENT_MS: Final = 10_000
PATIENCE_S: Final = STATEMENT_MS / 1000 + 1
MAX_CONNECTIONS: Final = 4
REPORTS: Final = "reports/"
REPORTS_AT_ONCE: Final = 2
"""Connections that reports may hold; the others stay free for what is quick."""

REPORT_PATIENCE_S: Final = 30.0
SNAPSHOT: Final = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
RETRY_S: Final = 5.0
"""The pool tries a lost server for so long, then only when somebody asks: so it is back as soon as the server is."""

RowList: TypeAlias = list[dict[str, object]]
Cursor: TypeAlias = psycopg.AsyncCursor[dict[str, object]]
Answer = TypeVar("Answer")


@cache
def statement(name: str) -> str:
    """Return the text of ``sql/<name>.sql``, or of a report's statement where the name begins with ``reports/``."""
    if name.startswith(REPORTS):
        return report_statement(name.removeprefix(REPORTS))
    return resources.files("services.api").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


class Database:
    """Run the api's statements as the reader."""

    def __init__(self, *, url: str, password: str | None) -> None:
        options: dict[str, Any] = {
            "autocommit": True,
            "connect_timeout": CONNECT_S,
            "application_name": "nightdesk-api",
            "options": f"-c statement_timeout={STATEMENT_MS} -c timezone=UTC -c jit=off",
            # A host that vanished without a word is noticed within seconds.
            "tcp_user_timeout": 5000,
            "keepalives_idle": 5,
        }
        if password is not None:
            options["password"] = password
        self._pool = AsyncConnectionPool(
            url,
            kwargs=options,
            min_size=1,
            max_size=MAX_CONNECTIONS,
            timeout=ACQUIRE_S,
            reconnect_timeout=RETRY_S,
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        self._asking: set[asyncio.Task[Any]] = set()
        self._reports = asyncio.Semaphore(REPORTS_AT_ONCE)

    async def open(self) -> None:
        """Begin to connect; does not wait, since the database may come later."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pool.close(timeout=2.0)

    async def rows(self, name: str, parameters: Mapping[str, object], within_s: float = PATIENCE_S) -> RowList:
        """Return the rows of one statement; raises UnavailableError when the database does not answer in time.

        A server that is stopped in the middle of a statement answers not even its cancellation, and psycopg waits for
        that. So the question is left behind, not cancelled; the pool bounds how many there can be.
        """
        found = await self._left_behind(self._ask([name], parameters), within_s)
        return found[name]

    async def report(self, names: Iterable[str], parameters: Mapping[str, object]) -> dict[str, RowList]:
        """Return the rows of a report's statements by their names, all as of one moment.

        Waits for its turn behind other reports. Raises UnavailableError when all is not there within half a minute.
        """
        return await self._left_behind(self._in_turn(list(names), parameters), REPORT_PATIENCE_S)

    async def _in_turn(self, names: Sequence[str], parameters: Mapping[str, object]) -> dict[str, RowList]:
        async with self._reports:
            found = await self._ask([f"{REPORTS}{name}" for name in names], parameters, as_of_one_moment=True)
        return {name: found[f"{REPORTS}{name}"] for name in names}

    async def _left_behind(self, question: Coroutine[Any, Any, Answer], within_s: float) -> Answer:
        asking = asyncio.create_task(question)
        self._asking.add(asking)
        asking.add_done_callback(self._answered)
        await asyncio.wait({asking}, timeout=within_s)
        if not asking.done():
            raise UnavailableError(f"the database did not answer within {within_s:g} s")
        return asking.result()

    def _answered(self, asking: "asyncio.Task[Any]") -> None:
        self._asking.discard(asking)
        if not asking.cancelled():
            asking.exception()  # looked at, so that an answer nobody waits for any more is no warning

    async def _ask(
        self, names: Sequence[str], parameters: Mapping[str, object], *, as_of_one_moment: bool = False
    ) -> dict[str, RowList]:
        try:
            async with self._pool.connection() as connection, AsyncExitStack() as transaction:
                if as_of_one_moment:
                    await transaction.enter_async_context(connection.transaction())
                    await connection.execute(SNAPSHOT)
                cursor = connection.cursor(row_factory=dict_row)
                return {name: await _fetched(cursor, name, parameters) for name in names}
        except PoolTimeout as error:
            raise UnavailableError("the database does not answer") from error
        except psycopg.errors.QueryCanceled as error:
            raise UnavailableError(f"the database took longer than {STATEMENT_MS // 1000} s") from error
        except psycopg.OperationalError as error:
            raise UnavailableError("the connection to the database broke") from error
        except psycopg.errors.UndefinedTable as error:
            raise UnavailableError("the database has no schema yet") from error


async def _fetched(cursor: Cursor, name: str, parameters: Mapping[str, object]) -> RowList:
    await cursor.execute(statement(name).encode(), parameters)
    return await cursor.fetchall()
