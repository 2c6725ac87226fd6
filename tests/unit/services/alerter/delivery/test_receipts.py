"""What people did with messages where they arrived: asked about until it is known, and stopped once it is of no use."""

import asyncio
from collections.abc import Iterator

import pytest

from services.alerter.channel import LimitedError, PermanentError, Reason, TransientError
from services.alerter.delivery.receipts import EVERY_S, Receipts
from services.alerter.delivery.roster import Roster
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Outbox
from tests.unit.services.alerter.delivery.at_once import AtOnce
from tests.unit.services.alerter.delivery.channels import Scripted
from tests.unit.services.alerter.desks import state_file
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of
from tests.unit.services.alerter.store.kept import Office
from tests.virtual_time import run

PERMANENT = PermanentError(Reason.NOT_FOUND, "no such receipt", 404)
PASSING = [TransientError(Reason.TIMEOUT, "slow"), LimitedError("slow down", 60.0), ValueError("of its own")]


class Pager(Scripted):
    """Knows what people did, or fails to say."""

    def __init__(self) -> None:
        super().__init__()
        self.says: bool | Exception | None = False
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.refuses: Exception | None = None

    def is_acknowledged(self, receipt: str) -> bool | None:
        self.asked.append(receipt)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def cancel(self, receipt: str) -> None:
        self.cancelled.append(receipt)
        if self.refuses is not None:
            raise self.refuses


class Counter:
    """An alert that was called over the pager, whose receipt is asked about."""

    def __init__(self, file: StateFile) -> None:
        self.office = Office(file)
        self.office.fire("FeedSilent", feed="binance")
        self.office.wait("15m")
        self.office.deliver("pager", receipt="r1")
        self.pager = Pager()
        self.acknowledged: list[tuple[int, str]] = []
        self.receipts = self.over(pager=self.pager)

    def over(self, **channels: Scripted) -> Receipts:
        outbox = Outbox(self.office.file, lambda: self.office.now_s)
        roster = Roster(
            policy=policy_of(BASE), channels=channels, lacking={}, outbox=outbox, wall_s=lambda: self.office.now_s
        )
        return Receipts(outbox=outbox, roster=roster, acknowledge=self._acknowledge, thread=AtOnce())

    def ask(self) -> None:
        asyncio.run(self.receipts.ask())

    def open_receipts(self) -> int:
        return len(self.office.outbox.receipts())

    def _acknowledge(self, notification: int, channel: str) -> None:
        self.acknowledged.append((notification, channel))
        self.office.ack("FeedSilent", by=channel)


@pytest.fixture
def counter() -> Iterator[Counter]:
    with state_file(lambda: MONDAY_NOON) as file:
        yield Counter(file)


def test_what_nobody_acknowledged_is_asked_about_again(counter: Counter) -> None:
    counter.ask()
    counter.ask()

    assert counter.pager.asked == ["r1", "r1"]
    assert counter.acknowledged == []


def test_what_a_person_acknowledged_there_is_acknowledged_here_and_asked_about_no_more(counter: Counter) -> None:
    counter.pager.says = True
    counter.ask()
    counter.ask()

    assert counter.acknowledged == [(2, "pager")]
    assert counter.pager.asked == ["r1"]
    assert counter.pager.cancelled == []


def test_what_expired_is_asked_about_no_more(counter: Counter) -> None:
    counter.pager.says = None
    counter.ask()

    assert (counter.acknowledged, counter.open_receipts()) == ([], 0)


def test_what_was_acknowledged_elsewhere_is_stopped_there_once(counter: Counter) -> None:
    counter.office.ack("FeedSilent")
    counter.ask()
    counter.ask()

    assert counter.pager.cancelled == ["r1"]
    assert counter.pager.asked == []


def test_what_is_over_is_stopped(counter: Counter) -> None:
    counter.office.end("FeedSilent")
    counter.office.wait("1m")
    counter.ask()

    assert counter.pager.cancelled == ["r1"]


@pytest.mark.parametrize("error", PASSING)
def test_what_cannot_be_asked_now_is_asked_later_and_harms_nothing(counter: Counter, error: Exception) -> None:
    counter.pager.says = error
    counter.ask()
    assert counter.open_receipts() == 1

    counter.pager.says = True
    counter.ask()
    assert counter.acknowledged == [(2, "pager")]


@pytest.mark.parametrize("error", PASSING)
def test_what_cannot_be_stopped_now_is_stopped_later(counter: Counter, error: Exception) -> None:
    counter.office.ack("FeedSilent")
    counter.pager.refuses = error
    counter.ask()
    counter.pager.refuses = None
    counter.ask()

    assert counter.pager.cancelled == ["r1", "r1"]
    assert counter.open_receipts() == 0


def test_what_is_refused_for_good_is_asked_about_no_more(counter: Counter) -> None:
    counter.pager.says = PERMANENT
    counter.ask()

    assert counter.open_receipts() == 0


def test_a_channel_that_is_gone_or_knows_of_no_receipts_is_not_asked(counter: Counter) -> None:
    counter.receipts = counter.over(pager=Scripted())
    counter.ask()

    assert counter.open_receipts() == 0


def test_it_asks_every_few_seconds(counter: Counter) -> None:
    async def a_minute() -> None:
        task = asyncio.create_task(counter.receipts.run(asyncio.sleep))
        await asyncio.sleep(6 * EVERY_S - 1)
        task.cancel()

    run(a_minute())
    assert len(counter.pager.asked) == 6
