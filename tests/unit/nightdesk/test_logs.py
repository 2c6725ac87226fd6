"""No credential reaches a log line, and lines that matter are counted."""

import json
import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry

from nightdesk.logs import COUNTED, Log, as_json, as_text, configure, flush, redacted
from nightdesk.settings import Settings


@pytest.fixture
def configured() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)


def set_up(registry: CollectorRegistry | None = None, keep: Callable[[str], None] | None = None, **chosen: str) -> Log:
    settings = Settings.model_validate({"log_format": "json", **chosen})
    return configure("desk", settings, registry=registry, keep=keep)


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What reached standard output, each line read as JSON."""
    flush()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def connect(password: str) -> None:
    raise ConnectionError(f"no route with password={password} or token='{password}'")


@pytest.mark.usefixtures("configured")
def test_an_exception_tells_neither_its_local_variables_nor_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    try:
        connect("hunter" + "2")
    except ConnectionError:
        structlog.get_logger().exception("service.failed", facts={"inner": ["api_key=" + "hunter2"]})

    (line,) = written(capsys)
    assert "hunter2" not in str(line)
    assert line["exception"][0]["exc_type"] == "ConnectionError"
    assert line["facts"] == {"inner": ["api_key=***"]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wss://api.example/v1?api_key=abc123&channel=depth", "wss://api.example/v1?api_key=***&channel=depth"),
        ("postgresql://writer:hunter2@postgres/nightdesk", "postgresql://***@postgres/nightdesk"),
        ("redis://:hunter2@redis:6379/0", "redis://***@redis:6379/0"),
        ("cannot log in with password='hunter2'", "cannot log in with password=***"),
        ("TOKEN=abc, then more", "TOKEN=***, then more"),
        ('{"api_key": "abc123", "symbol": "X"}', '{"api_key": ***, "symbol": "X"}'),
        ("https://api.example/depth?symbol=BTCUSDT", "https://api.example/depth?symbol=BTCUSDT"),
        ('{"symbol": "X", "api_key": "abc 123', '{"symbol": "X", "api_key": ***'),
        ("password='hunter", "password=***"),
        (r'{"password": "hun\"ter2", "n": 1}', '{"password": ***, "n": 1}'),
        (r'"{\"password\": \"hunter2\", \"n\": 1}"', r'"{\"password\": ***\", \"n\": 1}"'),
        ("postgresql://writer:hun@ter2@postgres/nightdesk", "postgresql://***@postgres/nightdesk"),
        ("Authorization: Bearer abc123", "Authorization: Bearer ***"),
        ("X-MBX-APIKEY: abc, secret_key=def", "X-MBX-APIKEY: ***, secret_key=***"),
    ],
)
def test_credentials_are_left_out_and_all_else_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize("text", ["a." * 100_000 + ":", "a://" + ":" * 100_000], ids=["dots", "colons"])
def test_a_long_text_without_spaces_holds_up_nobody(text: str) -> None:
    """If every dot were looked at to the end of the text, this would take minutes."""
    assert redacted(text) == text


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError


class Changing(dict[str, int]):
    """As one that another thread is adding to."""

    def items(self) -> Any:
        raise RuntimeError("dictionary changed size during iteration")


@pytest.mark.parametrize("write", [as_json, as_text(colors=False)])
@pytest.mark.parametrize(
    "fact",
    [10**5000, Changing(a=1), {Unshowable(): 1}, {"api_key": b"hunter2", "token": ["hunter2"]}],
    ids=["a number too large to write", "changing", "a key that cannot be shown", "secrets that are no text"],
)
def test_no_fact_makes_a_line_fail_or_tells_a_secret(write: Callable[[Any], str], fact: object) -> None:
    line = write({"event": "desk.odd", "level": "info", "fact": fact})
    assert "desk.odd" in line
    assert "hunter2" not in line


def counted(registry: CollectorRegistry) -> dict[str, float | None]:
    return {level: registry.get_sample_value("nightdesk_log_events_total", {"level": level}) for level in COUNTED}


@pytest.mark.usefixtures("configured")
def test_every_level_that_matters_is_there_before_anything_is_logged() -> None:
    registry = CollectorRegistry()
    set_up(registry)

    assert counted(registry) == {"warning": 0, "error": 0, "critical": 0}


@pytest.mark.usefixtures("configured")
def test_lines_are_counted_by_level_ours_and_those_of_libraries() -> None:
    registry = CollectorRegistry()
    set_up(registry)
    log = structlog.get_logger()
    log.info("desk.well")
    log.warning("desk.odd")
    log.exception("desk.failed")
    log.critical("desk.lost")
    logging.getLogger("library").error("never awaited")
    logging.getLogger("library").info("not even written")

    assert counted(registry) == {"warning": 1, "error": 2, "critical": 1}


@pytest.mark.usefixtures("configured")
def test_a_level_that_is_not_written_is_not_counted() -> None:
    registry = CollectorRegistry()
    set_up(registry, log_level="error", log_format="console")
    structlog.get_logger().warning("desk.odd")

    assert counted(registry)["warning"] == 0


@pytest.mark.usefixtures("configured")
def test_a_line_says_when_how_bad_and_who_before_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    structlog.get_logger().info("desk.well", ticks=512)

    (line,) = written(capsys)
    assert list(line) == ["timestamp", "level", "service", "event", "ticks"]
    assert (line["level"], line["service"], line["event"], line["ticks"]) == ("info", "desk", "desk.well", 512)


@pytest.mark.usefixtures("configured")
def test_a_librarys_line_has_the_same_shape_and_an_event_that_is_the_same_every_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up()
    for attempt in (1, 2):
        logging.getLogger("pool").warning("attempt %d failed: %s", attempt, "password=hunter2")
    logging.getLogger("pool").warning("%s", "closed")

    first, second, third = written(capsys)
    assert first["event"] == second["event"] == "attempt %d failed: %s"
    assert (first["service"], first["level"], first["logger"]) == ("desk", "warning", "pool")
    assert (first["message"], second["message"]) == (
        "attempt 1 failed: password=***",
        "attempt 2 failed: password=***",
    )
    assert third["event"] == "closed"


@pytest.mark.usefixtures("configured")
def test_a_librarys_exception_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    try:
        connect("hunter" + "2")
    except ConnectionError:
        logging.getLogger("library").exception("it broke")

    (line,) = written(capsys)
    assert "hunter2" not in str(line)
    assert line["exception"][0]["exc_value"] == "no route with password=*** or token=***"


@pytest.mark.usefixtures("configured")
def test_a_line_never_fails_for_one_of_its_facts(capsys: pytest.CaptureFixture[str]) -> None:
    set_up()
    endless: list[object] = []
    endless.append(endless)
    structlog.get_logger().info(
        "desk.odd", ratio=math.nan, keys={(1, 2): "pair"}, broken="\ud800", what=Unshowable(), endless=endless
    )

    (line,) = written(capsys)
    assert (line["ratio"], line["keys"]) == ("nan", {"(1, 2)": "pair"})
    assert line["what"] == "<Unshowable: ValueError>"


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_fact_that_is_a_secret_by_its_name_is_left_out(capsys: pytest.CaptureFixture[str], form: str) -> None:
    set_up(log_format=form)
    structlog.get_logger().info("desk.odd", token="hunter2", inner={"db_password": "hunter2"}, is_token=True)
    try:
        connect("hunter" + "2")
    except ConnectionError:
        structlog.get_logger().exception("desk.failed")
    flush()

    out = capsys.readouterr().out
    assert "hunter2" not in out
    assert "***" in out
    assert "is_token" in out
    assert "ConnectionError" in out


@pytest.mark.usefixtures("configured")
def test_files_hold_json_whatever_the_eye_is_shown_and_errors_have_one_of_their_own(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    set_up(log_format="console", log_dir=str(tmp_path))
    log = structlog.get_logger()
    log.info("desk.well")
    log.error("desk.failed", token="hunter2")
    logging.getLogger("library").critical("lost")
    flush()

    errors, everything = sorted((tmp_path / "desk").iterdir(), key=lambda file: ".errors." not in file.name)
    assert capsys.readouterr().out.splitlines()[0].split()[1:] == ["[info", "]", "desk.well", "service=desk"]
    assert events(everything) == ["desk.well", "desk.failed", "lost"]
    assert events(errors) == ["desk.failed", "lost"]
    assert "hunter2" not in everything.read_text() + errors.read_text()


def events(file: Path) -> list[str]:
    return [json.loads(line)["event"] for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("configured")
def test_what_became_of_the_lines_is_there_before_any_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    registry = CollectorRegistry()
    log = set_up(registry)
    by = {"outlet": "stdout"}
    assert registry.get_sample_value("nightdesk_log_dropped_lines_total", by) == 0
    assert registry.get_sample_value("nightdesk_log_write_failures_total", by) == 0
    assert registry.get_sample_value("nightdesk_log_written_timestamp_seconds", by)

    structlog.get_logger().error("desk.failed")
    flush()
    assert log.figures() == {"lines": 1, "dropped": 0, "errors": 1}
    assert len(written(capsys)) == 1


@pytest.mark.usefixtures("configured")
def test_whoever_keeps_lines_is_given_json(capsys: pytest.CaptureFixture[str]) -> None:
    kept: list[str] = []
    set_up(log_format="console", keep=kept.append)
    structlog.get_logger().warning("desk.odd")

    assert [json.loads(line)["event"] for line in kept] == ["desk.odd"]
    flush()
    assert "desk.odd" in capsys.readouterr().out
