"""``make alerter-kills``: ``python -m tests.alerting.kills [--kills 200] [--alerters 3] [--seed 1]``.

Alerters, each with a state and channels of its own, watch one real Prometheus in a storm of critical alerts and are
killed again and again. What arrived is then compared with what Prometheus remembers of its own alerts.
"""

import argparse
import json
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, Final

from tests.alerting.account import (
    Account,
    Fired,
    Labels,
    account,
    blamed,
    duplicates,
    episodes,
    lost_messages,
    needless_calls,
)
from tests.alerting.aims import AIMS
from tests.alerting.channels import HOOK, PAGER, SLACK
from tests.alerting.exporter import Exporter
from tests.alerting.processes import ROOT, Prometheus, running, within
from tests.alerting.storm import Storm, Weather, changes, rule_files
from tests.alerting.victim import RESOLVE_AFTER_S, Victim

REPORT: Final = ROOT / "build" / "alerter-kills.json"
COLUMNS: Final = (
    "alerter",
    "kills",
    "transitions",
    "delivered",
    "lost",
    "invented",
    "out_of_order",
    "messages",
    "duplicates",
    "slowest_s",
    "restart_s",
)
EVERY: Final = "500ms"
SURE_S: Final = 3.5
"""Episodes further apart are told as two, however late the alerter looks; the storm makes none that are closer."""

LOOK_S: Final = 0.1
KILL_LIMIT_S: Final = 60.0
"""For one kill, with the start before it; on two cores that do other work as well it takes a sixth of that."""

CALM_LIMIT_S: Final = 120.0
COUNTED: Final = (HOOK, PAGER)
"""The channels whose messages are told apart. At a kill each may have one under way, and that alone may come twice."""

FINDINGS_SHOWN: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one alerter."""

    name: str
    kills: Sequence[tuple[float, str]]
    sums: Account
    messages: int
    starts_s: Sequence[float]
    acknowledged: int
    findings: Sequence[str]

    def as_json(self) -> dict[str, Any]:
        """Return the row of the report."""
        sums = self.sums
        aims, again = Counter(aim for _, aim in self.kills), blamed(sums.duplicates, self.kills)
        return {
            "alerter": self.name,
            "kills": len(self.kills),
            "transitions": sums.transitions,
            "delivered": sums.delivered,
            "lost": sums.lost,
            "invented": sums.invented,
            "out_of_order": sums.out_of_order,
            "messages": self.messages,
            "duplicates": len(sums.duplicates),
            "missed": sums.missed,
            "joined": sums.joined,
            "acknowledged": self.acknowledged,
            "median_s": _middle(sums.beginnings_s),
            "slowest_s": _most(sums.beginnings_s),
            "end_median_s": _middle(sums.ends_s),
            "end_slowest_s": _most(sums.ends_s),
            "restart_s": _middle(self.starts_s),
            "slowest_restart_s": _most(self.starts_s),
            "aims": {aim: {"kills": aims[aim], "duplicates": again[aim]} for aim in AIMS},
        }


def run(directory: Path, *, kills: int, alerters: int, seed: str) -> list[Outcome]:
    """Do all of it; ``kills`` are shared out among the alerters."""
    with ExitStack() as stack:
        exporter = stack.enter_context(Exporter())
        prometheus = Prometheus(directory / "prometheus", {"test": exporter.address}, rule_files(), every=EVERY)
        victims = [Victim(f"alerter-{number}", directory, prometheus.url, seed) for number in range(alerters)]
        for one in victims:
            stack.enter_context(one.channels)
        stack.enter_context(running(prometheus, *(one.alerter for one in victims)))
        prometheus.begin()
        began_s = time.time()
        for one in victims:
            one.begin()
        with Storm(exporter, changes(Weather(), Random(seed))):
            _kill(victims, kills)
        _await_calm(prometheus, victims)
        fired = truth(prometheus, began_s)
        return [outcome_of(one, fired) for one in victims]


def truth(prometheus: Prometheus, since_s: float) -> list[Fired]:
    """Return every episode of every alert of the storm, as Prometheus remembers it."""
    now_s = time.time()
    found = prometheus.query(f'ALERTS{{alertstate="firing"}}[{now_s - since_s:.0f}s]', now_s)
    samples: dict[Labels, list[float]] = {}
    for one in found:
        labels = frozenset((name, value) for name, value in one["metric"].items() if name not in _SERIES_OWN)
        samples[labels] = [at_s for at_s, _ in one["values"]]
    return episodes(samples, samples.pop(_WATCHDOG), RESOLVE_AFTER_S)


def outcome_of(victim: Victim, fired: Iterable[Fired]) -> Outcome:
    """Compare what arrived at one alerter's channels with the truth."""
    hook, pager = victim.arrivals(HOOK), victim.arrivals(PAGER)
    evidence = victim.evidence()
    sums = account(fired, hook, sure_s=SURE_S)
    sums.duplicates += duplicates(pager)
    forgotten = victim.acknowledged - evidence.acknowledged_s.keys()
    found = [
        *sums.findings,
        *lost_messages(evidence.delivered["hook"], hook),
        *lost_messages(evidence.delivered["pager"], pager),
        *needless_calls([*hook, *pager], evidence.created_s, evidence.acknowledged_s),
        *(f"alert {number}: its acknowledgement was answered and forgotten" for number in sorted(forgotten)),
    ]
    if len(victim.channels.taken(SLACK)) < len(evidence.delivered["slack"]):
        found.append("Slack got fewer messages than are noted as delivered")
    for path, came in zip(COUNTED, (hook, pager), strict=True):
        if len(again := duplicates(came)) > len(victim.kills):
            found.append(f"{len(again)} messages came twice over {path} in {len(victim.kills)} kills")
    return Outcome(
        name=victim.name,
        kills=victim.kills,
        sums=sums,
        messages=len(hook) + len(pager),
        starts_s=victim.starts_s,
        acknowledged=len(evidence.acknowledged_s),
        findings=[*victim.findings, *(f"{victim.name}: {line}" for line in found)],
    )


def totals(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the sums over all alerters."""
    rows = [one.as_json() for one in outcomes]
    added = ("kills", "transitions", "delivered", "lost", "invented", "out_of_order", "messages", "duplicates")
    more = ("missed", "joined", "acknowledged")
    return {
        "alerter": "all",
        **{name: sum(row[name] for row in rows) for name in (*added, *more)},
        "median_s": _middle([one for outcome in outcomes for one in outcome.sums.beginnings_s]),
        "slowest_s": max(row["slowest_s"] for row in rows),
        "end_median_s": _middle([one for outcome in outcomes for one in outcome.sums.ends_s]),
        "end_slowest_s": max(row["end_slowest_s"] for row in rows),
        "restart_s": _middle([one for outcome in outcomes for one in outcome.starts_s]),
        "slowest_restart_s": max(row["slowest_restart_s"] for row in rows),
        "aims": {aim: {name: sum(row["aims"][aim][name] for row in rows) for name in _OF_AN_AIM} for aim in AIMS},
    }


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the rows as a table."""
    lines = [COLUMNS, *(tuple(str(row[name]) for name in COLUMNS) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Run, print and write the report; 0 when nothing is wrong."""
    options = _options(arguments)
    began_s = time.monotonic()
    print(f"seed {options.seed}: {options.kills} kills over {options.alerters} alerters", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="nightdesk-kills-") as directory:
        outcomes = run(Path(directory), kills=options.kills, alerters=options.alerters, seed=options.seed)
    rows = [*(one.as_json() for one in outcomes), totals(outcomes)]
    findings = [line for one in outcomes for line in one.findings]
    report = {"seed": options.seed, "seconds": round(time.monotonic() - began_s), "rows": rows, "findings": findings}
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(rows))
    for line in findings[:FINDINGS_SHOWN]:
        print(line)
    return 1 if findings else 0


_OF_AN_AIM: Final = ("kills", "duplicates")
_SERIES_OWN: Final = frozenset({"__name__", "alertstate"})
_WATCHDOG: Final[Labels] = frozenset({("alertname", "Watchdog"), ("severity", "info")})
"""Fires at every evaluation."""


def _kill(victims: Sequence[Victim], kills: int) -> None:
    """Kill each its share of times, all of them at once, while a person acknowledges."""
    over = threading.Event()
    deadline_s = time.monotonic() + KILL_LIMIT_S * (kills // len(victims) + 1)
    shares = [kills // len(victims) + (number < kills % len(victims)) for number in range(len(victims))]
    with ThreadPoolExecutor(2 * len(victims)) as threads:
        people = [threads.submit(one.acknowledge, over) for one in victims]
        killers = [
            threads.submit(one.suffer, share, AIMS, deadline_s) for one, share in zip(victims, shares, strict=True)
        ]
        try:
            for killer in killers:
                killer.result()
        finally:
            over.set()
        for person in people:
            person.result()


def _await_calm(prometheus: Prometheus, victims: Sequence[Victim]) -> None:
    """Wait until nothing fires, everybody knows, and everything is delivered; who is not there in time is found out."""
    within(CALM_LIMIT_S, lambda: prometheus.firing() == {"Watchdog"}, "the storm is over")
    over_s = time.time()
    left, deadline_s = list(victims), time.monotonic() + CALM_LIMIT_S
    while left and time.monotonic() < deadline_s:
        left = [one for one in left if not one.is_calm(over_s)]
        time.sleep(LOOK_S)
    for one in left:
        one.findings.append(f"{one.name}: not everything is over and delivered after {CALM_LIMIT_S:.0f} s")


def _middle(seconds: Sequence[float]) -> float:
    return round(statistics.median(seconds), 2) if seconds else 0.0


def _most(seconds: Sequence[float]) -> float:
    return round(max(seconds, default=0.0), 2)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.alerting.kills", description="Kill the alerter in a storm.")
    parser.add_argument("--kills", type=int, default=200, help="over all alerters")
    parser.add_argument("--alerters", type=int, default=3, help="at the same time")
    parser.add_argument("--seed", default=str(random.randrange(10**6)), help="of the storm, the kills and the channels")
    return parser.parse_args(arguments)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave through the ``finally`` clauses: no process may stay behind."""
    raise SystemExit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
