"""What a line says: its time, who said it, how grave it is, what happened. Pure.

Any bytes give a line or the reason why they are none; nothing is dropped and nothing raises.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from nightdesk.logs import redacted
from nightdesk.plain_json import plain_json, storable
from services.jobs.digest.config import EVENT, GROUPS, Source
from services.jobs.digest.fingerprints import Kinship, of_event, of_text

EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL's; nothing that is older is a log of this desk."""

DAY_US: Final = 86_400_000_000
MICROSECOND: Final = timedelta(microseconds=1)

GRAVE: Final = frozenset({"error", "critical"})
"""Levels of what gets a fingerprint."""

LEVELS: Final[Mapping[str, str]] = {
    "critical": "critical", "fatal": "critical", "crit": "critical", "emerg": "critical", "emergency": "critical",
    "alert": "critical", "panic": "critical",
    "error": "error", "err": "error", "exception": "error", "severe": "error",
    "warning": "warning", "warn": "warning",
    "info": "info", "notice": "info", "information": "info", "informational": "info",
    "debug": "debug", "trace": "debug", "fine": "debug", "verbose": "debug",
}  # fmt: skip
"""Levels as programs write them; what is not here is unknown."""

UNKNOWN: Final = "unknown"
MAX_SERVICE_CHARACTERS: Final = 80

EMPTY: Final = "empty"
NOT_UTF8: Final = "not UTF-8"
NOT_JSON: Final = "not a JSON object"
NO_TIME: Final = "no time that can be read"
OUT_OF_TIME: Final = "a time before 2000 or in the future"
NO_MATCH: Final = "does not match the pattern"
OVERLONG: Final = "longer than 64 KB"
TOO_SLOW: Final = "the pattern took too long"


@dataclass(slots=True)
class Line:
    """One line; ``time_us`` counts microseconds from 2000, ``fields`` is a JSON object in UTF-8."""

    time_us: int
    service: str
    level: str
    event: str
    message: str
    fields: bytes
    kinship: Kinship | None


Parse: TypeAlias = Callable[[bytes], Line | str]
"""Return what a line says, or why it says nothing."""


def parser(source: Source, name: str, latest: datetime) -> Parse:
    """Return how to read a source's lines; a time after ``latest`` is not believed."""
    latest_us = (latest - EPOCH) // MICROSECOND
    times = _Times(source, latest_us)
    service = source.service or name
    if source.pattern is None:
        return _JsonLines(times, service).parse
    return _TextLines(source, times, service).parse


class _OutOfTimeError(ValueError):
    """A time that no line of a log has."""


class _Times:
    """Reads times as a source writes them; lines of one second have the same text."""

    def __init__(self, source: Source, latest_us: int) -> None:
        self._zone = ZoneInfo(source.timezone)
        self._format = source.time_format
        self._latest_us = latest_us
        self._text = ""
        self._us = 0

    def us(self, text: str) -> int:
        """Return microseconds from 2000; raises ValueError."""
        if text != self._text:
            self._us, self._text = self._read(text), text
        return self._us

    def _read(self, text: str) -> int:
        moment = datetime.strptime(text, self._format) if self._format else datetime.fromisoformat(text)  # noqa: DTZ007
        try:
            aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
            us = (aware - EPOCH) // MICROSECOND
        except OverflowError as error:
            raise _OutOfTimeError(text) from error
        if not 0 <= us <= self._latest_us:
            raise _OutOfTimeError(text)
        return us


class _JsonLines:
    """Lines that are JSON objects, as our own services write them."""

    def __init__(self, times: _Times, service: str) -> None:
        self._times = times
        self._service = service
        self._decode = msgspec.json.Decoder().decode

    def parse(self, line: bytes) -> Line | str:
        """Return what a line says, or why it says nothing."""
        if not line or line.isspace():
            return EMPTY
        try:
            found = self._decode(line)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self._strange(line)
        if not isinstance(found, dict):
            return NOT_JSON
        if b"\\u0000" in line:
            found = _plain(found)
        return self._line(found)

    def _strange(self, line: bytes) -> Line | str:
        """Read what is JSON to Python alone: NaN, infinities, halves of surrogate pairs."""
        try:
            found = json.loads(line.decode())
        except UnicodeDecodeError:
            return NOT_UTF8
        except (ValueError, RecursionError):
            return NOT_JSON
        return self._line(_plain(found)) if isinstance(found, dict) else NOT_JSON

    def _line(self, found: dict[str, Any]) -> Line | str:
        try:
            time_us = self._times.us(found.pop("timestamp"))
        except _OutOfTimeError:
            return OUT_OF_TIME
        except (KeyError, ValueError, TypeError):
            return NO_TIME
        service = str(found.pop("service", "") or self._service)[:MAX_SERVICE_CHARACTERS]
        level = _level(found.pop("level", ""))
        event, text = _told(found.pop("event", ""))
        message = found.pop("message", "") or text
        message = message if isinstance(message, str) else json.dumps(message)
        kinship = of_event(service, event, text or message, found) if level in GRAVE else None
        return Line(time_us, service, level, event, message, _encoded(found), kinship)


class _TextLines:
    """Lines that a regular expression takes apart."""

    def __init__(self, source: Source, times: _Times, service: str) -> None:
        assert source.pattern is not None  # noqa: S101  what parser() looks at
        self._match = source.pattern.match
        self._times = times
        self._service = service
        self._events = tuple((name, pattern.search) for name, pattern in source.events.items())

    def parse(self, line: bytes) -> Line | str:
        """Return what a line says, or why it says nothing."""
        if not line or line.isspace():
            return EMPTY
        try:
            text = line.decode()
        except UnicodeDecodeError:
            return NOT_UTF8
        match = self._match(text.replace("\0", "?") if "\0" in text else text)
        return NO_MATCH if match is None else self._line(match.groupdict(""))

    def _line(self, found: dict[str, str]) -> Line | str:
        try:
            time_us = self._times.us(found["time"])
        except _OutOfTimeError:
            return OUT_OF_TIME
        except ValueError:
            return NO_TIME
        message = redacted(found["message"])
        service = (found.get("service", "").strip() or self._service)[:MAX_SERVICE_CHARACTERS]
        level = _level(found.get("level", ""))
        event = next((name for name, search in self._events if search(message)), "")
        fields = {key: value for key, value in found.items() if key not in GROUPS and value}
        kinship = of_text(service, message) if level in GRAVE else None
        return Line(time_us, service, level, event, message, _encoded(fields) if fields else b"{}", kinship)


def _told(event: object) -> tuple[str, str]:
    """Return a constant name, or a text, of what happened."""
    if not isinstance(event, str):
        return "", json.dumps(event)
    return (event, "") if EVENT.fullmatch(event) else ("", event)


def _level(level: object) -> str:
    return LEVELS.get(level.strip().lower(), UNKNOWN) if isinstance(level, str) else UNKNOWN


def _encoded(fields: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(fields)
    except (OverflowError, RecursionError):  # integers that only Python and PostgreSQL know
        return plain_json(fields).encode()


def _plain(value: Any) -> Any:  # noqa: ANN401  whatever a log line may carry
    """Return it as PostgreSQL keeps it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value
