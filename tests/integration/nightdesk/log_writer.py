"""A program that logs, for tests to watch, kill and starve: ``python -m tests.integration.nightdesk.log_writer``."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

import structlog

from nightdesk import log_files, logs
from nightdesk.settings import Settings, load


def main(arguments: Sequence[str]) -> None:
    """Log numbered lines; then say on the error output how long that took, and wait or end as asked."""
    options = _parser().parse_args(arguments)
    log_files.MAX_BYTES = options.max_bytes
    logs.MAX_BYTES = options.max_bytes
    logs.configure("desk", load(Settings, os.environ))
    log = structlog.get_logger()
    longest_s = 0.0
    for number in range(options.lines):
        began_s = time.perf_counter()
        log.info("line.written", writer=options.writer, number=number, filler="x" * options.filler)
        longest_s = max(longest_s, time.perf_counter() - began_s)
        if options.pause_every and number % options.pause_every == 0:
            time.sleep(0.01)
    print(f"logged, {longest_s:.3f} s at most", file=sys.stderr, flush=True)
    if options.then == "wait":
        sys.stdin.readline()
    elif options.then == "exit_stuck":
        from nightdesk.service import exit_stuck  # noqa: PLC0415  what it needs only now

        exit_stuck()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writer", default="a")
    parser.add_argument("--lines", type=int, default=1)
    parser.add_argument("--filler", type=int, default=0)
    parser.add_argument("--pause-every", type=int, default=0)
    parser.add_argument("--max-bytes", type=int, default=log_files.MAX_BYTES)
    parser.add_argument("--then", choices=["end", "wait", "exit_stuck"], default="end")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
