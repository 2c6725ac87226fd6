"""An alert that comes and goes is one alert that goes on, until it has been quiet for long enough."""

from tests.unit.services.alerter.stage import Stage

FLAPPING = "flapping: {episodes: 3, within: 1h, hold: 15m}"


def test_an_alert_that_began_too_often_is_told_no_more_often_than_that() -> None:
    stage = Stage(FLAPPING)
    for _ in range(6):
        stage.blink("FeedSilent", feed="binance")

    assert [line.split()[1] for line in stage.story()] == ["firing", "resolved", "firing", "resolved", "firing"]


def test_it_is_over_once_it_has_been_quiet_for_long_enough() -> None:
    stage = Stage(FLAPPING)
    for _ in range(6):
        stage.blink("FeedSilent", feed="binance")
    stage.story()
    stage.wait("20m")

    assert [line.split()[1] for line in stage.story()] == ["resolved"]


def test_one_that_flaps_and_is_not_acknowledged_still_escalates() -> None:
    stage = Stage(FLAPPING)
    for _ in range(15):
        stage.blink("FeedSilent", feed="binance")

    assert "escalation" in [line.split()[1] for line in stage.story()]


def test_what_begins_now_and_then_does_not_flap() -> None:
    stage = Stage(FLAPPING)
    for _ in range(4):
        stage.blink("FeedSilent", feed="binance", off="40m")

    assert [line.split()[1] for line in stage.story()] == ["firing", "resolved"] * 4


def test_each_alert_is_counted_for_itself() -> None:
    stage = Stage(FLAPPING)
    for number in range(4):
        stage.blink("FeedSilent", feed=f"feed{number}")

    assert [line.split()[1] for line in stage.story()] == ["firing", "resolved"] * 4
