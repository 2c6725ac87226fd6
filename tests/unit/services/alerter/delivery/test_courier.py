"""What a courier makes of a channel's answers, in virtual time: order, retries, pauses, rests, withdrawals, the end."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import pairwise

import pytest

from services.alerter.alerts import Alert, Source
from services.alerter.channel import Delivered, LimitedError, PermanentError, Reason, TransientError
from services.alerter.delivery.courier import IDLE_S, RETRY_BASE_S, RETRY_CAP_S, Courier
from services.alerter.delivery.roster import AGAIN_BASE_S, Roster
from services.alerter.desk import Desk
from services.alerter.messages import Kind, Message, Tier
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Attempt, Delivery, Outbox
from services.alerter.turn import Notification, Turn
from tests.unit.services.alerter.delivery.at_once import AtOnce
from tests.unit.services.alerter.delivery.channels import REFUSAL, Scripted
from tests.unit.services.alerter.desks import Told, desk_over, state_file
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of
from tests.virtual_time import run

DOWN = TransientError(Reason.SERVER_ERROR, "status 500", 500)
YES = Delivered(status=200)


def limited(seconds: float) -> LimitedError:
    return LimitedError("slow down", seconds, 429)


class Round:
    """One courier over a real outbox. Its retries are at the end of the time that they may take."""

    def __init__(self, file: StateFile, *answers: Delivered | Exception, per_minute: float = 600.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.file = file
        self.outbox = Outbox(file, self.wall_s)
        self.channel = Scripted(*answers)
        self.sent_s: list[float] = []
        self.attempts: list[str] = []
        self.roster = Roster(
            policy=policy_of(BASE),
            channels={"slack": self.channel},
            lacking={},
            outbox=self.outbox,
            wall_s=self.wall_s,
        )
        self.desk: Desk = desk_over(file, self.wall_s, Told())
        self.courier = Courier(
            name="slack",
            channel=self.channel,
            per_minute=per_minute,
            outbox=self.outbox,
            roster=self.roster,
            wall_s=self.wall_s,
            random=lambda: 1.0,
            on_attempt=self._attempted,
            thread=AtOnce(),
        )

    def wall_s(self) -> float:
        return MONDAY_NOON + self.loop.time()

    def tell(self, title: str, *, tier: Tier = Tier.CRITICAL, kind: Kind = Kind.FIRING, alert: int = 0) -> None:
        """Put a message into the outbox; about one alert, if that is said."""

        def put(turn: Turn) -> None:
            if alert:
                turn.put(an_alert(alert))
            number = turn.new_notification_id()
            message = Message(notification_id=number, kind=kind, tier=tier, title=title)
            turn.tell(
                Notification(
                    notification_id=number,
                    kind=kind,
                    tier=tier,
                    created_s=turn.now_s,
                    groups=("group",),
                    alerts=(alert,) if alert else (),
                    channels=("slack",),
                    message=message,
                )
            )

        self.desk.change(put)
        self.courier.wake()

    def withdraw(self) -> None:
        """Take back what waits."""
        self.desk.change(lambda turn: turn.withdraw("group", frozenset(Kind)))

    async def goes_on_for(self, seconds: float) -> None:
        """Let the courier work for a while."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.courier.run(), seconds)

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.channel.sent]

    def states(self) -> list[str]:
        rows = self.file._connection.execute("SELECT state FROM deliveries ORDER BY delivery_id")
        return [row["state"] for row in rows]

    def _attempted(self, _name: str, attempt: Attempt, _delivery: Delivery | None) -> None:
        self.attempts.append(attempt.outcome)
        self.sent_s.append(round(attempt.at_s - MONDAY_NOON, 3))


def an_alert(number: int) -> Alert:
    return Alert(
        alert_id=number,
        fingerprint=f"{number}",
        source=Source.PROMETHEUS,
        tier=Tier.CRITICAL,
        group="group",
        labels={},
        annotations={},
        started_s=MONDAY_NOON,
        seen_s=MONDAY_NOON,
    )


def rounds(test: Callable[[StateFile], Awaitable[None]]) -> None:
    with state_file(lambda: MONDAY_NOON) as file:

        async def whole() -> None:
            await test(file)

        run(whole())


def test_what_waits_is_delivered_the_most_urgent_first_and_in_order() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file)
        one.tell("first", tier=Tier.WARNING)
        one.tell("second")
        one.tell("third")
        await one.goes_on_for(10)

        assert one.titles == ["second", "third", "first"]
        assert one.states() == ["delivered"] * 3

    rounds(test)


def test_what_is_new_is_delivered_at_once() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file)
        going = asyncio.create_task(one.courier.run())
        await asyncio.sleep(100.25)
        one.tell("news")
        await asyncio.sleep(1.0)
        one.courier.stop()
        await going

        assert one.sent_s == [100.25]

    rounds(test)


def test_what_nobody_spoke_of_is_found_within_a_moment() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file)
        going = asyncio.create_task(one.courier.run())
        await asyncio.sleep(101.0)
        one.courier.wake = lambda: None  # type: ignore[method-assign]
        one.tell("news")
        await asyncio.sleep(IDLE_S)
        one.courier.stop()
        going.cancel()

        assert one.titles == ["news"]

    rounds(test)


def test_what_fails_for_now_is_tried_again_after_longer_and_longer() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, *[DOWN] * 9, YES)
        one.tell("news")
        await one.goes_on_for(3600)

        waits = [later - earlier for earlier, later in pairwise(one.sent_s)]
        assert waits == pytest.approx([2, 4, 8, 16, 32, 64, 120, 120, 120], abs=0.1)
        assert waits[0] == pytest.approx(RETRY_BASE_S, abs=0.1)
        assert max(waits) == pytest.approx(RETRY_CAP_S, abs=0.1)
        assert one.attempts == ["transient"] * 9 + ["delivered"]

    rounds(test)


def test_an_error_nobody_foresaw_is_one_that_may_pass() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, ValueError("a fault of the channel's code"), YES)
        one.tell("news")
        await one.goes_on_for(60)

        assert one.attempts == ["transient", "delivered"]
        rows = file._connection.execute("SELECT reason, detail FROM attempts ORDER BY attempt_id").fetchall()
        assert tuple(rows[0]) == ("failure", "ValueError")

    rounds(test)


def test_what_fails_holds_up_only_what_is_about_the_same() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, DOWN, YES)
        one.tell("firing", alert=1)
        await one.goes_on_for(0.5)
        one.tell("over", kind=Kind.RESOLVED, alert=1)
        one.tell("other", alert=2)
        await one.goes_on_for(60)

        assert one.titles == ["firing", "other", "firing", "over"]

    rounds(test)


def test_a_pause_that_is_asked_for_is_kept_by_everything_on_the_channel() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, limited(30), YES)
        one.tell("first")
        one.tell("second")
        await one.goes_on_for(29.9)
        assert one.titles == ["first"]

        await one.goes_on_for(5)
        assert sorted(one.titles) == ["first", "first", "second"]
        assert one.attempts[0] == "rate_limited"

    rounds(test)


def test_it_sends_no_more_than_its_rate() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, per_minute=6)
        for number in range(6):
            one.tell(f"{number}")
        await one.goes_on_for(60)

        assert one.sent_s == pytest.approx([0, 0, 0, 10, 20, 30], abs=0.01)

    rounds(test)


def test_a_channel_that_refuses_is_left_alone_and_then_tried_again_with_something_else() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, REFUSAL, YES)
        one.tell("first")
        one.tell("second")
        await one.goes_on_for(AGAIN_BASE_S - 1)
        assert one.titles == ["first"]
        assert one.states() == ["queued", "queued"]
        assert one.roster.disabled["slack"].reason == "no_service"

        await one.goes_on_for(10)
        assert one.titles == ["first", "second", "first"]
        assert one.roster.disabled == {}

    rounds(test)


def test_one_message_that_is_always_refused_does_not_silence_the_channel() -> None:
    class Picky(Scripted):
        def send(self, message: Message) -> Delivered:
            super().send(message)
            if message.title == "poison":
                raise PermanentError(Reason.REFUSED, "invalid_blocks", 400)
            return YES

    async def test(file: StateFile) -> None:
        one = Round(file)
        one.courier._channel = picky = Picky()
        one.tell("poison")
        for number in range(5):
            one.tell(f"{number}")
            await one.goes_on_for(2 * AGAIN_BASE_S)

        assert {f"{number}" for number in range(5)} <= {message.title for message in picky.sent}

    rounds(test)


def test_a_channel_that_refuses_again_rests_for_longer_and_longer() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, REFUSAL)
        one.tell("news")
        await one.goes_on_for(4 * 3600)

        waits = [round(later - earlier) for earlier, later in pairwise(one.sent_s)]
        assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]

    rounds(test)


def test_what_is_withdrawn_while_it_waits_for_its_turn_is_not_sent() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, per_minute=6)
        for number in range(4):
            one.tell(f"{number}")
        going = asyncio.create_task(one.courier.run())
        await asyncio.sleep(5)
        one.withdraw()
        await asyncio.sleep(60)
        one.courier.stop()
        await going

        assert one.titles == ["0", "1", "2"]

    rounds(test)


def test_a_test_goes_past_the_outbox_and_has_the_channel_used_again() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, REFUSAL, YES)
        one.tell("news")
        await one.goes_on_for(5)
        tested = await one.courier.test(Message(notification_id=7, kind=Kind.TEST, tier=Tier.INFO, title="test"))
        assert tested.outcome == "delivered"
        assert one.roster.disabled == {}

        await one.goes_on_for(1)
        assert one.titles == ["news", "test", "news"]

    rounds(test)


def test_a_test_that_fails_is_told_as_it_failed_and_changes_nothing() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, REFUSAL)
        tested = await one.courier.test(Message(notification_id=7, kind=Kind.TEST, tier=Tier.INFO, title="test"))

        assert (tested.outcome, tested.reason, tested.status, tested.detail) == (
            "permanent",
            "not_found",
            404,
            "no_service",
        )
        assert one.roster.disabled == {}

    rounds(test)


def test_it_stops_at_once_when_it_has_nothing_to_do_or_waits_for_its_turn() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, per_minute=1)
        for number in range(5):
            one.tell(f"{number}")
        going = asyncio.create_task(one.courier.run())
        await asyncio.sleep(5)
        one.courier.stop()
        await asyncio.wait_for(going, 0.1)

        assert one.titles == ["0", "1", "2"]
        assert one.states()[3] == "queued"

    rounds(test)


def test_what_was_delivered_before_a_kill_is_not_delivered_again() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file)
        one.tell("news")
        await one.goes_on_for(5)
        again = Round(file)
        await again.goes_on_for(60)

        assert again.titles == []

    rounds(test)


def test_a_clock_that_is_set_back_does_not_hold_up_a_turn_that_is_waited_for() -> None:
    async def test(file: StateFile) -> None:
        one = Round(file, per_minute=6)
        for number in range(4):
            one.tell(f"{number}")
        going = asyncio.create_task(one.courier.run())
        await asyncio.sleep(5)
        before_s = one.wall_s
        one.courier._wall_s = lambda: before_s() - 3600
        await asyncio.sleep(6)
        one.courier.stop()
        await going

        assert one.titles == ["0", "1", "2", "3"]

    rounds(test)
