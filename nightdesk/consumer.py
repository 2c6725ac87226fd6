"""Durable consumers: where each is, and the one loop that turns what they read into commits.

Owning a consumer is a lease in the database (``nightdesk.leases``). The lease keeps two workers from doing the same
work; what keeps them from doing it twice is the position, which moves in the transaction of the effects and only from
where its owner believed it to be.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from nightdesk.backoff import delays_s
from nightdesk.errors import LeaseLostError, NightdeskError, UnavailableError, UnforeseenError
from nightdesk.leases import Backend, Keeper, Leases

log = structlog.get_logger()

LEAST_FRAMES: Final = 128
MOST_FRAMES: Final = 1024
SHORT_TURN_S: Final = 0.006
"""Turns that take less rest, so that they begin at least so far apart, or three times as far as they took."""

TURN_BYTES: Final = 2 * 1024 * 1024
"""What one turn reads, about: some 45,000 trades, which take a worker about 100 MB on their way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a consumer resumes in one stream; committed in the same transaction as its effects."""

    consumer: str
    stream: str
    entry_id: str
    feed: str
    shard: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a stream; ``payload`` is a frame unless something else wrote it."""

    entry_id: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one consumer read after its position; at least one entry."""

    position: Position
    entries: Sequence[Entry]

    @property
    def following(self) -> str:
        """The position once all of it is committed."""
        return self.entries[-1].entry_id


class Streams(Protocol):
    """What the loop needs of Redis; every method raises UnavailableError when it does not answer."""

    def read(self, positions: Sequence[Position], *, frames: int, block_ms: int) -> list[Delivery]:
        """Return what follows the positions, waiting so long for the first entry."""

    def publish(self, positions: Sequence[Position]) -> None:
        """Publish committed positions and drop what they cover."""

    def last_published(self, positions: Sequence[Position]) -> dict[str, str]:
        """Return the position published last of each consumer that has one."""


class Store(Protocol):
    """What the loop needs of the database.

    Raises UnavailableError when it does not answer, LeaseLostError when a position is another's, UnforeseenError when
    not the database but the program failed.
    """

    def backend(self) -> Backend:
        """Return the server process that commits; connects when needed."""

    def positions(self, consumers: Iterable[str]) -> list[Position]:
        """Return the committed positions of those consumers that this worker owns."""

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        """Store the deliveries and move their positions, all or nothing."""

    def set_aside(self, delivery: Delivery, error: str) -> None:
        """Put the delivery into quarantine as it is and move its position."""

    def forgotten(self, position: Position, published: str) -> None:
        """Ledger what was committed and published once, and is in the database no more."""

    def close(self) -> None:
        """Drop the connection and whatever it had under way."""


class Watch(Protocol):
    """Who wants to know how the loop does."""

    def turned(self, deliveries: Sequence[Delivery], elapsed_s: float) -> None:
        """A turn was committed."""

    def failed(self, outcome: str, error: NightdeskError) -> None:
        """A turn was not committed; ``outcome`` is a closed label."""

    def idled(self) -> None:
        """There was nothing to read."""

    def redis_answered(self) -> None:
        """Redis answered, whatever becomes of the turn."""


def frames_a_turn(last: Sequence[Delivery]) -> int:
    """Return how many frames to read next, by the size of the last ones.

    A turn costs about the same for few ticks as for many, so after an outage on a busy but even market, whose frames
    are small, many of them make a turn; large frames are limited to what fits in memory.
    """
    sizes = [len(entry.payload) for one in last for entry in one.entries]
    if not sizes:
        return LEAST_FRAMES
    return max(LEAST_FRAMES, min(MOST_FRAMES, TURN_BYTES * len(sizes) // max(1, sum(sizes))))


def rest_s(elapsed_s: float) -> float:
    """Return how long to let ticks gather after a turn that took so long.

    A turn costs about the same for one tick as for a hundred. Turns that follow each other at once would use most of a
    core on a market that a third of it can store; nobody notices the few milliseconds, and large turns do not rest.
    """
    return max(0.0, min(2 * elapsed_s, SHORT_TURN_S - elapsed_s))


class Loop:
    """Read after the committed positions, commit, publish; one joint transaction for all consumers owned.

    When a joint turn is refused, each consumer's part is tried alone, so that one cannot hold up the others; what is
    refused alone is tried again later. Where the program failed and not the database, frames are tried one by one, and
    the frame that fails by itself is set aside. Nothing is decided from memory after a failure: positions are read
    again.
    """

    def __init__(
        self,
        *,
        keeper: Keeper,
        streams: Streams,
        store: Store,
        leases: Leases,
        watch: Watch,
        now_s: Callable[[], float],
        random: Callable[[], float],
        stopping: threading.Event,
        block_ms: int = 250,
    ) -> None:
        self._keeper = keeper
        self._streams = streams
        self._store = store
        self._leases = leases
        self._watch = watch
        self._now_s = now_s
        self._random = random
        self._stopping = stopping
        self._frames = LEAST_FRAMES
        self._block_ms = block_ms
        self._epochs: dict[str, int] = {}
        self._positions: dict[str, Position] = {}
        self._delays = self._new_delays()
        self._later_s: dict[str, float] = {}
        self._unpublished: dict[str, Position] = {}
        self._set_aside_s: dict[str, list[float]] = {}
        self._publish_s = self._rested_s = now_s()

    def positions(self) -> list[Position]:
        """Return the committed positions of the consumers owned now."""
        return list(self._positions.values())

    def run(self, housekeeping: Callable[[], None]) -> None:
        """Turn until asked to stop, then give everything back."""
        while not self._stopping.is_set():
            try:
                self.turn()
                housekeeping()
                self._delays = self._new_delays()
            except NightdeskError as error:
                self._watch.failed("unavailable" if isinstance(error, UnavailableError) else "refused", error)
                self._reset()
                self._stopping.wait(next(self._delays))
        self._keeper.stop()  # it would take again what is given back
        self._leave()

    def turn(self) -> None:
        """Do one turn; raises UnavailableError, and what else the database says to anything but a commit."""
        self._keeper.serve_with(self._store.backend())
        self._follow_leases()
        self._stopping.wait(max(0.0, self._rested_s - self._now_s()))
        deliveries = self._read()
        if deliveries:
            self._commit(deliveries)
        else:
            self._watch.idled()
        self._publish(at_once=not deliveries)

    def _read(self) -> list[Delivery]:
        ready = [one for one in self._positions.values() if self._later_s.get(one.consumer, 0.0) <= self._now_s()]
        if not ready:
            self._stopping.wait(self._block_ms / 1000)
            return []
        deliveries = self._streams.read(ready, frames=self._frames, block_ms=self._block_ms)
        self._watch.redis_answered()
        self._frames = frames_a_turn(deliveries)
        return deliveries

    def _commit(self, deliveries: Sequence[Delivery], commit: Callable[[], None] | None = None) -> None:
        started_s = self._now_s()
        try:
            commit() if commit else self._store.commit(deliveries)
        except UnavailableError:
            raise
        except LeaseLostError as error:
            self._watch.failed("lease_lost", error)
            self._reset()
        except NightdeskError as error:
            self._refused(deliveries, error)
        else:
            self._committed(deliveries, self._now_s() - started_s)

    def _committed(self, deliveries: Sequence[Delivery], elapsed_s: float) -> None:
        for one in deliveries:
            moved = replace(one.position, entry_id=one.following)
            self._positions[moved.consumer] = moved
            self._later_s.pop(moved.consumer, None)
            self._unpublished[moved.consumer] = moved
        self._rested_s = self._now_s() + rest_s(elapsed_s)
        self._watch.turned(deliveries, elapsed_s)

    def _publish(self, *, at_once: bool) -> None:
        """Publish what was committed, seldom enough not to slow the turns: an old position only keeps more."""
        if self._unpublished and (at_once or self._now_s() >= self._publish_s):
            self._publish_s = self._now_s() + _PUBLISH_S
            self._streams.publish(list(self._unpublished.values()))
            self._unpublished.clear()

    def _refused(self, deliveries: Sequence[Delivery], error: NightdeskError) -> None:
        self._watch.failed("refused", error)
        if len(deliveries) > 1:
            self._commit_singly(deliveries)
        elif not isinstance(error, UnforeseenError):
            self._hold(deliveries[0], error)
        elif len(deliveries[0].entries) > 1:
            self._commit_by_frame(deliveries[0])
        else:
            self._set_frame_aside(deliveries[0], error)

    def _commit_singly(self, deliveries: Sequence[Delivery]) -> None:
        """Try each part alone, those first that were not refused lately.

        Where each waits for its refusal, as for a lock, the rest is left to the next turn, which goes without those.
        """
        until_s = self._now_s() + _SINGLY_S
        for one in sorted(deliveries, key=lambda one: self._later_s.get(one.position.consumer, 0.0)):
            if self._stopping.is_set() or self._now_s() > until_s:
                return
            if one.position.consumer in self._positions:
                self._commit([one])

    def _hold(self, delivery: Delivery, error: NightdeskError) -> None:
        consumer = delivery.position.consumer
        log.error("consumer.refused", consumer=consumer, entry_id=delivery.following, error=str(error))
        self._later_s[consumer] = self._now_s() + _REFUSED_S

    def _commit_by_frame(self, delivery: Delivery) -> None:
        position = delivery.position
        for entry in delivery.entries:
            if self._stopping.is_set():
                return
            self._commit([Delivery(position=position, entries=[entry])])
            position = replace(position, entry_id=entry.entry_id)
            if self._positions.get(position.consumer) != position:
                return

    def _set_frame_aside(self, delivery: Delivery, error: NightdeskError) -> None:
        """Quarantine a frame that fails by itself; many of them are no frames' fault, and the consumer is held."""
        consumer, now_s = delivery.position.consumer, self._now_s()
        lately_s = [then_s for then_s in self._set_aside_s.get(consumer, []) if now_s - then_s < _LATELY_S]
        if len(lately_s) >= MOST_SET_ASIDE:
            self._hold(delivery, error)
            return
        self._set_aside_s[consumer] = [*lately_s, now_s]
        log.error("frame.set_aside", consumer=consumer, entry_id=delivery.following, exc_info=error)
        self._commit([delivery], lambda: self._store.set_aside(delivery, str(error)))

    def _follow_leases(self) -> None:
        """Take up what was taken, drop what was lost, give back what is beyond the share."""
        self._give_back(self._keeper.surplus())
        held = self._keeper.held()
        for consumer in self._epochs.keys() - held.keys():
            self._drop(consumer)
        new = [consumer for consumer, epoch in held.items() if self._epochs.get(consumer) != epoch]
        if not new:
            return
        found = {one.consumer: one for one in self._positions_of(new)}
        self._positions |= found
        self._epochs |= {consumer: held[consumer] for consumer in found}
        self._keeper.forget(set(new) - found.keys())
        log.info("consumer.owned", consumers=sorted(self._epochs))

    def _positions_of(self, consumers: Sequence[str]) -> list[Position]:
        """Read committed positions; one behind what was published is a restored database's, and that is said.

        An owner that was just replaced may have committed after the first look, so that it takes two to be sure.
        """
        found = self._store.positions(consumers)
        published = self._streams.last_published(found)
        if any(_forgot(one, published) for one in found):
            found = self._store.positions(consumers)
        for one in found:
            if _forgot(one, published):
                beyond = published[one.consumer]
                log.error("consumer.went_back", consumer=one.consumer, position=one.entry_id, published=beyond)
                self._store.forgotten(one, beyond)
        return found

    def _give_back(self, consumers: Sequence[str]) -> None:
        if not consumers:
            return
        self._keeper.forget(consumers)
        for consumer in consumers:
            self._drop(consumer)
        self._leases.release(consumers)
        log.info("consumer.released", consumers=sorted(consumers))

    def _leave(self) -> None:
        """Let others go on at once; if the database is away, the leases expire by themselves."""
        try:
            self._give_back(list(self._epochs.keys() | self._keeper.held().keys()))
            self._leases.leave()
        except NightdeskError as error:
            log.warning("lease.not_released", error=str(error))

    def _drop(self, consumer: str) -> None:
        self._epochs.pop(consumer, None)
        self._positions.pop(consumer, None)
        self._later_s.pop(consumer, None)
        self._unpublished.pop(consumer, None)

    def _reset(self) -> None:
        """Believe nothing: connect anew and read every position again."""
        self._store.close()
        for consumer in list(self._epochs):
            self._drop(consumer)

    def _new_delays(self) -> Iterator[float]:
        return delays_s(base_s=0.1, cap_s=5.0, random=self._random)


def _forgot(position: Position, published: Mapping[str, str]) -> bool:
    """Whether the database is behind a position that some worker published, which it does only once it is committed."""
    return _order(published.get(position.consumer, "")) > _order(position.entry_id)


def _order(entry_id: str) -> tuple[int, int]:
    """Entry ids in Redis's order; what is none comes before all."""
    ms, _, sequence = entry_id.partition("-")
    return (int(ms), int(sequence)) if ms.isdecimal() and sequence.isdecimal() else (-1, -1)


MOST_SET_ASIDE: Final = 16
"""How many frames of a consumer a worker sets aside in an hour because the program failed on them."""

_LATELY_S: Final = 3600.0

_PUBLISH_S: Final = 0.1
"""How often positions are published at most while turn follows turn."""

_SINGLY_S: Final = 8.0
"""How long the parts of a refused turn are tried before the leases are looked after again: two waits for a lock."""

_REFUSED_S: Final = 5.0
"""How long a consumer whose frames PostgreSQL refuses waits before the next attempt."""
