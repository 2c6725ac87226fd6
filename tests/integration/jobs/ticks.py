"""Rows of every kind and shape, put into the tables of ticks by SQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from nightdesk.store.tables import TABLES
from tests.conftest import Database

TODAY = datetime.now(UTC).date()
OLD = TODAY - timedelta(days=9)
"""Older than the days that are kept."""

SYMBOLS = """
INSERT INTO feeds (feed, shards) VALUES ('simulator', 8);
INSERT INTO symbols (feed, symbol, shard)
VALUES ('simulator', 'BTCUSDT', 3), ('simulator', 'ETHUSDT', 5), ('simulator', 'Größe', 1);
"""

TRADES = """
INSERT INTO trades
SELECT
    1 + n %% 3, n %% 3 - 1,
    %(day)s::date::timestamptz + n * (interval '86399s' / greatest(%(rows)s, 1)),
    CASE WHEN n %% 7 > 0 THEN n END,
    CASE WHEN n %% 11 = 0 THEN 'NaN' WHEN n %% 13 = 0 THEN '-0' ELSE 60000 + n * 0.1 END, 0.1 + n %% 17,
    CASE WHEN n %% 5 > 0 THEN %(day)s::date::timestamptz + n * interval '1 microsecond' END,
    %(day)s::date::timestamptz + n * interval '3 microseconds'
FROM generate_series(1, %(rows)s) AS n
"""

AGG_TRADES = """
INSERT INTO agg_trades
SELECT
    1 + n %% 3, 1, %(day)s::date::timestamptz + n * interval '1.000001s',
    CASE WHEN n %% 5 > 0 THEN n END, CASE WHEN n %% 3 > 0 THEN n * 2 END, CASE WHEN n %% 4 > 0 THEN -n END,
    1e-300 * n, 1e300, CASE WHEN n %% 6 > 0 THEN %(day)s::date::timestamptz - interval '7 years' END, now()
FROM generate_series(1, %(rows)s) AS n
"""

QUOTES = """
INSERT INTO quotes
SELECT
    1 + n %% 2, %(day)s::date::timestamptz + n * interval '1.5s', CASE WHEN n %% 2 > 0 THEN n END,
    CASE WHEN n %% 3 > 0 THEN n END, CASE WHEN n %% 5 > 0 THEN 'Infinity'::float8 END,
    CASE WHEN n %% 7 > 0 THEN '-Infinity'::float8 END, CASE WHEN n %% 8 > 0 THEN 'NaN'::float8 END, NULL, now()
FROM generate_series(1, %(rows)s) AS n
"""

DEPTHS = """
INSERT INTO depths
SELECT
    1 + n %% 2, %(day)s::date::timestamptz + n * interval '1.5s', CASE WHEN n %% 2 > 0 THEN n END,
    CASE WHEN n %% 3 > 0 THEN 0.01 END, CASE WHEN n %% 4 > 0 THEN 1.5 END,
    CASE WHEN n %% 5 > 0 THEN %(day)s::date::timestamptz END, now(),
    ARRAY(SELECT n + 0.1 * i FROM generate_series(1, 2 * (n %% 6)) AS i)::float8[],
    ARRAY(SELECT CASE WHEN i = 3 THEN 'NaN' ELSE n - 0.1 * i END FROM generate_series(1, 2 * (n %% 4)) AS i)::float8[]
FROM generate_series(1, %(rows)s) AS n
"""

INSERTS = {"trades": TRADES, "agg_trades": AGG_TRADES, "quotes": QUOTES, "depths": DEPTHS}


def fill(database: Database, day: date = OLD, rows: int = 3000, tables: tuple[str, ...] = tuple(INSERTS)) -> None:
    """Put so many rows into a day of each table; makes the symbols at the first time."""
    with database.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        if connection.execute("SELECT count(*) FROM symbols").fetchone() == (0,):
            connection.execute(SYMBOLS)
        for table in tables:
            connection.execute("SELECT ensure_day(%s, %s)", (table, day))
            connection.execute(INSERTS[table], {"day": day, "rows": rows})


def contents(database: Database, table: str, day: date = OLD) -> list[Any]:
    """Every row of a day, each value by its bytes as PostgreSQL sends them, in an order of its own."""
    with database.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        query = f"SELECT encode(record_send(t), 'hex') FROM {table} AS t WHERE time >= %s AND time < %s"
        return sorted(connection.execute(query.encode(), (day, day + timedelta(days=1))).fetchall())


def everything(database: Database, day: date = OLD) -> dict[str, list[Any]]:
    return {table: contents(database, table, day) for table in TABLES.values()}


def partitions(database: Database, day: date = OLD) -> set[str]:
    with database.connect() as connection:
        found = connection.execute("SELECT relname FROM pg_class WHERE relname LIKE %s", (f"%\\_{day:%Y%m%d}",))
        return {str(name).rpartition("_")[0] for (name,) in found.fetchall()}
