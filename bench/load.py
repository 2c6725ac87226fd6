"""PostgreSQL alone: binary COPY of rows made before, committed turn by turn.

DATABASE_PASSWORD=... python -m bench.load DATABASE_URL SECONDS
"""

import json
import os
import sys
import time
from pathlib import Path

import psycopg

from bench.trades import copy_of_trades

ROWS_A_TURN = 20_000
TABLE = Path(__file__).with_name("copy.sql")
COPY = "COPY bench_trades FROM STDIN (FORMAT binary)"


def load(url: str, password: str, seconds: float) -> dict[str, float]:
    """Return how many rows were committed, and in how many seconds."""
    data = copy_of_trades(ROWS_A_TURN)
    with psycopg.connect(url, password=password) as connection:
        connection.execute(TABLE.read_text(encoding="utf-8"))
        connection.commit()
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write(data)
            connection.commit()
            count += ROWS_A_TURN
        return {"count": count, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    print(json.dumps(load(sys.argv[1], os.environ["DATABASE_PASSWORD"], float(sys.argv[2]))), flush=True)
