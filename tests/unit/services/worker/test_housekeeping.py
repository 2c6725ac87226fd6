"""The pace of what is done between turns."""

from services.worker.housekeeping import Pace


def test_a_pace_is_due_at_once_and_then_after_its_time() -> None:
    now_s = [10.0]
    pace = Pace(5.0, lambda: now_s[0])

    assert pace.due()
    assert not pace.due()
    now_s[0] = 14.9
    assert not pace.due()
    now_s[0] = 15.0
    assert pace.due()
