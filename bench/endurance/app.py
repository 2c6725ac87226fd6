"""``make bench-endurance``: let a desk run, watch every process's memory, fit a line to each, write it down."""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.desk.desks import Desk, get_json, mode, post, running, wait_until
from bench.desk.pairs import PAIRS
from bench.endurance import report
from bench.endurance.hour import Recorded, record
from bench.endurance.memory import Memory
from bench.endurance.report import Row
from bench.place import SOURCE
from bench.workbench import MeasurementError
from nightdesk.errors import NightdeskError

OUTPUT: Final = SOURCE / "build" / "endurance.json"
OURS: Final = ("simulator", "collector", "worker", "api", "redis", "postgres")
"""What must not grow. Prometheus keeps two hours in memory before it writes them, and so grows by design."""
QUIET_LIMIT_S: Final = 120.0
SEED: Final = 11
WARM_SHARE: Final = 0.25
"""How much of a replayed hour passes before anything is fitted."""
HISTORY_TRADES: Final = 20_000
"""What the simulator remembers of each pair: so little that it is full before the measurement begins."""
COUNTS: Final = {
    "trade": "SELECT count(*) FROM trades",
    "quote": "SELECT count(*) FROM quotes",
    "depth": "SELECT count(*) FROM depths",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked for."""

    on: str
    rate: float
    warm_up_s: float
    seconds: float
    hour_s: float
    speed: float
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One part's outcome."""

    facts: Mapping[str, Any]
    rows: list[Row]


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for; return 0 when nothing of ours grows and nothing is lost."""
    plan = _plan(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    runs: dict[str, Run] = {}
    try:
        for part in plan.parts:
            runs[part] = PARTS[part](plan)
            _show(runs[part])
    except (MeasurementError, NightdeskError, psycopg.Error, OSError, HTTPException) as error:
        print(f"endurance: {error}", file=sys.stderr)
        return 1
    rows = [row for run in runs.values() for row in run.rows]
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    document = report.as_json(rows, {part: run.facts for part, run in runs.items()})
    OUTPUT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    wrong = [*report.growing(rows, OURS), *(f"{part}: not everything is stored" for part in _incomplete(runs))]
    print("\n".join(wrong or ["nothing grows and nothing is lost"]))
    return 1 if wrong else 0


def steady(plan: Plan) -> Run:
    """Run the simulator's market at one rate."""
    environ = {"SIMULATOR_HISTORY_TRADES": str(HISTORY_TRADES), "SIMULATOR_SHAPE": "flat"}
    print(
        f"steady: {plan.rate:g} trades/s for {plan.warm_up_s:g} s and {plan.seconds:g} s more ({plan.on})", flush=True
    )
    with running(plan.on, environ) as desk:
        post(desk, "/sim/rate", {"trades_per_s": plan.rate, "quotes_per_s": 500.0, "depth_per_s": 50.0})
        rows = _watched("steady", desk, plan.warm_up_s, plan.seconds, lambda: False)
        post(desk, "/sim/stop", {})
        sent = {"trade": _sent_trades(get_json(desk, "simulator", "/sim/state"))}
        return _run(plan, desk, rows, sent, {"trades_per_s": plan.rate, "seconds": plan.seconds})


def replay(plan: Plan) -> Run:
    """Play an hour of market faster than it was."""
    seconds = plan.hour_s / plan.speed
    with tempfile.TemporaryDirectory(prefix="nightdesk-hour-") as name:
        began_s = time.monotonic()
        begin_ms = int((time.time() - plan.hour_s) * 1000)
        recorded = record(Path(name) / "hour", PAIRS, begin_ms=begin_ms, seconds=plan.hour_s, seed=SEED)
        Path(name).chmod(0o755)
        print(f"replay: {plan.hour_s:g} s of ten pairs, {recorded.total:,} messages, made in "
              f"{time.monotonic() - began_s:.0f} s; played at {plan.speed:g}x ({plan.on})", flush=True)  # fmt: skip
        environ = {"SUBSCRIBED_SYMBOLS": ",".join(PAIRS), "SIMULATOR_REPLAY_SPEED": f"{plan.speed:g}"}
        with running(plan.on, environ, recording=recorded.path) as desk:
            wait_until(lambda: _played(desk)["sent"] > 0, QUIET_LIMIT_S, "the replay began")
            rows = _watched("replay", desk, WARM_SHARE * seconds, seconds, lambda: bool(_played(desk)["done"]))
            wait_until(lambda: bool(_played(desk)["done"]), seconds, "the replay ended")
            return _run(plan, desk, rows, _ticks(recorded), _hour_facts(plan, recorded))


PARTS: Final[Mapping[str, Callable[[Plan], Run]]] = {"steady": steady, "replay": replay}


def _watched(part: str, desk: Desk, warm_up_s: float, seconds: float, ended: Callable[[], bool]) -> list[Row]:
    """Return a row a process: what its memory did in so many seconds after the warm-up, or until it ended."""
    memory = Memory(desk)
    memory.start()
    try:
        time.sleep(warm_up_s)
        begin_s = time.monotonic()
        while time.monotonic() - begin_s < seconds and not ended():
            time.sleep(1.0)
        watched_s = time.monotonic() - begin_s
    finally:
        memory.stop()
    series = [one.since(begin_s) for one in memory.series()]
    print(f"{part}: watched for {watched_s:.0f} s; there for a while only: {report.passing(series, watched_s)}")
    return report.rows(part, series, watched_s)


def _run(plan: Plan, desk: Desk, rows: list[Row], sent: Mapping[str, int], facts: Mapping[str, Any]) -> Run:
    """Wait until all is stored and say how much was."""
    stored = _stored(desk, sent)
    return Run({"on": plan.on, **facts, "sent": dict(sent), "stored": stored}, rows)


def _stored(desk: Desk, sent: Mapping[str, int]) -> dict[str, int]:
    """Return the rows there are of each kind, once they are what was sent or no more come."""
    last, still = dict.fromkeys(sent, -1), 0
    with desk.database() as connection:
        while last != dict(sent) and still < 10:
            time.sleep(1.0)
            now = {kind: _count(connection, COUNTS[kind]) for kind in sent}
            still, last = (still + 1 if now == last else 0), now
    return last


def _count(connection: "psycopg.Connection[Any]", query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _incomplete(runs: Mapping[str, Run]) -> list[str]:
    return [part for part, run in runs.items() if run.facts["sent"] != run.facts["stored"]]


def _sent_trades(state: Mapping[str, Any]) -> int:
    """Return how many trades went out to the collector, whose one connection heard all symbols from its first on."""
    heard = [(one["first_trade_id"], one["last_trade_id"]) for one in state["connections"]]
    return sum(last[symbol] - first[symbol] + 1 for first, last in heard for symbol in first)


def _ticks(recorded: Recorded) -> dict[str, int]:
    """Return the ticks that a recording becomes: a message each, and every book as of its snapshot."""
    ticks = {kind: recorded.messages.get(kind, 0) for kind in COUNTS}
    return {**ticks, "depth": ticks["depth"] + len(PAIRS)}


def _hour_facts(plan: Plan, recorded: Recorded) -> dict[str, Any]:
    return {
        "market_s": plan.hour_s,
        "fitted_s": plan.hour_s * (1 - WARM_SHARE),
        "speed": plan.speed,
        "messages": recorded.total,
        "symbols": len(PAIRS),
    }


def _played(desk: Desk) -> Mapping[str, Any]:
    return dict(get_json(desk, "simulator", "/sim/state")["replay"])


def _show(run: Run) -> None:
    print(f"{report.as_table(run.rows)}\nsent {run.facts['sent']}, stored {run.facts['stored']}\n", flush=True)


def _plan(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m bench.endurance", description=__doc__)
    parser.add_argument("--on", choices=("compose", "local"), help="where; as deploy/mode says unless given")
    parser.add_argument("--only", choices=tuple(PARTS), help="one part")
    parser.add_argument("--rate", type=float, default=2000.0, help="trades a second of the steady part")
    parser.add_argument("--for", dest="seconds", type=float, default=600.0, help="seconds of the steady part")
    parser.add_argument("--warm-up", type=float, default=300.0, help="seconds before the steady part is fitted")
    parser.add_argument("--hour", type=float, default=3600.0, help="seconds of market in the replay")
    parser.add_argument("--speed", type=float, default=10.0, help="of the replay")
    options = parser.parse_args(arguments)
    return Plan(
        on=options.on or mode(), rate=options.rate, warm_up_s=options.warm_up, seconds=options.seconds,
        hour_s=options.hour, speed=options.speed, parts=(options.only,) if options.only else tuple(PARTS),
    )  # fmt: skip
