"""Thirty megabytes of our own log lines into the tables, the same parsed alone, and lines of text by a pattern.

DATABASE_PASSWORD=... python -m bench.digest DATABASE_URL DIRECTORY
"""

import json
import os
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from nightdesk.store.database import Connection, connect
from services.jobs.digest.config import read_logs
from services.jobs.digest.demo import SERVICES, Wish, lines_of
from services.jobs.digest.loading import Loader
from services.jobs.digest.rows import LogRows

CONFIG: Final = Path(__file__).resolve().parents[1] / "config" / "logs.yaml"
BYTES: Final = 30_000_000
DAY: Final = date(2026, 3, 2)
NOW: Final = datetime(2026, 3, 3, 0, 20, tzinfo=UTC)
TEXT_LINES: Final = 10_000


def our_lines() -> Iterator[bytes]:
    """Yield lines as our services write them: most say that all is well, one in a hundred is an error."""
    chance = random.Random(7)
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    while True:
        moment += timedelta(milliseconds=chance.randrange(1, 150))
        known = {"timestamp": moment.isoformat(), "level": "info", "service": "worker", "event": "consumer.committed"}
        facts: dict[str, Any] = {"consumer": f"store/binance/{chance.randrange(8):02}", "ticks": chance.randrange(512)}
        if chance.random() < 0.01:
            known |= {"level": "error", "event": "turn.failed"}
            facts |= {"error": f"connection to 10.0.0.{chance.randrange(9)}:5432 lost after {chance.randrange(99)} s"}
        yield json.dumps(known | facts | {"lag_s": chance.random()}).encode() + b"\n"


def write_json(path: Path) -> int:
    """Write so many bytes; return how many lines they are."""
    path.parent.mkdir(parents=True)
    lines = 0
    with path.open("wb") as file:
        for line in our_lines():
            lines += 1
            if file.write(line) and file.tell() > BYTES:
                return lines
    return lines


def write_text(directory: Path) -> int:
    """Write the demo's lines; return how many they are."""
    directory.mkdir(parents=True)
    wish = Wish(lines=TEXT_LINES, malformed=0.001, seed=7)
    lines = 0
    for service in SERVICES:
        found = list(lines_of(service, DAY, 0, wish))
        (directory / f"{service}.log").write_bytes(b"".join(found))
        lines += len(found)
    return lines


def loaded_s(connection: Connection, directory: Path, lines: int) -> float:
    """Load everything below the directory; return seconds."""
    config = read_logs(CONFIG)
    loader = Loader(LogRows(connection), config, log_dir=directory, now=NOW, progress=lambda *_: None)
    began = time.perf_counter()
    found = loader.load()
    seconds = time.perf_counter() - began
    if found.lines != lines:
        raise SystemExit(f"{found.lines} of {lines} lines are loaded")
    return seconds


def parsed_s(path: Path, parse: Callable[[bytes], object]) -> float:
    """Read the file and parse each line; return seconds."""
    began = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            parse(line)
    return time.perf_counter() - began


def main(url: str, directory: str) -> None:
    """Print the figures."""
    ours, texts = Path(directory) / "ours", Path(directory) / "texts"
    path = ours / "worker" / "worker-a.jsonl"
    lines, text_lines = write_json(path), write_text(texts / "demo")
    with connect(url, os.environ["DATABASE_PASSWORD"], name="bench") as connection:
        seconds = loaded_s(connection, ours, lines)
        text_s = loaded_s(connection, texts, text_lines)
    figures = {
        "lines": lines,
        "seconds": seconds,
        "text_lines": text_lines,
        "text_seconds": text_s,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
        "json_seconds": parsed_s(path, json.loads),
        "msgspec_seconds": parsed_s(path, msgspec.json.Decoder().decode),
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
