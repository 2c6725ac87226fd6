"""One message at the times a person chose, with all that needs no haste."""

from datetime import UTC, datetime

import pytest

from tests.unit.services.alerter.stage import Stage


def items(stage: Stage) -> list[str]:
    (told,) = stage.told
    return list(told.message.items)


def test_it_counts_what_was_often_and_says_what_goes_on() -> None:
    stage = Stage("flapping: {episodes: 10}")
    for _ in range(3):
        stage.blink("FeedReconnecting", "warning", feed="binance")
    stage.fire("GapOpen", "warning", feed="coinbase")
    stage.until("18:00")

    assert items(stage) == [
        "GapOpen coinbase (Mon 12:06:00 UTC, going on)",
        "FeedReconnecting binance (3 times, Mon 12:04:00 UTC, over after 1 min)",
    ]


def test_there_is_none_when_there_is_nothing_to_say() -> None:
    stage = Stage()
    stage.until("18:30")

    assert stage.story() == []


def test_what_goes_on_is_in_the_next_one_too_and_what_is_over_is_not() -> None:
    stage = Stage()
    stage.blink("GapOpen", "warning", feed="binance")
    stage.fire("GapOpen", "warning", feed="coinbase")
    stage.until("18:00")
    stage.told.clear()
    stage.wait("24h")

    assert items(stage) == ["GapOpen coinbase (Mon 12:02:00 UTC, going on)"]


def test_what_ended_since_the_last_one_is_told_once() -> None:
    stage = Stage()
    stage.fire("GapOpen", "warning", feed="coinbase")
    stage.until("18:00")
    stage.end("GapOpen")
    stage.told.clear()
    stage.wait("24h")
    assert items(stage) == ["GapOpen coinbase (Mon 12:00:00 UTC, over after 6 h)"]

    stage.told.clear()
    stage.wait("24h")
    assert stage.told == []


def test_it_comes_at_each_of_its_times_in_the_zone_of_the_policy() -> None:
    stage = Stage(
        base=Stage.base_without("digest", "timezone"),
        more='timezone: America/New_York\ndigest: {at: ["07:30", "18:00"], channels: [slack]}',
    )
    stage.fire("GapOpen", "warning")
    stage.wait("24h")

    assert [line[:8] for line in stage.story()] == ["00:30:00", "11:00:00"]


def test_a_digest_that_was_due_while_the_alerter_was_away_comes_once_it_is_back() -> None:
    stage = Stage()
    stage.fire("GapOpen", "warning")
    stage.now_s += 20 * 3600
    stage.look()
    stage.look()

    assert [line.split()[1] for line in stage.story()] == ["digest"]


@pytest.mark.parametrize(
    ("day", "count"),
    [
        (datetime(2026, 3, 7, 20, tzinfo=UTC), 1),  # New York's clocks go forward in this night: there is no 02:30
        (datetime(2026, 10, 31, 20, tzinfo=UTC), 1),  # and back in this: there are two of 01:30
    ],
)
@pytest.mark.parametrize("at", ["01:30", "02:30"])
def test_it_comes_once_in_the_night_the_clocks_change(day: datetime, count: int, at: str) -> None:
    zone = f'timezone: America/New_York\ndigest: {{at: ["{at}"], channels: [slack]}}'
    stage = Stage(base=Stage.base_without("digest", "timezone"), more=zone, at=day.timestamp())
    stage.fire("GapOpen", "warning")
    stage.wait("15h")

    assert len(stage.told) == count


def test_a_long_one_is_cut_and_says_so() -> None:
    stage = Stage()
    stage.fire_together("GapOpen", "warning", label="feed", values=[f"feed{number}" for number in range(230)])
    stage.until("18:00")

    assert len(items(stage)) == 201
    assert items(stage)[-1] == "and 30 more"


def test_a_flapping_warning_is_one_line() -> None:
    stage = Stage()
    for _ in range(40):
        stage.blink("FeedReconnecting", "warning", feed="binance")
    stage.until("18:00")

    assert len(items(stage)) == 1
    assert len(stage.told[0].alerts) == 3
