"""Four workers share the streams; nothing is lost and order holds per symbol."""

from typing import Any

import pytest
import requests

from tests.e2e.stack import Desk, eventually

pytestmark = pytest.mark.e2e

# Admission takes an id above the mark as new, and opens a gap where it jumps: so one row an id, no gap and no duplicate
# mean that every trade came, once, and in order.
STORED = """
SELECT symbol, min(trade_id), max(trade_id), count(*), count(DISTINCT trade_id),
    (SELECT max(duplicates) FROM marks WHERE marks.symbol_id = symbols.symbol_id AND marks.kind = 1),
    (SELECT count(*) FROM gaps WHERE gaps.symbol_id = symbols.symbol_id AND gaps.kind = 1 AND opened_at >= '{since}')
FROM trades JOIN symbols USING (symbol_id)
WHERE received_at >= '{since}'
GROUP BY symbols.symbol_id, symbol
"""


def consumers(desk: Desk) -> dict[str, Any]:
    part = next(part for part in desk.health()["parts"] if part["part"] == "consumers/simulator")
    return dict(part["facts"])


def test_four_workers_lose_nothing_and_keep_order(desk: Desk) -> None:
    since = desk.query("SELECT now()")[0][0]
    desk.simulator("POST", "rate", trades_per_s=1000)
    desk.up("--no-recreate", "--scale", "worker=4", "worker")
    eventually(
        lambda: consumers(desk),
        lambda facts: (facts["workers"], facts["owned"]) == (4, facts["consumers"]),
        within_s=60,
        what="four workers share all consumers",
    )
    desk.up("--no-recreate", "--scale", "worker=1", "worker")
    eventually(
        lambda: consumers(desk),
        lambda facts: (facts["workers"], facts["owned"]) == (1, facts["consumers"]),
        within_s=60,
        what="one worker owns all consumers again",
    )

    desk.simulator("POST", "stop")
    try:
        sent = {
            symbol: int(one["last_trade_id"])
            for symbol, one in desk.simulator("GET", "state")["symbols"].items()
            if symbol.endswith("USDT")
        }
        rows = eventually(
            lambda: {row[0]: [int(value or 0) for value in row[1:]] for row in desk.query(STORED.format(since=since))},
            lambda found: all(found[symbol][1] == last for symbol, last in sent.items() if symbol in found),
            within_s=60,
            what="the last trade of every symbol is stored",
        )
    finally:
        desk.simulator("POST", "start")
        desk.simulator("POST", "rate", trades_per_s=100)

    assert len(rows) == 5
    for symbol, (first, last, count, distinct, duplicates, gaps) in rows.items():
        assert (count, distinct) == (last - first + 1, last - first + 1), symbol
        assert (duplicates, gaps) == (0, 0), symbol


def test_prometheus_finds_every_replica(desk: Desk) -> None:
    prometheus = desk.url("prometheus")

    def workers() -> int:
        answer = requests.get(
            f"{prometheus}/api/v1/query", params={"query": 'count(up{job="worker"} == 1)'}, timeout=10
        )
        return int(answer.json()["data"]["result"][0]["value"][1])

    desk.up("--no-recreate", "--scale", "worker=2", "worker")
    try:
        eventually(workers, lambda count: count == 2, within_s=60, what="two workers are scraped")
    finally:
        desk.up("--no-recreate", "--scale", "worker=1", "worker")
