"""Logs: a constant event and its facts as fields, one line each, of libraries as of our own code.

A line is JSON, or text for eyes where standard output is a terminal; files get JSON in any case. It is made where it is
logged and written elsewhere (``log_outlet``), so that no pipe and no disk holds up who logs.
"""

import atexit
import json
import logging
import math
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from nightdesk.log_files import MAX_BYTES, MAX_ERRORS_BYTES, RotatingFile, log_file
from nightdesk.log_outlet import Outlet, Stream
from nightdesk.log_tidying import tidy
from nightdesk.settings import Settings

COUNTED: Final = ("warning", "error", "critical")
"""Levels whose lines are counted."""

ERRORS: Final = frozenset({"error", "critical"})
"""Levels that have a file of their own."""

FLUSH_WITHIN_S: Final = 2.0
"""How long the end of a process waits for its last lines to be written."""

MAX_DEPTH: Final = 20
"""Of facts within facts; what is deeper is shown as Python would."""

MAX_NUMBER_BITS: Final = 1024
"""Of a whole number; what is larger is shown as text, which Python refuses from some size on."""

# A text may be cut anywhere, and JSON may stand in JSON: a quote may lack its end, or have backslashes before it.
_SECRETS: Final = r"(?:api|access|secret|private)[_-]?key|token|passw(?:or)?d|passphrase|secret|signature"
_VALUE: Final = r"""\"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\\+["'][^"'\\]*|[^&\s"',;}]+"""
_CREDENTIAL: Final = re.compile(rf"""(?i)({_SECRETS})(\\*["']?\s*[=:]\s*[\[(]?)({_VALUE})""")
_SCHEME: Final = re.compile(
    r"""(?i)\b(authorization\W{1,6}(?:basic|digest|token|bearer)\s+|bearer\s+)[^\s"',;}\\]{4,}"""
)
# With bounds, since a long text without spaces would be looked at from every one of its dots.
_USERINFO: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^/@\s:]{0,250}:[^/\s]{0,1000}@")
_SECRET_NAME: Final = re.compile(rf"(?i).*({_SECRETS}|authorization|cookie)")
_WORD: Final = re.compile(r"[A-Za-z]{2}")


def redacted(text: str) -> str:
    """Return the text without passwords in URLs and without the values of credentials, as parameters or in JSON."""
    if ":" not in text and "=" not in text:
        return text  # as most are, and this is done for every text that is logged
    return _CREDENTIAL.sub(r"\1\2***", _SCHEME.sub(r"\1***", _USERINFO.sub(r"\1***@", text)))


def configure(
    service: str,
    settings: Settings,
    *,
    registry: CollectorRegistry | None = None,
    keep: Callable[[str], None] | None = None,
) -> "Log":
    """Set up logging for the whole process.

    With a registry, lines are counted there by level, and what becomes of them. ``keep`` is given every line of our own
    as it is logged.
    """
    global _log  # noqa: PLW0603  as structlog's and logging's own configuration
    log = Log(service, settings, sys.stdout, registry=registry, keep=keep)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, log.take],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level.upper())),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries(log)], force=True)
    atexit.unregister(flush)
    atexit.register(flush)
    _log = log
    return log


def flush(within_s: float = FLUSH_WITHIN_S) -> None:
    """Wait until what was logged is written; no longer than that, so that a stuck pipe never keeps a process alive."""
    if _log is not None:
        _log.flush(within_s)


class Log:
    """Where the lines of a process go: standard output, its file and the file of its errors."""

    def __init__(
        self,
        service: str,
        settings: Settings,
        stream: TextIO,
        *,
        registry: CollectorRegistry | None = None,
        keep: Callable[[str], None] | None = None,
    ) -> None:
        self._service = service
        self._keep = keep
        self._stdout = Outlet("stdout", lambda: Stream(stream), tell=self.say)
        self._files = files_of(service, settings.log_dir, self.say) if settings.log_dir else None
        is_terminal = stream.isatty()
        is_text = settings.log_format == "console" or (settings.log_format == "auto" and is_terminal)
        self._as_text = as_text(colors=is_terminal) if is_text else None
        name, what = "nightdesk_log_events", "Log lines of a level that matters."
        self._lines = Counter(name, what, ("level",), registry=registry)
        self._counts = {level: self._lines.labels(level) for level in COUNTED}
        if registry is not None:
            registry.register(OutletsCollector(self.outlets))

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """Where lines are written."""
        return (self._stdout, *(self._files or ()))

    def take(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        """Take a line of our own: the last of structlog's processors."""
        line = self._deliver(event)
        if self._keep is not None:
            self._keep(line)
        return line

    def say(self, level: str, event: str, **facts: object) -> None:
        """Log a line whatever the least level is."""
        self._deliver({"level": level, "event": event, **facts})

    def library(self, record: logging.LogRecord) -> None:
        """Take a line of a library."""
        event = structlog.contextvars.merge_contextvars(None, "", said_by(record))
        self._deliver(event)

    def flush(self, within_s: float) -> None:
        """Wait until what was logged is written, but no longer than that."""
        until_s = time.monotonic() + within_s
        for mark in [outlet.mark() for outlet in self.outlets]:
            mark.wait(max(0.0, until_s - time.monotonic()))

    def figures(self) -> dict[str, int]:
        """Return how much was logged so far."""
        samples = [sample for metric in self._lines.collect() for sample in metric.samples]
        return {
            "lines": self._stdout.written,
            "dropped": sum(outlet.dropped for outlet in self.outlets),
            "errors": int(
                sum(one.value for one in samples if one.name.endswith("_total") and one.labels["level"] in ERRORS)
            ),
        }

    def _deliver(self, event: Mapping[str, Any]) -> str:
        level = event["level"]
        if level in self._counts:
            self._counts[level].inc()
        known = {"timestamp": _now(), "level": level, "service": self._service, "event": event["event"]}
        event = known | dict(event)
        line = as_json(event)
        self._stdout.put(self._as_text(event) if self._as_text else line)
        if self._files is not None:
            everything, errors = self._files
            everything.put(line)
            if level in ERRORS:
                errors.put(line)
        return line


_log: Log | None = None


def files_of(service: str, directory: Path, tell: Callable[..., None]) -> tuple[Outlet, Outlet]:
    """Return the outlets to a service's file of everything and to that of its errors."""
    host = socket.gethostname()
    everything, errors = log_file(directory, service, host), log_file(directory, service, host, errors=True)
    return (
        Outlet("file", lambda: RotatingFile(everything, max_bytes=MAX_BYTES, tidy=tidy), tell=tell),
        Outlet("errors", lambda: RotatingFile(errors, max_bytes=MAX_ERRORS_BYTES, tidy=tidy), tell=tell),
    )


class OutletsCollector(Collector):
    """What became of the lines."""

    def __init__(self, outlets: tuple[Outlet, ...]) -> None:
        self._outlets = outlets

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of every outlet."""
        by = ["outlet"]
        dropped = CounterMetricFamily(
            "nightdesk_log_dropped_lines", "Log lines that were not written: too many waited.", labels=by
        )
        failures = CounterMetricFamily(
            "nightdesk_log_write_failures", "Attempts at writing log lines that failed.", labels=by
        )
        written = GaugeMetricFamily(
            "nightdesk_log_written_timestamp_seconds", "When a log line was last written, Unix time.", labels=by
        )
        for outlet in self._outlets:
            dropped.add_metric([outlet.name], outlet.dropped)
            failures.add_metric([outlet.name], outlet.failures)
            written.add_metric([outlet.name], outlet.written_unix_s)
        yield from (dropped, failures, written)


class _Libraries(logging.Handler):
    """Takes the lines of libraries, which use ``logging``."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line."""
        try:
            self._log.library(record)
        except Exception:  # noqa: BLE001  logging's own way: a line that cannot be made harms nobody
            self.handleError(record)


def said_by(record: logging.LogRecord) -> dict[str, Any]:
    """Return a library's line as an event: the text before its values are put in is the same every time."""
    message = record.getMessage()
    is_constant = bool(record.args) and isinstance(record.msg, str) and _WORD.search(record.msg.replace("%s", ""))
    event = {"event": record.msg, "message": message} if is_constant else {"event": message}
    event |= {"level": record.levelname.lower(), "logger": record.name}
    return event | ({"exc_info": record.exc_info} if record.exc_info else {})


# A traceback's local variables hold passwords in clear: they are left out.
_exceptions: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def as_json(event: Mapping[str, Any]) -> str:
    """Return a line as JSON that any reader of JSON takes, without what is secret."""
    return json.dumps(cleaned(_exceptions(None, "", dict(event))))


def as_text(*, colors: bool) -> Callable[[Mapping[str, Any]], str]:
    """Return what makes a line to be read by eye, without what is secret."""
    renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)

    def render(event: Mapping[str, Any]) -> str:
        return str(renderer(None, "", cleaned(structlog.processors.format_exc_info(None, "", dict(event)))))

    return render


def cleaned(value: Any, depth: int = 0) -> Any:  # noqa: ANN401  whatever a log line may carry
    """Return a fact as JSON can hold it, without what is secret; never raises."""
    if isinstance(value, str):
        return redacted(value)
    if value is None or (isinstance(value, int) and value.bit_length() <= MAX_NUMBER_BITS):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON knows neither NaN nor infinity
    if depth < MAX_DEPTH and isinstance(value, Mapping):
        return _cleaned_facts(value, depth)
    if depth < MAX_DEPTH and isinstance(value, list | tuple):
        return [cleaned(one, depth + 1) for one in value]
    return redacted(_shown(value))


def _cleaned_facts(facts: Mapping[Any, Any], depth: int) -> dict[str, Any] | str:
    try:
        return {str(key): _cleaned_fact(str(key), one, depth) for key, one in facts.items()}
    except Exception as error:  # noqa: BLE001  another thread may be changing it at this moment
        return _unshown(facts, error)


def _cleaned_fact(name: str, value: Any, depth: int) -> Any:  # noqa: ANN401
    says_nothing = value is None or isinstance(value, bool) or (isinstance(value, str) and not value)
    return "***" if not says_nothing and _names_secret(name) else cleaned(value, depth + 1)


@lru_cache(1024)
def _names_secret(name: str) -> bool:
    return _SECRET_NAME.fullmatch(name) is not None


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001  a line never fails for one of its facts
        return _unshown(value, error)


def _unshown(value: object, error: Exception) -> str:
    return f"<{type(value).__name__}: {type(error).__name__}>"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
