"""The loop, with fakes in place of the database and Redis."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from nightdesk.consumer import (
    LEAST_FRAMES,
    MOST_FRAMES,
    MOST_SET_ASIDE,
    SHORT_TURN_S,
    TURN_BYTES,
    Delivery,
    Entry,
    Loop,
    Position,
    frames_a_turn,
    rest_s,
)
from nightdesk.errors import LeaseLostError, NightdeskError, UnavailableError, UnforeseenError
from nightdesk.leases import Backend, Keeper
from tests.unit.nightdesk.test_leases import BACKEND, FakeLeases


@dataclass
class FakeStream:
    """Entries by consumer, and what was published."""

    entries: dict[str, list[str]] = field(default_factory=dict)
    published: list[Position] = field(default_factory=list)
    away: bool = False

    def read(self, positions: Sequence[Position], *, frames: int, block_ms: int) -> list[Delivery]:
        found = []
        for one in positions:
            after = [entry for entry in self.entries.get(one.consumer, []) if entry > one.entry_id][:frames]
            if after:
                entries = [Entry(entry_id=entry, payload=b"") for entry in after]
                found.append(Delivery(position=one, entries=entries))
        return found

    def publish(self, positions: Sequence[Position]) -> None:
        if self.away:
            raise UnavailableError("Redis is away")
        self.published += positions

    def last_published(self, positions: Sequence[Position]) -> dict[str, str]:
        if self.away:
            raise UnavailableError("Redis is away")
        return {one.consumer: one.entry_id for one in self.published}


@dataclass
class FakeStore:
    """Positions and committed entries; ``fault`` may raise instead of a commit."""

    committed: dict[str, list[str]] = field(default_factory=dict)
    fault: Callable[[Sequence[Delivery]], None] = lambda _: None
    closed: int = 0
    forgot: list[tuple[str, str]] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)

    def backend(self) -> Backend:
        return BACKEND

    def positions(self, consumers: Iterable[str]) -> list[Position]:
        return [
            Position(consumer=one, stream=one, entry_id=self.committed.get(one, ["0-0"])[-1], feed="f", shard=0)
            for one in consumers
        ]

    def commit(self, deliveries: Sequence[Delivery]) -> None:
        self.fault(deliveries)
        for one in deliveries:
            entries = self.committed.setdefault(one.position.consumer, ["0-0"])
            assert entries[-1] == one.position.entry_id
            entries += [entry.entry_id for entry in one.entries]

    def set_aside(self, delivery: Delivery, error: str) -> None:
        self.aside += [entry.entry_id for entry in delivery.entries]
        self.committed.setdefault(delivery.position.consumer, ["0-0"]).append(delivery.following)

    def forgotten(self, position: Position, published: str) -> None:
        self.forgot.append((position.consumer, published))

    def close(self) -> None:
        self.closed += 1


class FakeWatch:
    """Remember how turns ended."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.redis_answers = 0

    def turned(self, deliveries: Sequence[Delivery], elapsed_s: float) -> None:
        self.outcomes.append("committed")

    def failed(self, outcome: str, error: NightdeskError) -> None:
        self.outcomes.append(outcome)

    def idled(self) -> None:
        self.outcomes.append("idle")

    def redis_answered(self) -> None:
        self.redis_answers += 1


class Desk:
    """A loop over fakes, with a clock that moves when told."""

    def __init__(self, consumers: int = 2) -> None:
        self.now_s = 0.0
        self.leases = FakeLeases(consumers)
        self.streams = FakeStream()
        self.store = FakeStore()
        self.watch = FakeWatch()
        self.stopping = threading.Event()
        self.keeper = Keeper(worker="me", leases=self.leases, lease_s=5, now_s=lambda: self.now_s)
        self.keeper.serve_with(BACKEND)
        self.loop = Loop(
            keeper=self.keeper, streams=self.streams, store=self.store, leases=self.leases, watch=self.watch,
            now_s=lambda: self.now_s, random=lambda: 0.0, stopping=self.stopping, block_ms=0,
        )  # fmt: skip

    def turn(self) -> None:
        self.keeper.tick()
        self.loop.turn()

    def owned(self) -> list[str]:
        return sorted(one.consumer for one in self.loop.positions())


@pytest.fixture(autouse=True)
def _unrendered() -> Iterator[None]:
    """A failure's stack is not drawn."""
    with capture_logs():
        yield


@pytest.fixture
def desk() -> Desk:
    return Desk()


class TestLoop:
    def test_what_is_read_is_committed_and_then_published(self, desk: Desk) -> None:
        desk.streams.entries = {"s/f/00": ["1-0", "1-1"], "s/f/01": ["1-2"]}
        desk.turn()

        assert desk.store.committed == {"s/f/00": ["0-0", "1-0", "1-1"], "s/f/01": ["0-0", "1-2"]}
        assert [one.entry_id for one in desk.streams.published] == ["1-1", "1-2"]

    def test_turn_after_turn_publishes_now_and_then_and_a_pause_at_once(self, desk: Desk) -> None:
        desk.streams.entries = {"s/f/00": ["1-0"]}
        desk.turn()
        for entry_id in ("1-1", "1-2"):
            desk.streams.entries["s/f/00"].append(entry_id)
            desk.turn()
        assert [one.entry_id for one in desk.streams.published] == ["1-0"]

        desk.turn()
        assert [one.entry_id for one in desk.streams.published] == ["1-0", "1-2"]

    def test_a_busy_stream_is_published_every_tenth_of_a_second(self, desk: Desk) -> None:
        for number in range(12):
            desk.streams.entries.setdefault("s/f/00", []).append(f"1-{number:02}")
            desk.turn()
            desk.now_s += 1 / 32

        assert [one.entry_id for one in desk.streams.published] == ["1-00", "1-04", "1-08"]

    def test_what_another_owns_by_now_is_not_published(self, desk: Desk) -> None:
        desk.streams.entries = {"s/f/00": ["1-0"]}
        desk.turn()
        desk.streams.entries["s/f/00"].append("1-1")
        desk.turn()
        desk.leases.owners["s/f/00"] = "you"
        desk.turn()

        assert [one.entry_id for one in desk.streams.published] == ["1-0"]

    def test_a_refused_joint_turn_is_done_singly_and_only_the_culprit_waits(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            if any(one.position.consumer == "s/f/00" for one in deliveries):
                raise NightdeskError("refused")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0"], "s/f/01": ["1-0"]}
        desk.turn()
        assert desk.store.committed == {"s/f/01": ["0-0", "1-0"]}

        desk.streams.entries["s/f/01"].append("1-1")
        desk.turn()
        assert desk.watch.outcomes == ["refused", "refused", "committed", "committed"]

        desk.store.fault = lambda _: None
        desk.now_s = 4.0
        desk.keeper.tick()
        desk.now_s = 6.0
        desk.turn()
        assert desk.store.committed["s/f/00"] == ["0-0", "1-0"]

    def test_the_one_frame_on_which_the_program_fails_is_set_aside_and_the_rest_is_committed(self, desk: Desk) -> None:
        desk.store.fault = fails_on("1-1", "1-3")
        desk.streams.entries = {"s/f/00": ["1-0", "1-1", "1-2", "1-3"], "s/f/01": ["1-5"]}
        desk.turn()

        assert desk.store.aside == ["1-1", "1-3"]
        assert desk.store.committed == {"s/f/00": ["0-0", "1-0", "1-1", "1-2", "1-3"], "s/f/01": ["0-0", "1-5"]}

    def test_a_program_that_fails_on_everything_sets_a_few_frames_aside_and_holds_the_rest(self, desk: Desk) -> None:
        entries = [f"1-{number:02}" for number in range(MOST_SET_ASIDE + 3)]
        desk.store.fault = fails_on(*entries)
        desk.streams.entries = {"s/f/00": entries, "s/f/01": ["2-0"]}
        desk.turn()
        assert desk.store.aside == entries[:MOST_SET_ASIDE]
        assert desk.store.committed["s/f/01"] == ["0-0", "2-0"]

        desk.store.fault = lambda _: None
        desk.now_s = 4.0
        desk.keeper.tick()
        desk.now_s = 6.0
        desk.turn()
        assert desk.store.committed["s/f/00"][-3:] == entries[-3:]
        assert desk.store.aside == entries[:MOST_SET_ASIDE]

    def test_an_outage_amid_frame_by_frame_sets_nothing_aside(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            if len(deliveries[0].entries) > 1:
                raise UnforeseenError("a bug")
            raise UnavailableError("away")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0", "1-1"]}
        with pytest.raises(UnavailableError):
            desk.turn()

        assert desk.store.aside == []

    def test_after_a_lost_lease_positions_are_read_again(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            desk.store.fault = lambda _: None
            desk.store.committed["s/f/00"] = ["0-0", "1-0"]
            raise LeaseLostError("moved")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0", "1-1"]}
        desk.turn()
        desk.turn()

        assert desk.watch.outcomes == ["lease_lost", "committed"]
        assert desk.store.committed["s/f/00"] == ["0-0", "1-0", "1-1"]

    def test_an_outage_is_waited_out_and_nothing_is_decided_from_memory(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            desk.store.fault = lambda _: None
            desk.store.committed["s/f/00"] = ["0-0", "1-0"]
            raise UnavailableError("the answer was lost")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0"], "s/f/01": ["1-5"]}
        run_until(desk, lambda: "s/f/01" in desk.store.committed)

        assert desk.store.committed == {"s/f/00": ["0-0", "1-0"], "s/f/01": ["0-0", "1-5"]}

    def test_a_refusal_outside_of_a_commit_ends_nothing_and_positions_are_read_again(self, desk: Desk) -> None:
        found = desk.store.positions

        def refused(consumers: Iterable[str]) -> list[Position]:
            desk.store.positions = found  # type: ignore[method-assign]
            raise NightdeskError("lock timeout")

        desk.store.positions = refused  # type: ignore[method-assign]
        desk.streams.entries = {"s/f/00": ["1-0"]}
        run_until(desk, lambda: "s/f/00" in desk.store.committed)

        assert desk.watch.outcomes[0] == "refused"
        assert desk.store.closed == 1
        assert desk.store.committed["s/f/00"] == ["0-0", "1-0"]

    def test_leases_that_the_database_does_not_take_back_do_not_keep_the_loop_from_ending(self, desk: Desk) -> None:
        def refused(consumers: Sequence[str]) -> None:
            raise NightdeskError("lock timeout")

        desk.leases.release = refused  # type: ignore[method-assign]
        run_until(desk, lambda: len(desk.loop.positions()) == 2)

    def test_redis_answered_even_if_the_turn_is_refused(self, desk: Desk) -> None:
        desk.store.fault = refuses("s/f/00")
        desk.streams.entries = {"s/f/00": ["1-0"]}
        desk.turn()

        assert (desk.watch.outcomes, desk.watch.redis_answers) == (["refused"], 1)

    def test_parts_that_wait_long_to_be_refused_leave_the_rest_to_the_next_turn(self) -> None:
        desk = Desk(consumers=8)
        consumers = [f"s/f/{number:02}" for number in range(8)]
        tried = []

        def fault(deliveries: Sequence[Delivery]) -> None:
            tried.append([one.position.consumer for one in deliveries])
            if any(one.position.consumer in consumers[:3] for one in deliveries):
                desk.now_s += 5.0
                raise NightdeskError("lock timeout")

        desk.store.fault = fault
        desk.streams.entries = {consumer: ["1-0"] for consumer in consumers}
        desk.turn()
        assert tried == [consumers, consumers[:1], consumers[1:2]]

        for _ in range(3):
            desk.turn()
        assert sorted(desk.store.committed) == consumers[3:]

    def test_a_loop_that_is_to_stop_tries_nothing_more_singly(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            desk.stopping.set()
            raise NightdeskError("lock timeout")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0"], "s/f/01": ["1-0"]}
        desk.turn()
        assert desk.watch.outcomes == ["refused"]

    def test_a_loop_that_is_to_stop_tries_no_further_frame(self, desk: Desk) -> None:
        def fault(deliveries: Sequence[Delivery]) -> None:
            desk.stopping.set()
            raise UnforeseenError("a bug")

        desk.store.fault = fault
        desk.streams.entries = {"s/f/00": ["1-0", "1-1"]}
        desk.turn()
        assert (desk.watch.outcomes, desk.store.aside) == (["refused"], [])

    def test_positions_that_could_not_be_published_are_committed_all_the_same(self, desk: Desk) -> None:
        desk.streams.away = True
        desk.streams.entries = {"s/f/00": ["1-0"]}
        with pytest.raises(UnavailableError):
            desk.turn()
        desk.streams.away = False
        desk.turn()

        assert desk.store.committed == {"s/f/00": ["0-0", "1-0"]}

    def test_what_is_another_workers_share_is_given_back_between_turns(self, desk: Desk) -> None:
        desk.turn()
        desk.leases.workers = ["me", "you"]
        desk.turn()

        assert desk.owned() == ["s/f/00"]
        assert desk.leases.owners == {"s/f/00": "me", "s/f/01": None}

    def test_a_lost_consumer_is_dropped(self, desk: Desk) -> None:
        desk.turn()
        desk.leases.owners["s/f/01"] = "you"
        desk.turn()

        assert desk.owned() == ["s/f/00"]

    def test_at_the_end_everything_is_released(self, desk: Desk) -> None:
        run_until(desk, lambda: len(desk.loop.positions()) == 2)

        assert set(desk.leases.owners.values()) == {None}
        assert desk.leases.workers == []


def refuses(consumer: str) -> Callable[[Sequence[Delivery]], None]:
    """A database that will not have what one consumer read."""

    def fault(deliveries: Sequence[Delivery]) -> None:
        if any(one.position.consumer == consumer for one in deliveries):
            raise NightdeskError("refused")

    return fault


def fails_on(*entry_ids: str) -> Callable[[Sequence[Delivery]], None]:
    """A program that fails on some frames."""

    def fault(deliveries: Sequence[Delivery]) -> None:
        for one in deliveries:
            for entry in one.entries:
                if entry.entry_id in entry_ids:
                    raise UnforeseenError(f"a bug at {entry.entry_id}")

    return fault


def run_until(desk: Desk, condition: Callable[[], bool]) -> None:
    """Run the loop until the condition holds after a turn, then let it end as it does."""
    turns = iter(range(1000))

    def look() -> None:
        desk.keeper.tick()
        if condition() or next(turns) > 900:
            desk.stopping.set()

    desk.keeper.tick()
    desk.loop.run(look)
    assert condition() or not desk.loop.positions()


def test_what_was_taken_just_before_the_end_is_given_back_too(desk: Desk) -> None:
    desk.keeper.tick()
    desk.stopping.set()

    desk.loop.run(lambda: None)

    assert set(desk.leases.owners.values()) == {None}


def test_the_keeper_takes_nothing_again_that_is_given_back_at_the_end(desk: Desk) -> None:
    desk.keeper.start()
    desk.loop.run(desk.stopping.set)

    assert not [thread for thread in threading.enumerate() if thread.name == "keeper"]
    assert set(desk.leases.owners.values()) == {None}


def test_a_database_behind_what_was_published_has_forgotten_and_says_so_once(desk: Desk) -> None:
    went_back, fine = (
        Position(consumer=f"s/f/{number:02}", stream="", entry_id="10-2", feed="f", shard=number) for number in (0, 1)
    )
    desk.streams.publish([went_back, fine])
    desk.store.committed = {"s/f/00": ["9-10"], "s/f/01": ["10-2"]}

    desk.turn()
    desk.turn()

    assert desk.store.forgot == [("s/f/00", "10-2")]
    assert desk.owned() == ["s/f/00", "s/f/01"]


def test_an_owner_that_committed_until_the_last_moment_forgot_nothing(desk: Desk) -> None:
    desk.store.committed = {"s/f/00": ["9-0"]}

    def last_words(positions: Sequence[Position]) -> dict[str, str]:
        desk.store.committed["s/f/00"].append("9-1")
        return {"s/f/00": "9-1"}

    desk.streams.last_published = last_words  # type: ignore[method-assign]
    desk.turn()

    assert desk.store.forgot == []
    assert {one.entry_id for one in desk.loop.positions()} == {"9-1", "0-0"}


def delivered(*sizes: int) -> list[Delivery]:
    entries = [Entry(entry_id=f"{number}-0", payload=bytes(size)) for number, size in enumerate(sizes, start=1)]
    return [Delivery(position=Position(consumer="c", stream="s", entry_id="0-0", feed="f", shard=0), entries=entries)]


def test_small_frames_make_a_turn_of_many_and_large_ones_of_few() -> None:
    assert frames_a_turn([]) == LEAST_FRAMES
    assert frames_a_turn(delivered(4096, 4096)) == TURN_BYTES // 4096
    assert frames_a_turn(delivered(10)) == frames_a_turn(delivered(0)) == MOST_FRAMES
    assert frames_a_turn(delivered(10**6)) == LEAST_FRAMES


@given(st.floats(0, 10))
def test_a_short_turn_rests_twice_as_long_as_it_took_and_a_long_one_not_at_all(elapsed_s: float) -> None:
    assert 0 <= rest_s(elapsed_s) <= 2 * elapsed_s
    assert elapsed_s + rest_s(elapsed_s) <= max(elapsed_s, SHORT_TURN_S + 1e-9)
    assert rest_s(SHORT_TURN_S / 4) == SHORT_TURN_S / 2
