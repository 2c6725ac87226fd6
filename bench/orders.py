"""Orders from CSV into the database, and the report over a million of them, beside PostgreSQL alone.

DATABASE_PASSWORD=... python -m bench.orders DATABASE_URL
"""

import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from psycopg.rows import dict_row

from nightdesk.orders.batches import from_csv
from nightdesk.orders.kinds import ORDERS
from nightdesk.orders.loading import load
from nightdesk.reports.statements import statement
from nightdesk.reports.trades import STATEMENTS, build, parameters
from nightdesk.reports.trades_text import as_text
from nightdesk.store.database import Connection, connect

IMPORTED: Final = 200_000
STORED: Final = 1_000_000
FIRST: Final = date(2026, 11, 1)
LAST: Final = date(2026, 11, 30)
TIMES: Final = 3
HERE: Final = Path(__file__).parent


def lines() -> Iterator[str]:
    """Yield a file of orders: 50 instruments, 12 traders, a month."""
    yield ",".join(ORDERS.required) + "\n"
    for number in range(IMPORTED):
        status = ("pending", "cancelled", "failed")[number % 3] if number % 8 == 0 else "executed"
        day, second = 1 + number % 30, number % 86_400
        yield (
            f"C-{number},S{number % 50},t{number % 12},{'buy' if number % 2 else 'sell'},{number % 997 + 1},"
            f"{number % 1009 + 1}.{number % 100:02},{status},2026-11-{day:02}T{second // 3600:02}:"
            f"{second // 60 % 60:02}:{second % 60:02}Z\n"
        )


def imported(connection: Connection) -> dict[str, float]:
    """Return seconds of the import and of a bare COPY of the same lines into a table of texts and numbers alone."""
    file = "".join(lines())
    bare_s = _timed(lambda: _copied(connection, file))
    started = time.perf_counter()
    counts = load(connection, ORDERS, from_csv(ORDERS, io.StringIO(file)), create=True)
    return {"rows": counts.added, "import_s": time.perf_counter() - started, "copy_s": bare_s}


def _copied(connection: Connection, file: str) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute((HERE / "orders_table.sql").read_bytes())
        with cursor.copy((HERE / "orders_copy.sql").read_bytes()) as copy:
            rows = io.StringIO(file)
            while block := "".join(islice(rows, 5000)):
                copy.write(block)


def reported(connection: Connection) -> dict[str, float]:
    """Return seconds of the report over all orders, and of the one sum that any report of them needs."""
    connection.execute((HERE / "orders_fill.sql").read_bytes(), {"orders": STORED - IMPORTED})
    connection.execute("ANALYZE orders")
    period = parameters(FIRST, LAST)
    return {
        "report_s": min(_timed(lambda: _report(connection, period)) for _ in range(TIMES)),
        "bare_s": min(_timed(lambda: _sum(connection, period)) for _ in range(TIMES)),
    }


def _report(connection: Connection, period: dict[str, Any]) -> None:
    cursor = connection.cursor(row_factory=dict_row)
    rows = {name: cursor.execute(statement(name).encode(), period).fetchall() for name in STATEMENTS}
    report = build(FIRST, LAST, rows)
    if report.overview.orders != STORED or not as_text(report, datetime(2026, 12, 1, tzinfo=UTC)):
        raise RuntimeError(f"{report.overview.orders} orders instead of {STORED}")


def _sum(connection: Connection, period: dict[str, Any]) -> None:
    connection.execute((HERE / "orders_sum.sql").read_bytes(), period).fetchall()


def _timed(action: Callable[[], None]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main(url: str) -> None:
    """Print the figures."""
    with connect(url, os.environ["DATABASE_PASSWORD"], name="bench") as connection:
        figures = {**imported(connection), **reported(connection)}
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
