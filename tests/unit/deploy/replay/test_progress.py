import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from deploy.replay.app import shower
from deploy.replay.figures import Progress, figures_of, progress_of, stored_of
from deploy.replay.report import remarks, table
from deploy.replay.run import SETTLED_S, STALL_S, patience_s

COLLECTOR = """\
# TYPE nightdesk_feed_messages counter
nightdesk_feed_messages_total{feed="binance"} 12.0
# TYPE nightdesk_feed_rejected counter
nightdesk_feed_rejected_total{feed="binance",reason="not_json"} 2.0
nightdesk_feed_rejected_total{feed="binance",reason="wrong_shape"} 0.0
# TYPE nightdesk_spool_frames gauge
nightdesk_spool_frames{feed="binance"} 3.0
"""
STATE = {"replay": {"sent": 12, "skipped": 1, "total": 13, "done": True}}
HEALTH = {"parts": [{"part": "feed/binance", "facts": {"ready": True}}, {"part": "redis/binance", "facts": {}}]}

ARRIVED = Progress(sent=12, total=12, played=True, received=12, ready=True)


def test_a_look_puts_together_what_the_services_say() -> None:
    look = progress_of(STATE, HEALTH, figures_of(COLLECTOR), {})

    assert (look.sent, look.skipped, look.total, look.played) == (12, 1, 13, True)
    assert (look.received, look.spooled, look.ready) == (12, 3, True)
    assert look.rejected == {"not_json": 2}


def test_everything_has_arrived_only_when_nothing_is_on_its_way() -> None:
    assert ARRIVED.arrived()
    assert not replace(ARRIVED, received=11).arrived()
    assert not replace(ARRIVED, spooled=1).arrived()
    assert not replace(ARRIVED, played=False).arrived()
    assert not replace(ARRIVED, ready=False).arrived()


def test_answers_to_the_collectors_own_pings_are_no_movement() -> None:
    assert replace(ARRIVED, received=13).is_like(ARRIVED)
    assert not replace(ARRIVED, received=11).is_like(ARRIVED)
    assert not replace(ARRIVED, committed=1).is_like(ARRIVED)


def test_a_recording_may_be_silent_for_as_long_as_it_likes() -> None:
    assert patience_s(replace(ARRIVED, played=False)) == math.inf


def test_nobody_waits_for_ever_for_what_was_lost_or_never_began() -> None:
    assert patience_s(replace(ARRIVED, received=11)) == STALL_S
    assert patience_s(Progress(total=12)) == STALL_S
    assert patience_s(ARRIVED) == SETTLED_S


def test_the_table_has_a_line_for_each_symbol_and_kind() -> None:
    at = datetime(2021, 10, 12, 0, 28, 32, tzinfo=UTC)
    lines = table(stored_of([("NKNUSDT", 1, 1234, 0, 1, 7, at, at)])).splitlines()

    assert lines[1].split() == ["NKNUSDT", "trade", "1,234", "0", "1", "7", "2021-10-12", "00:28:32", "..", "00:28:32"]


def test_what_did_not_become_a_row_is_said() -> None:
    lost = replace(ARRIVED, received=10, skipped=3, ready=False, spooled=4, rejected={"not_json": 2})
    text = "\n".join(remarks(lost))

    assert "not_json 2" in text
    assert "3 messages were not sent" in text
    assert "2 messages that were sent did not arrive" in text
    assert "not every subscription was confirmed" in text
    assert "4 frames were still on their way" in text


def test_progress_is_said_now_and_then_and_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    now_s = iter([0.0, 10.0, 11.0, 12.0])
    show = shower(lambda: next(now_s))

    for look in (replace(ARRIVED, played=False), replace(ARRIVED, played=False), ARRIVED):
        show(look)

    assert capsys.readouterr().out.count("messages sent") == 2
