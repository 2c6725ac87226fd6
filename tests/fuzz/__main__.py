"""``python -m tests.fuzz``: search every target in turn, print a table, end with 1 when something was found."""

import argparse
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import asdict

from tests.fuzz.search import BUILD, Found, search
from tests.fuzz.targets import TARGETS


def main(arguments: Sequence[str] | None = None) -> int:
    """Search as the command line says and return the exit status."""
    asked = _parser().parse_args(arguments)
    if importlib.util.find_spec("atheris") is None:
        print("fuzz: atheris has no package for this machine (it has one for Linux on x86-64, Python 3.11 to 3.13)")
        return 1
    names = [name for name in TARGETS if name.startswith(asked.target)]
    if not names:
        print(f"fuzz: there is no target {asked.target!r}; there are {', '.join(TARGETS)}")
        return 1
    print(f"{'target':<14} {'s':>5} {'executions':>11} {'branches':>9} {'inputs':>7} {'peak MB':>8}  found", flush=True)
    found = [_searched(name, asked.seconds) for name in names]
    BUILD.with_suffix(".json").write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    return int(any(one.finding for one in found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description="search for input that breaks a claim")
    parser.add_argument("--target", default="", help="only the targets whose name begins so")
    parser.add_argument("--for", dest="seconds", type=int, default=60, help="seconds a target")
    return parser


def _searched(name: str, seconds: int) -> Found:
    one = search(name, TARGETS[name], seconds=seconds)
    print(
        f"{one.target:<14} {one.seconds:>5} {one.executions:>11} {one.branches:>9} {one.inputs:>7} {one.peak_mb:>8}  "
        f"{one.finding or 'nothing'}",
        flush=True,
    )
    if one.artifact:
        print(f"    by {one.artifact}; mend it, then keep a small case in tests/fuzz/cases/{name}/")
    return one


if __name__ == "__main__":
    raise SystemExit(main())
