"""Go from one connection to the next without a hole and without saying anything twice.

Both connections are open for a moment. The old one's ticks go on; the new one's are held until the old one has reached
the first of them, for every symbol and kind. Then the old one is left, and what was held goes on without what was
passed already.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from nightdesk.ticks import NO_ID, NO_TIME, AggTrade, Depth, Event, EventName, Quote, Tick, Trade

BY_ID: Final = "id"
BY_TIME: Final = "time"
BY_RECEIPT: Final = "receipt"

HOLD_NS: Final = 2_000_000_000
"""How long the new connection's ticks wait for the old one once it is ready, at most."""

SETTLE_NS: Final = 500_000_000
"""How long both are open at least: what was on its way before the new subscription comes on the old connection."""

READY_NS: Final = 30_000_000_000
"""How long the new connection may take to confirm its subscriptions and synchronise its books."""

Key: TypeAlias = tuple[str, type, str]


class Place(NamedTuple):
    """Where a tick stands among those of its symbol and kind."""

    key: Key
    order: int


def place_of(tick: Tick) -> Place | None:
    """Return a tick's place: by id, else by the exchange's time, else by ours. An event has none."""
    if isinstance(tick, Event):
        return None
    order = _id_of(tick)
    if order != NO_ID:
        return Place((tick.symbol, tick.__class__, BY_ID), order)
    if tick.exchange_ns != NO_TIME:
        return Place((tick.symbol, tick.__class__, BY_TIME), tick.exchange_ns)
    return Place((tick.symbol, tick.__class__, BY_RECEIPT), tick.received_ns)


def _id_of(tick: Tick) -> int:
    match tick:
        case Trade():
            return tick.trade_id
        case AggTrade():
            return tick.agg_id
        case Quote() | Depth():
            return tick.sequence
        case _:
            return NO_ID


class Handover:
    """Which ticks of two overlapping connections go on, and in what order."""

    def __init__(self, now_ns: int) -> None:
        self._opened_ns = now_ns
        self._ready_ns: int | None = None
        self._both_ready = False
        self._held: list[Tick] = []
        self._first: dict[Key, int] = {}
        self._behind: set[Key] = set()
        self._passed: dict[Key, int] = {}

    @property
    def holds(self) -> int:
        """How many ticks of the new connection wait."""
        return len(self._held)

    @property
    def both_ready(self) -> bool:
        """Whether the new connection heard everything while the old one still did."""
        return self._both_ready

    def old(self, ticks: Sequence[Tick]) -> None:
        """Note what the old connection passed on."""
        for tick in ticks:
            place = place_of(tick)
            if place is not None:
                self._pass(*place)

    def new(self, ticks: Sequence[Tick]) -> None:
        """Hold what the new connection received."""
        self._held.extend(ticks)
        for tick in ticks:
            place = place_of(tick)
            if place is not None and place.key[2] == BY_ID and place.key not in self._first:
                self._first[place.key] = place.order
                if not self._reached(*place):
                    self._behind.add(place.key)

    def due(self, now_ns: int, *, ready: bool) -> bool:
        """Return whether to leave the old connection: it reached every first id of the new one, or time is up.

        ``ready`` says whether the new one has its subscriptions confirmed and its books synchronised.
        """
        self._both_ready |= ready
        if self._ready_ns is None and (ready or now_ns - self._opened_ns >= READY_NS):
            self._ready_ns = now_ns
        if self._ready_ns is None:
            return False
        both_ns = now_ns - self._ready_ns
        return both_ns >= HOLD_NS or (both_ns >= SETTLE_NS and not self._behind)

    def prune(self) -> None:
        """Forget what is held and was passed by now: while the old connection lives, that is nearly all."""
        self._held = [tick for tick in self._held if not self._was_passed(tick)]

    def release(self) -> tuple[list[Tick], "Remainder"]:
        """Return what is held and was not passed, and what still to leave out of the new connection."""
        remainder = Remainder(self._passed)
        held, self._held = self._held, []
        if self._both_ready:  # the old connection had its books while the new one got them: no depth is missing
            held = [tick for tick in held if not (isinstance(tick, Event) and tick.name == EventName.SYNCHRONISED)]
        return remainder.not_passed(held), remainder

    def _pass(self, key: Key, order: int) -> None:
        self._passed[key] = max(order, self._passed.get(key, order))
        if key in self._behind and order >= self._first[key]:
            self._behind.discard(key)

    def _reached(self, key: Key, order: int) -> bool:
        passed = self._passed.get(key)
        return passed is not None and passed >= order

    def _was_passed(self, tick: Tick) -> bool:
        place = place_of(tick)
        return place is not None and self._reached(*place)


class Remainder:
    """A filter on the new connection until it is past what the old one passed on, for every symbol and kind."""

    def __init__(self, passed: Mapping[Key, int]) -> None:
        self._until = dict(passed)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to leave out."""
        return not self._until

    def not_passed(self, ticks: Iterable[Tick]) -> list[Tick]:
        """Return the ticks that the old connection has not passed on."""
        return [tick for tick in ticks if self._is_new(tick)]

    def _is_new(self, tick: Tick) -> bool:
        place = place_of(tick)
        if place is None or place.key not in self._until:
            return True
        if place.order <= self._until[place.key]:
            return False
        del self._until[place.key]
        return True
