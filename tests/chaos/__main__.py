"""``make chaos``: ``python -m tests.chaos [--on compose|local] [--only kill-worker] [--quick | --long]``."""

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import requests

from nightdesk.errors import NightdeskError
from tests.chaos import books
from tests.chaos.faults import FAULTS, LONG, QUICK
from tests.chaos.harness import Check, Harness, Load, Outcome
from tests.chaos.stacks import SOURCE, NotHereError, Stack, running

REPORT: Final = SOURCE / "build" / "chaos.json"
COLUMNS: Final = ("on", "fault", "sent", "stored", "ledgered", "lost", "duplicates", "recovery_s", "peak_mb")
ALL: Final = {**FAULTS, **LONG}
CHECKS: Final[tuple[Check, ...]] = (books.check,)
STARTS_IN_A_ROW: Final = 2
"""So many stacks that take no fault at all, and the rest is given up."""


def main(arguments: Sequence[str]) -> int:
    """Run the faults asked for; 0 when every trade of every one is accounted for."""
    options = _options(arguments)
    run = Run(options.on, Load(trades_per_s=options.rate, before_s=options.seconds))
    try:
        run.all(options.names)
    finally:
        # Whoever ends it early gets what there is; the rows of what was not run stay.
        write(REPORT, run.outcomes, on=options.on, names=run.begun)
    print(table(run.outcomes))
    for line in run.findings:
        print(line)
    return 1 if run.findings else 0


class Run:
    """One fault after the other on one stack, which is replaced when a fault leaves it broken."""

    def __init__(self, on: str, load: Load) -> None:
        self._on = on
        self._load = load
        self.begun: list[str] = []
        self.outcomes: list[Outcome] = []
        self.findings: list[str] = []

    def all(self, names: Iterable[str]) -> None:
        """Run the faults; whatever goes wrong is in ``findings``."""
        left, fruitless = list(names), 0
        while left and fruitless < STARTS_IN_A_ROW:
            before = len(left)
            try:
                say(f"starting a stack of its own ({self._on})")
                with running(self._on, long=left[0] in LONG) as stack:
                    self._on_one(stack, left)
            except NightdeskError as error:
                self._wrong(f"the stack: {error}")
            fruitless = fruitless + 1 if len(left) == before else 0
        if left:
            self._wrong(f"not run: {', '.join(left)}")

    def _on_one(self, stack: Stack, left: list[str]) -> None:
        """Run the faults that are left until one breaks the stack."""
        harness = Harness(stack, self._load, CHECKS)
        with harness.watching():
            goes_on = True
            while left and goes_on:
                goes_on = self._one(stack, harness, left.pop(0))
            if goes_on:
                self._wrong_all("over all faults", harness.final_findings())

    def _one(self, stack: Stack, harness: Harness, name: str) -> bool:
        """Run one fault; False when the stack cannot take another one."""
        self.begun.append(name)
        started_s = time.monotonic()
        try:
            outcome = harness.run(name, ALL[name])
        except NotHereError as error:
            say(f"{name}: not run: {error}")
            return True
        except (NightdeskError, OSError, requests.RequestException) as error:
            self._wrong(f"{name}: {type(error).__name__}: {error}")
            show_logs(stack)
            return False
        self.outcomes.append(outcome)
        self._wrong_all(name, outcome.findings)
        verdict = "wrong" if outcome.findings else "right"
        say(f"{name}: {verdict} after {time.monotonic() - started_s:.0f} s; {'; '.join(outcome.notes)}")
        if outcome.findings:
            show_logs(stack)
        return outcome.goes_on

    def _wrong_all(self, what: str, lines: Iterable[str]) -> None:
        for line in lines:
            self._wrong(f"{what}: {line}")

    def _wrong(self, line: str) -> None:
        say(line)
        self.findings.append(line)


def show_logs(stack: Stack) -> None:
    """Print the end of the logs of who might know why."""
    for service in ("collector", "worker", "redis", "postgres"):
        try:
            text = stack.logs(service)
        except NightdeskError as error:
            text = str(error)
        print(f"--- {service}\n{text}", file=sys.stderr)


def write(file: Path, outcomes: Sequence[Outcome], *, on: str, names: Sequence[str]) -> None:
    """Write the report: what was run replaces its rows of before, all other rows stay."""
    rows = merged(_read(file), [outcome.as_json() for outcome in outcomes], on=on, names=names)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def merged(
    before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]], *, on: str, names: Iterable[str]
) -> list[dict[str, Any]]:
    """Return the rows of both runs in the order of the registry, those of before only where nothing was run now.

    A fault that was run and gave no row has none: its old one would say what no longer holds.
    """
    run = {(on, name) for name in names}
    kept = [row for row in before if (row["on"], row["fault"]) not in run and row["fault"] in ALL]
    places = {name: place for place, name in enumerate(ALL)}
    return sorted(map(dict, [*kept, *now]), key=lambda row: (row["on"], places[row["fault"]]))


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the report as a table."""
    rows = [COLUMNS, *(tuple(str(outcome.as_json()[name]) for name in COLUMNS) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def say(text: str) -> None:
    """Report progress."""
    print(f"{time.strftime('%H:%M:%S', time.gmtime())} {text}", file=sys.stderr, flush=True)


def _read(file: Path) -> list[dict[str, Any]]:
    try:
        return list(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break things while trades flow.")
    parser.add_argument("--on", choices=("compose", "local"), help="where; as deploy/mode says unless given")
    parser.add_argument("--only", action="append", choices=ALL, help="one fault; may be given more than once")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--long", action="store_true", help=f"only what takes long: {', '.join(LONG)}")
    parser.add_argument("--seconds", type=float, default=Load().before_s, help="seconds of load before each fault")
    parser.add_argument("--rate", type=float, default=Load().trades_per_s, help="trades a second over all symbols")
    options = parser.parse_args(arguments)
    options.on = options.on or _mode()
    options.names = options.only or (QUICK if options.quick else list(LONG if options.long else FAULTS))
    return options


def _mode() -> str:
    return subprocess.run([SOURCE / "deploy" / "mode"], capture_output=True, text=True, check=True).stdout.strip()


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave through the ``finally`` clauses: the stack must not stay behind."""
    raise SystemExit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
