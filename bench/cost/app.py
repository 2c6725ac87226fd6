"""``make bench-cost``: the whole desk on ten liquid pairs at their own pace, and at a multiple of it."""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.cost.account import TICK_TABLES, Account, Look, account, without_answers
from bench.cost.report import as_json, as_table
from bench.desk import processes
from bench.desk.desks import Desk, families, get, mode, post, running, wait_until
from bench.desk.pairs import PAIRS
from bench.place import SOURCE
from bench.workbench import MeasurementError
from nightdesk.errors import NightdeskError
from nightdesk.ticks import Kind

OUTPUT: Final = SOURCE / "build" / "cost.json"
FLOW_LIMIT_S: Final = 120.0
SQL: Final = {path.stem: path.read_bytes() for path in Path(__file__).parent.glob("*.sql")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for; a pace is a multiple of the pairs' own."""

    on: str
    seconds: float
    warm_up_s: float
    paces: tuple[float, ...]


def main(arguments: Sequence[str]) -> int:
    """Measure, write ``build/cost.json``, print tables; return the exit status."""
    plan = _plan(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        accounts = measured(plan)
    except (MeasurementError, NightdeskError, psycopg.Error, OSError, HTTPException, ValueError) as error:
        print(f"cost: {error}", file=sys.stderr)
        return 1
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(as_json(plan.on, accounts), indent=2) + "\n", encoding="utf-8")
    return 0


def measured(plan: Plan) -> list[Account]:
    """Return an account for each pace, the first being taken first."""
    symbols = ",".join(PAIRS)
    environ = {"SIMULATOR_SYMBOLS": symbols, "SUBSCRIBED_SYMBOLS": symbols, "SIMULATOR_HISTORY_TRADES": "20000"}
    accounts = []
    print(f"cost: ten pairs, {plan.seconds:g} s at each pace ({plan.on})", flush=True)
    with running(plan.on, environ) as desk:
        for pace in plan.paces:
            _set_pace(desk, pace)
            wait_until(lambda: _flows(desk), FLOW_LIMIT_S, "every kind of tick is stored")
            time.sleep(plan.warm_up_s)
            before = look(desk)
            time.sleep(plan.seconds)
            accounts.append(account(pace, before, look(desk)))
            print(f"{as_table(accounts[-1])}\n", flush=True)
    return accounts


def look(desk: Desk) -> Look:
    """Return what was used and stored so far."""
    with desk.database() as connection:
        rows = {name: connection.execute(query).fetchall() for name, query in SQL.items()}
    with desk.redis() as client:
        said: Mapping[str, Any] = client.info()
    ((wal_bytes, wal_files_bytes, transactions),) = rows["activity"]
    used = {service: processes.total(found) for service, found in sorted(families(desk).items())}
    return Look(
        at_s=time.monotonic(),
        used={**used, "redis": without_answers(used["redis"], int(said["total_net_output_bytes"]))},
        stored={Kind(kind).label: count for kind, count in rows["stored"]},
        tables={name: (size, index) for name, size, index in rows["sizes"]},
        wal_bytes=wal_bytes,
        wal_files_bytes=wal_files_bytes,
        transactions=transactions,
        spool_bytes=_spool_bytes(get(desk, "collector", "/metrics").decode()),
        aof_bytes=int(said["aof_current_size"]),
    )


def _spool_bytes(metrics: str) -> int:
    return int(sum(map(float, re.findall(r"^nightdesk_spool_bytes\{.*\} (\S+)$", metrics, re.MULTILINE))))


def _flows(desk: Desk) -> bool:
    with desk.database() as connection:
        stored = {Kind(kind).label for kind, count in connection.execute(SQL["stored"]) if count}
    return stored >= TICK_TABLES.keys()


def _set_pace(desk: Desk, pace: float) -> None:
    for symbol, own in PAIRS.items():
        rates = {
            "trades_per_s": own.trades_per_s * pace,
            "quotes_per_s": own.quotes_per_s * pace,
            "depth_per_s": own.depth_per_s * pace,
        }
        post(desk, "/sim/rate", {"symbols": [symbol], "shape": "flat", **rates})


def _plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--on", choices=("compose", "local"), help="where; as deploy/mode says unless given")
    parser.add_argument("--for", dest="seconds", type=float, default=120.0, help="seconds at each pace")
    parser.add_argument("--warm-up", type=float, default=30.0, help="seconds before each")
    parser.add_argument(
        "--paces",
        default="1,5,10",
        help="multiples of the pairs' own pace; the simulator changes a book a hundred times a second at most",
    )
    options = parser.parse_args(arguments)
    paces = tuple(float(one) for one in options.paces.split(","))
    return Plan(on=options.on or mode(), seconds=options.seconds, warm_up_s=options.warm_up, paces=paces)
