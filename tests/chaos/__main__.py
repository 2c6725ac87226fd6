"""``make chaos``: ``python -m tests.chaos [--on compose|local] [--only kill-worker]``."""

import argparse
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from nightdesk.errors import NightdeskError
from tests.chaos.faults import FAULTS
from tests.chaos.harness import Harness, Load, Outcome
from tests.chaos.stacks import SOURCE, Stack, running

REPORT: Final = SOURCE / "build" / "chaos.json"
COLUMNS: Final = ("fault", "on", "sent", "stored", "ledgered", "lost", "duplicates", "recovery_s", "peak_mb")


def main(arguments: Sequence[str]) -> int:
    """Run the faults asked for; 0 when every trade of every one is accounted for."""
    options = _options(arguments)
    load = Load(trades_per_s=options.rate, before_s=options.seconds)
    outcomes: list[Outcome] = []
    complete = False
    try:
        say(f"starting a stack of its own ({options.on})")
        with running(options.on) as stack:
            complete = run_all(stack, load, options.only or list(FAULTS), outcomes)
    except NightdeskError as error:
        say(f"chaos: {error}")
    write(REPORT, outcomes)
    print(table(outcomes))
    for outcome in outcomes:
        for finding in outcome.findings:
            print(f"{outcome.fault}: {finding}")
    return 0 if complete and not any(outcome.findings for outcome in outcomes) else 1


def run_all(stack: Stack, load: Load, names: Sequence[str], outcomes: list[Outcome]) -> bool:
    """Run faults one after the other, adding to ``outcomes``; False when the stack would not go on."""
    harness = Harness(stack, load)
    with harness.watching():
        for name in names:
            say(f"{name}: {load.trades_per_s:g} trades/s")
            try:
                outcome = harness.run(name, FAULTS[name])
            except (NightdeskError, OSError) as error:
                say(f"{name}: {error}")
                show_logs(stack)
                return False
            outcomes.append(outcome)
            say(f"{name}: {'wrong' if outcome.findings else 'right'}; {outcome.dropped} repeats dropped by admission")
            if outcome.findings:
                show_logs(stack)
    return True


def show_logs(stack: Stack) -> None:
    """Print the end of the logs of who might know why."""
    for service in ("collector", "worker", "redis", "postgres"):
        try:
            text = stack.logs(service)
        except NightdeskError as error:
            text = str(error)
        print(f"--- {service}\n{text}", file=sys.stderr)


def write(file: Path, outcomes: Sequence[Outcome]) -> None:
    """Write the report."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([outcome.as_json() for outcome in outcomes], indent=2) + "\n", encoding="utf-8")


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the report as a table."""
    rows = [COLUMNS, *(tuple(str(outcome.as_json()[name]) for name in COLUMNS) for outcome in outcomes)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.rjust, row, widths)) for row in rows)


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Kill things while trades flow.")
    parser.add_argument("--on", choices=("compose", "local"), help="where; as deploy/mode says unless given")
    parser.add_argument("--only", action="append", choices=FAULTS, help="one fault; may be given more than once")
    parser.add_argument("--seconds", type=float, default=10.0, help="seconds of load before each fault")
    parser.add_argument("--rate", type=float, default=5000.0, help="trades a second over all symbols")
    options = parser.parse_args(arguments)
    options.on = options.on or _mode()
    return options


def _mode() -> str:
    return subprocess.run([SOURCE / "deploy" / "mode"], capture_output=True, text=True, check=True).stdout.strip()


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave through the ``finally`` clauses: the stack must not stay behind."""
    raise SystemExit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
