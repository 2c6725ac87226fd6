"""No credential reaches a log line, and lines that matter are counted."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client import CollectorRegistry

from nightdesk.logs import COUNTED, configure, redacted


@pytest.fixture
def configured() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.root.handlers[:]
    yield
    logging.root.handlers[:] = handlers
    structlog.contextvars.clear_contextvars()
    structlog.configure(**before)


def connect(password: str) -> None:
    raise ConnectionError(f"no route with password={password} or token='{password}'")


@pytest.mark.usefixtures("configured")
def test_an_exception_tells_neither_its_local_variables_nor_its_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    configure(service="desk", level="info", form="json")
    try:
        connect("hunter" + "2")
    except ConnectionError:
        structlog.get_logger().exception("service.failed", facts={"inner": ["api_key=" + "hunter2"]})

    line = capsys.readouterr().out
    assert "hunter2" not in line
    assert json.loads(line)["exception"][0]["exc_type"] == "ConnectionError"
    assert json.loads(line)["facts"] == {"inner": ["api_key=***"]}


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
    ],
)
def test_credentials_are_left_out_and_all_else_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown


def counted(registry: CollectorRegistry) -> dict[str, float | None]:
    return {level: registry.get_sample_value("nightdesk_log_events_total", {"level": level}) for level in COUNTED}


@pytest.mark.usefixtures("configured")
def test_every_level_that_matters_is_there_before_anything_is_logged() -> None:
    registry = CollectorRegistry()
    configure(service="desk", level="info", form="json", registry=registry)

    assert counted(registry) == {"warning": 0, "error": 0, "critical": 0}


@pytest.mark.usefixtures("configured")
def test_lines_are_counted_by_level_ours_and_those_of_libraries() -> None:
    registry = CollectorRegistry()
    configure(service="desk", level="info", form="json", registry=registry)
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
    configure(service="desk", level="error", form="console", registry=registry)
    structlog.get_logger().warning("desk.odd")

    assert counted(registry)["warning"] == 0
