import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs.digest import parsing
from services.jobs.digest.config import Source
from services.jobs.digest.parsing import EPOCH, Line, Parse, parser

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PATTERN = (
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) \[(?P<level>[A-Z]+)\] (?P<service>[\w-]+): (?P<message>[^|]*)"
    r"(?:\|(?P<order>\w+))?"
)


def of_json(**source: Any) -> Parse:
    return parser(Source.model_validate({"paths": ["*"], "format": "json", **source}), "desk", NOW)


def of_text(pattern: str = PATTERN, **source: Any) -> Parse:
    return parser(Source.model_validate({"paths": ["*"], "pattern": pattern, **source}), "demo", NOW)


def line(**fields: Any) -> bytes:
    return json.dumps({"timestamp": "2026-11-19T07:00:03.5Z", **fields}).encode()


def understood(parse: Parse, text: bytes) -> Line:
    found = parse(text)
    assert isinstance(found, Line), found
    return found


def moment(found: Line) -> datetime:
    return EPOCH + timedelta(microseconds=found.time_us)


def test_our_own_line_is_taken_apart() -> None:
    found = understood(of_json(), line(level="info", service="worker", event="turn.done", ticks=512))

    assert moment(found) == datetime(2026, 11, 19, 7, 0, 3, 500_000, tzinfo=UTC)
    assert (found.service, found.level, found.event, found.message) == ("worker", "info", "turn.done", "")
    assert json.loads(found.fields) == {"ticks": 512}
    assert found.kinship is None


def test_a_line_of_a_library_has_its_text_as_message() -> None:
    found = understood(of_json(), line(level="error", event="pool of %s is full", message="pool of db is full"))

    assert (found.event, found.message) == ("", "pool of db is full")
    assert found.kinship is not None
    assert found.kinship.template == "pool of %s is full"


def test_a_text_line_is_taken_apart_by_the_pattern() -> None:
    found = understood(of_text(), b"2026-04-15 07:00:03 [ERROR] scheduler: Request failed|A7")

    assert moment(found) == datetime(2026, 4, 15, 7, 0, 3, tzinfo=UTC)
    assert (found.service, found.level, found.message) == ("scheduler", "error", "Request failed")
    assert json.loads(found.fields) == {"order": "A7"}
    assert found.kinship is not None


def test_a_text_line_has_the_first_event_that_its_message_holds() -> None:
    parse = of_text(events={"fetch.failed": "failed$", "anything": "."})

    assert understood(parse, b"2026-04-15 07:00:03 [ERROR] scheduler: Request failed").event == "fetch.failed"
    assert understood(parse, b"2026-04-15 07:00:03 [INFO] scheduler: done").event == "anything"


def test_credentials_of_a_text_line_are_not_kept() -> None:
    assert b"hunter2" not in understood(of_text(), b"2026-04-15 07:00:03 [INFO] a: password=hunter2").message.encode()


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ({}, "2026-04-15 07:00:03", "2026-04-15T07:00:03+00:00"),
        ({}, "2026-04-15 07:00:03,123", "2026-04-15T07:00:03.123+00:00"),
        ({}, "2026-04-15T07:00:03+02:00", "2026-04-15T05:00:03+00:00"),
        ({"timezone": "Europe/Berlin"}, "2026-04-15 07:00:03", "2026-04-15T05:00:03+00:00"),
        ({"timezone": "Europe/Berlin"}, "2026-01-15 07:00:03", "2026-01-15T06:00:03+00:00"),
        ({"time_format": "%d/%b/%Y:%H:%M:%S %z"}, "15/Apr/2026:07:00:03 +0200", "2026-04-15T05:00:03+00:00"),
        ({"time_format": "%m-%d-%Y %H:%M"}, "04-15-2026 07:00", "2026-04-15T07:00:00+00:00"),
    ],
)
def test_times_are_read_as_the_source_writes_them(source: dict[str, Any], text: str, expected: str) -> None:
    parse = of_text(r"(?P<time>[^|]+)\|(?P<message>.*)", **source)

    assert moment(understood(parse, f"{text}|x".encode())) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("said", "level"),
    [("warning", "warning"), ("WARN", "warning"), ("Fatal", "critical"), ("notice", "info"), ("TRACE", "debug"),
     ("loud", "unknown"), ("", "unknown"), (40, "unknown"), (None, "unknown"), ([], "unknown")],
)  # fmt: skip
def test_levels_are_known_by_their_usual_names(said: object, level: str) -> None:
    assert understood(of_json(), line(level=said)).level == level


def test_a_line_without_level_service_or_event_is_a_line() -> None:
    found = understood(of_json(), line())

    assert (found.service, found.level, found.event, found.message) == ("desk", "unknown", "", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", parsing.EMPTY),
        (b"  \t", parsing.EMPTY),
        (b"\xff\xfe{}", parsing.NOT_UTF8),
        (b'{"timestamp": "2026-11-19T0', parsing.NOT_JSON),
        (b"\x00\x00\x00", parsing.NOT_JSON),
        (b"[1]", parsing.NOT_JSON),
        (b"7", parsing.NOT_JSON),
        (b"[" * 30_000, parsing.NOT_JSON),
        (b'{"a":' * 10_000, parsing.NOT_JSON),
        (b"{}", parsing.NO_TIME),
        (b'{"timestamp": 7}', parsing.NO_TIME),
        (b'{"timestamp": null}', parsing.NO_TIME),
        (b'{"timestamp": "yesterday"}', parsing.NO_TIME),
        (b'{"timestamp": "2026-13-45T00:00:00Z"}', parsing.NO_TIME),
        (b'{"timestamp": "0001-01-01T00:00:00+14:00"}', parsing.OUT_OF_TIME),
        (b'{"timestamp": "1999-12-31T23:59:59Z"}', parsing.OUT_OF_TIME),
        (b'{"timestamp": "9999-12-31T23:59:59-14:00"}', parsing.OUT_OF_TIME),
        (b'{"timestamp": "2026-11-20T00:00:01Z"}', parsing.OUT_OF_TIME),
    ],
)
def test_what_is_no_line_says_why(text: bytes, reason: str) -> None:
    assert of_json()(text) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b" ", parsing.EMPTY),
        (b"2026-04-15 07:00:03 [ERROR] scheduler", parsing.NO_MATCH),
        (b"2026-04-15 07:00:03 [ERROR] a: \xff", parsing.NOT_UTF8),
        (b"2026-04-45 07:00:03 [ERROR] a: b", parsing.NO_TIME),
        (b"1026-04-15 07:00:03 [ERROR] a: b", parsing.OUT_OF_TIME),
    ],
)
def test_what_is_no_text_line_says_why(text: bytes, reason: str) -> None:
    assert of_text()(text) == reason


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (r'"\u0000"', "?"),
        (r'"\ud800"', "?"),
        (r'{"\u0000": ["\udfff"]}', {"?": ["?"]}),
        ("NaN", "nan"),
        ("-Infinity", "-inf"),
        ("1e999", "inf"),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        (r'"\\u0000"', r"\u0000"),
    ],
)
def test_what_only_python_calls_json_is_kept_as_postgresql_keeps_it(value: str, kept: object) -> None:
    text = f'{{"timestamp": "2026-11-19T07:00:03Z", "level": "error", "value": {value}}}'

    assert json.loads(understood(of_json(), text.encode()).fields) == {"value": kept}


def test_a_text_line_with_nul_characters_can_be_stored() -> None:
    assert understood(of_text(), b"2026-04-15 07:00:03 [INFO] a: x\0y").message == "x?y"


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["timestamp", "level", "service", "event", "message", "exception", "error", "x"])


@given(st.binary(max_size=200))
def test_any_bytes_give_a_line_or_a_reason(text: bytes) -> None:
    assert isinstance(of_json()(text), Line | str)
    assert isinstance(of_text()(text), Line | str)


@given(st.dictionaries(NAMES, ANYTHING, max_size=6))
def test_any_object_with_a_time_is_a_line_that_can_be_stored(fields: dict[str, Any]) -> None:
    found = understood(of_json(), json.dumps(fields | {"timestamp": "2026-11-19T07:00:03Z"}).encode())

    for text in (found.service, found.level, found.event, found.message, found.fields.decode()):
        assert "\0" not in text
        text.encode()
    assert b"\\u0000" not in found.fields.replace(b"\\\\", b"")
    json.loads(found.fields)
