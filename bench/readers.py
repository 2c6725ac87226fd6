"""Readers of pages, as many at once as are asked for: how long each page takes them.

    python -m bench.readers http://127.0.0.1:8000 --seconds 10 --readers 10 / /reports

Each asks for one page after the other over a connection of its own. Prints ``{path: {"p50_ms", "p95_ms", "count"}}``.
"""

import argparse
import http.client
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from typing import Final

PATIENCE_S: Final = 30.0
HEADERS: Final = {"Accept": "text/html"}


def main(arguments: Sequence[str]) -> None:
    """Read for a while; ends with a status when a page is not answered with 200."""
    parser = argparse.ArgumentParser(prog="python -m bench.readers", description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args(arguments)
    took: dict[str, list[float]] = {path: [] for path in options.paths}
    failed: list[str] = []
    until_s = time.monotonic() + options.seconds
    place = options.address.removeprefix("http://")
    threads = [
        threading.Thread(target=read, args=(place, islice(cycle(options.paths), number, None), until_s, took, failed))
        for number in range(options.readers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        sys.exit(failed[0])
    print(json.dumps({path: figures(times) for path, times in took.items()}), flush=True)


def read(place: str, paths: Iterator[str], until_s: float, took: dict[str, list[float]], failed: list[str]) -> None:
    """Be one reader."""
    connection = http.client.HTTPConnection(place, timeout=PATIENCE_S)
    for path in paths:
        began_s = time.perf_counter()
        connection.request("GET", path, headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        took[path].append((time.perf_counter() - began_s) * 1000)
        if answer.status != http.HTTPStatus.OK:
            failed.append(f"{path} was answered with {answer.status}")
        if failed or time.monotonic() > until_s:
            return


def figures(times_ms: Sequence[float]) -> dict[str, float]:
    """Return the median and the 95th percentile, by nearest rank."""
    ordered = sorted(times_ms)
    return {
        "p50_ms": statistics.median(ordered),
        "p95_ms": ordered[max(0, -(-len(ordered) * 95 // 100) - 1)],
        "count": len(ordered),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
