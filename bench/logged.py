"""Log lines to a file through the queue, and the same lines written to the same disk and nothing else.

python -m bench.logged SECONDS DIRECTORY
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Final

import structlog

from nightdesk import logs
from nightdesk.settings import Settings

AT_ONCE: Final = 5_000
"""As many as fit into the queue: nothing is dropped."""


def through_the_queue(seconds: float, directory: Path) -> dict[str, float]:
    """Return how many lines were logged and written, and in how many seconds."""
    output, log = os.dup(1), structlog.get_logger()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    settings = Settings.model_validate({"log_format": "json", "log_dir": directory})
    said = logs.configure("bench", settings)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for number in range(AT_ONCE):
            log.info("consumer.committed", consumer="store/binance/07", ticks=512, lag_s=0.04, number=number)
        logs.flush(60.0)
        count += AT_ONCE
    took_s = time.perf_counter() - began
    os.dup2(output, 1)
    return {"count": count, "seconds": took_s, "dropped": said.figures()["dropped"]}


def bare(seconds: float, directory: Path) -> dict[str, float]:
    """Return how many of the first of those lines were appended one by one, and in how many seconds."""
    (file,) = (directory / "bench").glob("*.jsonl")
    with file.open("rb") as logged:
        line = logged.readline()
    target = os.open(directory / "bare", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(AT_ONCE):
            os.write(target, line)
        count += AT_ONCE
    return {"count": count, "seconds": time.perf_counter() - began}


if __name__ == "__main__":
    for_s, where = float(sys.argv[1]), Path(sys.argv[2])
    print(json.dumps({"logged": through_the_queue(for_s, where), "bare": bare(for_s / 4, where)}), flush=True)
