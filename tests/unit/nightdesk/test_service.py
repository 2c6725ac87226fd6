"""How a process begins and ends."""

import io
import json

import pytest

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.logs import Log
from nightdesk.service import EXIT_CONFIGURATION, Pulse, Watchdog, entry
from nightdesk.settings import Settings


class Desk:
    """A watchdog with a clock and an excuse of the test's own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.excused = False
        self.stopped = False
        self.watchdog = Watchdog(
            limit_s=60, excused=lambda: self.excused, monotonic_s=lambda: self.now_s, stop=self._stop
        )

    def _stop(self) -> None:
        self.stopped = True


def test_progress_keeps_a_process_alive() -> None:
    desk = Desk()
    for desk.now_s in (50.0, 100.0, 150.0):
        desk.watchdog.moved()
        desk.watchdog.check()

    assert desk.watchdog.alive()
    assert not desk.stopped


def test_no_progress_ends_it() -> None:
    desk = Desk()
    desk.now_s = 59.0
    desk.watchdog.check()
    assert not desk.stopped
    desk.now_s = 60.0
    desk.watchdog.check()
    assert desk.stopped


def test_an_outage_is_waited_out_and_the_wait_begins_anew_after_it() -> None:
    desk = Desk()
    desk.excused = True
    desk.now_s = 1000.0
    desk.watchdog.check()
    assert desk.watchdog.alive()

    desk.excused = False
    desk.now_s = 1059.0
    desk.watchdog.check()
    assert not desk.stopped


def test_a_wrong_configuration_is_one_message_and_its_own_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: object) -> None:
        raise ConfigurationError("FEEDS: there is no feed 'x'; api_key=abc")

    with pytest.raises(SystemExit) as ended:
        entry("collector", run)

    assert ended.value.code == EXIT_CONFIGURATION
    assert capsys.readouterr().err == "collector: FEEDS: there is no feed 'x'; api_key=***\n"


def test_any_other_error_of_ours_ends_with_status_1() -> None:
    def run(_: object) -> None:
        raise UnavailableError("away")

    with pytest.raises(SystemExit) as ended:
        entry("collector", run)
    assert ended.value.code == 1


def test_an_error_of_nobodys_ends_with_status_1_and_is_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: object) -> None:
        raise ZeroDivisionError("never thought of")

    with pytest.raises(SystemExit) as ended:
        entry("collector", run)
    assert ended.value.code == 1
    assert "service.failed" in capsys.readouterr().out


def test_a_pulse_tells_for_how_long_it_runs_and_what_was_logged_whatever_the_least_level() -> None:
    stream = io.StringIO()
    log = Log("desk", Settings.model_validate({"log_level": "error", "log_format": "json"}), stream)
    now_s = 100.0
    pulse = Pulse(log, monotonic_s=lambda: now_s)
    log.say("error", "desk.failed")
    log.flush(10.0)
    now_s = 700.4
    pulse.say()
    log.flush(10.0)

    line = json.loads(stream.getvalue().splitlines()[-1])
    assert (line["event"], line["level"], line["service"]) == ("service.alive", "info", "desk")
    assert (line["uptime_s"], line["lines"], line["dropped"], line["errors"]) == (600, 1, 0, 1)
