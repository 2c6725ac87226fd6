"""Metrics that a test sets, for a real Prometheus to scrape."""

import threading
import time
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


class Exporter:
    """Serves ``/metrics`` on loopback, between entering and leaving it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, float] = {}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Exporter":
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._http.server_address[1]}"

    def set(self, name: str, value: float = 1.0, /, **labels: str) -> float:
        """Give a series this value and return when, Unix seconds."""
        with self._lock:
            self._values[series(name, labels)] = value
            return time.time()

    def replace(self, values: Mapping[str, float]) -> None:
        """Serve these series, as they are written in the text format, and no others."""
        with self._lock:
            self._values = dict(values)

    def drop(self, name: str, /, **labels: str) -> float:
        """Serve a series no more and return since when, Unix seconds."""
        with self._lock:
            self._values.pop(series(name, labels), None)
            return time.time()

    def text(self) -> str:
        """Return what is served now."""
        with self._lock:
            return "".join(f"{name} {value!r}\n" for name, value in self._values.items())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporter.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: object) -> None:
                """Keep quiet."""

        return Handler


def series(name: str, labels: Mapping[str, str]) -> str:
    """Return a series as the text format writes it."""
    listed = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{name}{{{listed}}}" if listed else name


def listed(lines: Iterable[str]) -> dict[str, float]:
    """Return series written one a line, as ``name{label="x"} 1``."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line.strip()}
