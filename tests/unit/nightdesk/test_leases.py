"""Leases and shares, with a fake in place of the database."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.errors import UnavailableError
from nightdesk.leases import Backend, Keeper, Taken, share

BACKEND = Backend(process_id=1, started_at=datetime(2026, 1, 1, tzinfo=UTC))


@given(st.integers(0, 100), st.integers(1, 12))
def test_shares_are_even_and_together_everything(consumers: int, count: int) -> None:
    workers = [f"w{number:02}" for number in range(count)]

    shares = [share(consumers, workers, worker) for worker in workers]

    assert sum(shares) == consumers
    assert max(shares) - min(shares) <= 1


def test_a_worker_that_is_not_known_to_live_owns_nothing() -> None:
    assert share(8, ["a"], "b") == 0


class FakeLeases:
    """Leases of consumers ``s/f/00`` ... in memory, as one worker sees them."""

    def __init__(self, consumers: int = 4, workers: Sequence[str] = ("me",)) -> None:
        self.owners: dict[str, str | None] = {f"s/f/{number:02}": None for number in range(consumers)}
        self.workers = list(workers)
        self.ended: list[Backend] = []
        self.named: list[Backend] = []
        self.away = False

    def beat(self) -> list[str]:
        if self.away:
            raise UnavailableError("away")
        return self.workers

    def renew(self) -> dict[str, int]:
        return {consumer: 1 for consumer, owner in self.owners.items() if owner == "me"}

    def count(self) -> int:
        return len(self.owners)

    def take(self, wanted: int, backend: Backend) -> list[Taken]:
        free = [consumer for consumer, owner in self.owners.items() if owner in {None, "dead"}][:wanted]
        taken = [
            Taken(
                consumer=consumer,
                epoch=1,
                old_owner=self.owners[consumer],
                old_backend=BACKEND if self.owners[consumer] else None,
            )
            for consumer in free
        ]
        self.owners |= dict.fromkeys(free, "me")
        return taken

    def name_backend(self, backend: Backend) -> None:
        self.named.append(backend)

    def end_backend(self, backend: Backend) -> None:
        self.ended.append(backend)

    def release(self, consumers: Sequence[str]) -> None:
        self.owners |= dict.fromkeys(consumers)

    def leave(self) -> None:
        self.workers.remove("me")

    def close(self) -> None:
        """Nothing is open."""


def a_keeper(leases: FakeLeases, now_s: Callable[[], float] = lambda: 0.0) -> Keeper:
    keeper = Keeper(worker="me", leases=leases, lease_s=5, now_s=now_s)
    keeper.serve_with(BACKEND)
    return keeper


def test_nothing_is_taken_before_the_backend_is_known() -> None:
    keeper = Keeper(worker="me", leases=FakeLeases(), lease_s=5, now_s=lambda: 0.0)
    keeper.tick()

    assert keeper.held() == {}


def test_a_takeover_ends_the_old_owners_backend() -> None:
    leases = FakeLeases()
    leases.owners["s/f/00"] = "dead"
    a_keeper(leases).tick()

    assert leases.ended == [BACKEND]


def test_what_is_not_renewed_for_a_lease_is_no_longer_believed_in() -> None:
    times_s = iter([0.0, 0.0, 4.9, 5.0])
    keeper = a_keeper(FakeLeases(2), lambda: next(times_s))
    keeper.tick()

    assert len(keeper.held()) == 2
    assert keeper.held() == {}


def test_beyond_its_share_it_gives_back_spread_over_feeds() -> None:
    leases = FakeLeases(0)
    leases.owners = {f"s/{feed}/{shard:02}": "me" for feed in ("a", "b") for shard in range(2)}
    leases.workers = ["me", "you"]
    keeper = a_keeper(leases)
    keeper.tick()

    assert keeper.surplus() == ["s/a/01", "s/b/01"]


def test_a_new_backend_is_recorded_in_the_leases_it_serves() -> None:
    leases = FakeLeases()
    keeper = a_keeper(leases)
    keeper.tick()
    another = Backend(process_id=2, started_at=BACKEND.started_at)
    keeper.serve_with(another)
    keeper.tick()

    assert leases.named == [another]


def test_an_old_owners_server_process_is_ended_even_if_the_first_try_failed() -> None:
    leases = FakeLeases(1)
    leases.owners["s/f/00"] = "dead"
    keeper = a_keeper(leases)
    ending = leases.end_backend

    def away(backend: Backend) -> None:
        leases.end_backend = ending  # type: ignore[method-assign]
        raise UnavailableError("away")

    leases.end_backend = away  # type: ignore[method-assign]
    with pytest.raises(UnavailableError):
        keeper.tick()
    keeper.tick()
    keeper.tick()

    assert leases.ended == [BACKEND]
