"""PostgreSQL alone, turn by turn: COPY so many rows and commit, as often and as large as the numbers on standard input.

    DATABASE_PASSWORD=... python -m bench.turn DATABASE_URL < sizes.json

It prints the seconds that each turn took.
"""

import json
import os
import sys
import time
from collections.abc import Sequence

import psycopg

from bench.load import COPY, TABLE
from bench.trades import COPY_END, COPY_HEAD, rows_of_trades


def turns(url: str, password: str, sizes: Sequence[int]) -> list[float]:
    """Return the seconds of each turn of so many rows."""
    rows = rows_of_trades(max(sizes))
    elapsed_s = []
    with psycopg.connect(url, password=password) as connection:
        connection.execute(TABLE.read_text(encoding="utf-8"))
        connection.commit()
        for size in sizes:
            data = COPY_HEAD + b"".join(rows[:size]) + COPY_END
            began_s = time.perf_counter()
            with connection.cursor() as cursor, cursor.copy(COPY) as copy:
                copy.write(data)
            connection.commit()
            elapsed_s.append(time.perf_counter() - began_s)
    return elapsed_s


if __name__ == "__main__":
    print(json.dumps({"elapsed_s": turns(sys.argv[1], os.environ["DATABASE_PASSWORD"], json.load(sys.stdin))}))
