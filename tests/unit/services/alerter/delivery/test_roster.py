"""Which channels can be used: those that are there, but for those that failed for good and rest."""

from collections.abc import Iterator

import pytest

from services.alerter.delivery.roster import AGAIN_BASE_S, AGAIN_CAP_S, FAILING_S, Roster
from services.alerter.messages import Kind
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Outbox
from tests.unit.services.alerter.delivery.channels import Scripted
from tests.unit.services.alerter.desks import state_file
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of
from tests.unit.services.alerter.store.kept import Office


class Clock:
    def __init__(self) -> None:
        self.now_s = MONDAY_NOON

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(clock: Clock) -> Iterator[StateFile]:
    with state_file(clock) as made:
        yield made


def roster_of(file: StateFile, clock: Clock, *names: str) -> Roster:
    return Roster(
        policy=policy_of(BASE),
        channels={name: Scripted(takes=set(Kind) - {Kind.TEST}) for name in names},
        lacking={"phone": ["TELEGRAM_BOT_TOKEN"]},
        outbox=Outbox(file, clock),
        wall_s=clock,
    )


def test_what_is_there_can_be_used_and_stands_in_by_the_order_of_the_page(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "pager", "slack")

    assert roster.usable() == {"slack", "pager"}
    assert roster.stand_ins() == ["slack", "pager"]


def test_what_a_channel_takes_is_asked_of_it(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack")

    assert roster.takes("slack", Kind.FIRING)
    assert not roster.takes("slack", Kind.TEST)
    assert not roster.takes("phone", Kind.FIRING)
    assert not roster.takes("nowhere", Kind.FIRING)


def test_what_failed_for_good_rests_for_longer_and_longer(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack", "pager")
    rests: list[float] = []
    for _ in range(9):
        roster.disable("slack", "gone")
        rests.append(roster.rests_s("slack"))

    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    assert (rests[0], max(rests)) == (AGAIN_BASE_S, AGAIN_CAP_S)
    assert roster.usable() == {"pager"}
    assert roster.stand_ins() == ["pager"]


def test_after_its_rest_it_is_used_again_but_is_still_broken(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack", "pager")
    roster.disable("slack", "gone")
    clock.now_s += 60

    assert roster.usable() == {"slack", "pager"}
    assert [one.channel for one in roster.broken()] == ["slack"]


def test_where_all_failed_all_are_used_and_none_stands_in(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack", "pager")
    roster.disable("slack", "gone")
    roster.disable("pager", "gone")

    assert roster.usable() == {"slack", "pager"}
    assert roster.stand_ins() == []


def test_where_there_is_none_none_is_used(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock)

    assert roster.usable() == frozenset()
    assert roster.stand_ins() == []


def test_what_delivers_is_as_good_as_new(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack")
    roster.disable("slack", "gone")
    roster.disable("slack", "gone")
    roster.enable("slack")
    assert (roster.rests_s("slack"), roster.broken()) == (0, ())

    roster.disable("slack", "gone")
    assert roster.rests_s("slack") == AGAIN_BASE_S


def test_it_says_since_when_why_and_whether_a_page_would_use_it(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack")
    roster.disable("slack", "gone")
    clock.now_s += 60
    roster.disable("slack", "forbidden")
    (broken,) = roster.broken()

    assert (broken.since_s, broken.reason, broken.is_paged) == (MONDAY_NOON, "forbidden", True)


def test_after_a_restart_it_is_known_and_tried_soon(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack", "pager")
    for _ in range(7):
        roster.disable("slack", "gone")
    again = roster_of(file, clock, "slack", "pager")

    assert again.disabled["slack"].failures == 7
    assert again.rests_s("slack") == AGAIN_BASE_S
    again.disable("slack", "gone")
    assert again.rests_s("slack") == AGAIN_CAP_S


def test_a_channel_that_is_configured_no_longer_is_not_broken(file: StateFile, clock: Clock) -> None:
    roster_of(file, clock, "slack", "pager").disable("slack", "gone")

    assert roster_of(file, clock, "pager").broken() == ()


def test_a_clock_that_is_set_back_makes_no_rest_longer(file: StateFile, clock: Clock) -> None:
    roster = roster_of(file, clock, "slack")
    roster.disable("slack", "gone")
    clock.now_s -= 3600
    roster.set_back(3600)

    assert roster.rests_s("slack") == AGAIN_BASE_S


def test_a_channel_that_fails_for_long_with_something_to_deliver_is_told_of(clock: Clock, file: StateFile) -> None:
    office = Office(file)
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=5.0)
    clock.now_s = office.now_s + FAILING_S
    roster = roster_of(file, clock, "slack")
    assert roster.broken() == ()

    clock.now_s += 1
    (broken,) = roster.broken()

    assert (broken.channel, broken.since_s, broken.is_paged) == ("slack", office.now_s, True)
