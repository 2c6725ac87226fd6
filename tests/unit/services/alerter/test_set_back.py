"""A clock that is set back by an hour holds up nothing; set forward by a day it repeats nothing."""

from services.alerter.set_back import set_back
from tests.unit.services.alerter.stage import Stage

HOUR_S = 3600.0


class Clocked(Stage):
    """A stage whose clock somebody sets."""

    def turn_back(self) -> None:
        """Set the clock back by an hour, and notice."""
        self.now_s -= HOUR_S
        self.began_s -= HOUR_S
        self.changed_s = self.now_s
        self.change(lambda turn: set_back(turn, HOUR_S))


def kinds(stage: Stage) -> list[str]:
    return [line.partition(": ")[0] for line in stage.story()]


def test_an_escalation_comes_when_it_would_have_come() -> None:
    stage = Clocked()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("10m")
    stage.story()
    stage.turn_back()
    stage.wait("20m")

    assert kinds(stage) == ["00:15:00 escalation pager", "00:25:00 escalation phone"]


def test_what_joins_a_group_is_told_at_once() -> None:
    stage = Clocked()
    stage.fire("SymbolSilent", feed="binance", symbol="BTCUSDT")
    stage.wait("2m")
    stage.turn_back()
    stage.story()
    stage.fire("SymbolSilent", feed="binance", symbol="ETHUSDT")

    assert kinds(stage) == ["00:02:00 firing slack"]


def test_what_was_missing_is_over_when_it_would_have_been() -> None:
    stage = Clocked()
    stage.fire("FeedSilent", feed="binance")
    stage.wait("5m")
    stage.story()
    stage.end("FeedSilent")
    stage.wait("5s")
    stage.turn_back()
    stage.wait("15s")

    assert kinds(stage) == ["00:05:15 resolved slack"]


def test_a_silence_lasts_no_longer() -> None:
    stage = Clocked()
    stage.silence("1h", alertname="FeedSilent")
    stage.fire("FeedSilent", feed="binance")
    stage.wait("30m")
    stage.turn_back()
    stage.wait("31m")

    assert kinds(stage) == ["01:00:00 firing slack"]


def test_the_past_is_read_from_where_it_was_read_last() -> None:
    stage = Clocked()
    watched_s = stage.now_s
    stage.change(lambda turn: setattr(turn, "watched_s", watched_s))
    stage.turn_back()

    assert stage.state.watched_s == watched_s - HOUR_S


def test_no_digest_comes_twice() -> None:
    stage = Clocked()
    stage.fire("GapOpen", "warning")
    stage.until("18:00")
    assert len(stage.story()) == 1

    stage.turn_back()
    stage.wait("3h")
    assert stage.story() == []


def test_a_clock_that_is_set_forward_by_a_day_makes_each_call_once() -> None:
    stage = Stage()
    stage.fire("FeedSilent", feed="binance")
    stage.fire("GapOpen", "warning")
    stage.story()
    stage.now_s += 24 * HOUR_S
    stage.look()
    stage.look()

    assert [line.split()[1] for line in stage.story()] == ["escalation", "digest"]
