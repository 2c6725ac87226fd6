"""Logs: one JSON object a line on standard output; a constant event and its facts as fields."""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter

COUNTED: Final = ("warning", "error", "critical")
"""Levels whose lines are counted."""

_CREDENTIAL: Final = re.compile(
    r"(?i)(api_?key|token|password|secret|signature)([\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^&\s\"',;}]+)"
)
_USERINFO: Final = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/@\s]*:[^/@\s]*@")


def redacted(text: str) -> str:
    """Return the text without passwords in URLs and without the values of credentials, as parameters or in JSON."""
    return _CREDENTIAL.sub(r"\1\2***", _USERINFO.sub(r"\1***@", text))


def configure(
    *,
    service: str,
    level: str,
    form: str,
    registry: CollectorRegistry | None = None,
    keep: Callable[[str], None] | None = None,
) -> None:
    """Set up logging for the whole process; ``form`` is ``json`` or ``console``.

    With a registry, lines are counted there by level: those of libraries, which use ``logging``, as well as our own.
    ``keep`` is given every line of our own as it is written.
    """
    lines = _Lines(registry)
    number = logging.getLevelName(level.upper())
    renderer: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            lines.processor,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _exceptions if form == "json" else _unchanged,
            _redact,
            renderer,
            *([_kept_by(keep)] if keep is not None else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handlers = [logging.StreamHandler(sys.stdout), lines]
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=handlers, force=True)


class _Lines(logging.Handler):
    """Counts log lines by level, as a processor of structlog and as a handler of ``logging``."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        super().__init__()
        lines = Counter("nightdesk_log_events", "Log lines of a level that matters.", ("level",), registry=registry)
        self._lines = {level: lines.labels(level) for level in COUNTED}

    def processor(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Count one of our own lines and pass it on."""
        self._count(event["level"])
        return event

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line of a library."""
        self._count(record.levelname.lower())

    def _count(self, level: str) -> None:
        if level in self._lines:
            self._lines[level].inc()


# A traceback's local variables hold passwords in clear: they are left out.
_exceptions: Final = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        event[key] = _cleaned(value)
    return event


def _cleaned(value: Any) -> Any:  # noqa: ANN401  whatever a log line may carry
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one) for one in value]
    return value


def _kept_by(keep: Callable[[str], None]) -> Any:  # noqa: ANN401  a processor behind the renderer: text in, text out
    def processor(_logger: object, _method: str, line: str) -> str:
        keep(line)
        return line

    return processor


def _unchanged(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event
