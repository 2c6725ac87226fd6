"""One channel's courier: takes what is due from the outbox, one after the other, and says how it went.

Each has a thread of its own to wait in, so that a channel that hangs, or asks for a pause, holds up no other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from itertools import islice
from typing import Final

import structlog

from nightdesk.backoff import delays_s
from services.alerter.channel import Channel, Delivered, LimitedError, PermanentError, Reason, TransientError
from services.alerter.delivery.bucket import Bucket
from services.alerter.delivery.roster import Roster
from services.alerter.messages import Message
from services.alerter.store.outbox import Attempt, Delivery, Outbox

log = structlog.get_logger()

RETRY_BASE_S: Final = 2.0
RETRY_CAP_S: Final = 120.0
IDLE_S: Final = 5.0
"""How long to wait at most before looking again; what is new wakes at once."""

DELIVERED: Final = "delivered"
PERMANENT: Final = "permanent"
LIMITED: Final = "rate_limited"
TRANSIENT: Final = "transient"
OUTCOMES: Final = (DELIVERED, PERMANENT, LIMITED, TRANSIENT)


class Courier:
    """Delivers on one channel."""

    def __init__(
        self,
        *,
        name: str,
        channel: Channel,
        per_minute: float,
        outbox: Outbox,
        roster: Roster,
        wall_s: Callable[[], float],
        random: Callable[[], float],
        on_attempt: Callable[[str, Attempt, Delivery | None], None],
        thread: Executor,
    ) -> None:
        """``thread`` is the channel's own: what is sent there is waited for."""
        self.name = name
        self._channel = channel
        self._outbox = outbox
        self._roster = roster
        self._wall_s = wall_s
        self._random = random
        self._on_attempt = on_attempt
        self._bucket = Bucket(per_minute=per_minute)
        self._thread = thread
        self._woken = asyncio.Event()
        self._is_stopping = False

    def wake(self) -> None:
        """Say that there may be something to deliver."""
        self._woken.set()

    def stop(self) -> None:
        """Finish what is under way, and no more."""
        self._is_stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver until it is stopped."""
        while not self._is_stopping:
            self._woken.clear()
            delivery = None if self._roster.rests_s(self.name) else self._outbox.next(self.name)
            if delivery is None:
                await self._idle()
            else:
                await self._deliver(delivery)

    async def test(self, message: Message) -> Attempt:
        """Send one message past the outbox, and return how that went."""
        attempt, _ = await self._attempt(message)
        if attempt.outcome == DELIVERED:
            self._roster.enable(self.name)
            self.wake()
        self._on_attempt(self.name, attempt, None)
        return attempt

    async def _deliver(self, delivery: Delivery) -> None:
        if await self._stopped_within(self._bucket.spend(_steady_s())) or not self._outbox.start(delivery):
            return  # or withdrawn while it waited for its turn
        attempt, error = await self._attempt(delivery.message)
        self._record(delivery, attempt, error)
        self._on_attempt(self.name, attempt, delivery)

    def _record(self, delivery: Delivery, attempt: Attempt, result: Delivered | Exception) -> None:
        if isinstance(result, Delivered):
            self._roster.enable(self.name)
            self._outbox.delivered(delivery, attempt, result.receipt)
        elif isinstance(result, PermanentError):
            self._outbox.put_off(delivery, attempt, self._wall_s())
            self._roster.disable(self.name, attempt.detail)
        elif isinstance(result, LimitedError):
            self._bucket.close(result.retry_after_s, _steady_s())
            self._outbox.put_off(delivery, attempt, self._wall_s() + result.retry_after_s)
        else:
            self._outbox.put_off(delivery, attempt, self._wall_s() + self._delay_s(delivery.attempts))

    async def _attempt(self, message: Message) -> tuple[Attempt, Delivered | Exception]:
        """Send once; whatever goes wrong is an attempt that failed."""
        started_s = self._wall_s()
        loop = asyncio.get_running_loop()
        result: Delivered | Exception
        try:
            result = await loop.run_in_executor(self._thread, self._channel.send, message)
        except (PermanentError, LimitedError, TransientError) as error:
            result = error
        except Exception as error:
            log.exception("channel.failed", channel=self.name)
            result = TransientError(Reason.FAILURE, type(error).__name__)
        return _attempt_of(result, started_s, self._wall_s() - started_s), result

    def _delay_s(self, attempts: int) -> float:
        delays = delays_s(base_s=RETRY_BASE_S, cap_s=RETRY_CAP_S, random=self._random)
        return next(islice(delays, min(attempts, 10), None))

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait; return whether it was stopped meanwhile."""
        until_s = _steady_s() + seconds
        while not self._is_stopping and (left_s := until_s - _steady_s()) > 0:
            self._woken.clear()
            await _wait(self._woken.wait(), left_s)
        return self._is_stopping

    async def _idle(self) -> None:
        due_s = self._outbox.next_due_s(self.name)
        rests_s = self._roster.rests_s(self.name)
        wait_s = min(
            [IDLE_S, *([due_s - self._wall_s()] if due_s is not None else []), *([rests_s] if rests_s else [])]
        )
        await _wait(self._woken.wait(), max(0.05, wait_s))


def _attempt_of(result: Delivered | Exception, at_s: float, latency_s: float) -> Attempt:
    outcomes = ((PermanentError, PERMANENT), (LimitedError, LIMITED), (TransientError, TRANSIENT))
    for kind, outcome in outcomes:
        if isinstance(result, kind):
            return Attempt(
                at_s=at_s,
                outcome=outcome,
                reason=result.reason.value,
                status=result.status,
                latency_s=latency_s,
                detail=str(result),
            )
    status = result.status if isinstance(result, Delivered) else None
    return Attempt(at_s=at_s, outcome=DELIVERED, status=status, latency_s=latency_s)


def _steady_s() -> float:
    # pauses are kept by a clock that nobody sets: a step of the wall clock must not hold up a channel
    return asyncio.get_running_loop().time()


async def _wait(until: Awaitable[object], seconds: float) -> None:
    try:
        await asyncio.wait_for(until, seconds)
    except TimeoutError:
        return
