"""The shared budget says what the one in memory says, whoever asks, and outlives its process."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightdesk.exchanges.budget import RateBudget
from nightdesk.store import migrate
from nightdesk.store.budgets import SharedBudget, budget_name
from nightdesk.store.database import Connection, connect
from tests.conftest import Database

pytestmark = pytest.mark.integration

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
CALLS = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 40), st.sampled_from([0.0, 0.0, 0.0, 7.0])), max_size=20)


def as_writer(database: Database) -> Connection:
    return connect(database.url(migrate.WRITER), database.password(migrate.WRITER), name="test")


@pytest.mark.slow
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=CALLS)
def test_two_who_share_a_budget_wait_as_one_would(database: Database, calls: list[tuple[float, int, float]]) -> None:
    now_s = 0.0
    alone = RateBudget(weight_per_minute=100, now_s=0.0)
    with as_writer(database) as first, as_writer(database) as second:
        database.connect().execute("DELETE FROM rate_budgets")
        sharers = [
            SharedBudget(one, "x", weight_per_minute=100, now=lambda: BEGAN + timedelta(seconds=now_s))
            for one in (first, second)
        ]
        for number, (after_s, weight, closed_s) in enumerate(calls):
            now_s += after_s
            mine = sharers[number % 2]
            assert mine.spend(weight) == pytest.approx(alone.spend(weight, now_s), abs=1e-4)
            if closed_s:
                mine.close(closed_s)
                alone.close(closed_s, now_s)
                assert sharers[1 - number % 2].closed_s() >= closed_s - 1e-4


def test_what_will_not_be_asked_is_given_back(database: Database) -> None:
    with as_writer(database) as connection:
        budget = SharedBudget(connection, "x", weight_per_minute=120, now=lambda: BEGAN)
        budget.spend(60)
        assert budget.spend(1) == 1.0
        budget.give_back(1)

        assert budget.spend(1) == 1.0
        assert connection.execute("SELECT spent FROM rate_budgets").fetchone() == (61,)


def test_many_at_once_spend_no_more_than_there_is(database: Database) -> None:
    waits: list[float] = []

    def ask() -> None:
        with as_writer(database) as connection:
            budget = SharedBudget(connection, "x", weight_per_minute=80, now=lambda: BEGAN)
            waits.extend(budget.spend(1) for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert sorted(waits) == pytest.approx([0.0] * 40 + [number * 1.5 for number in range(1, 41)])


def test_the_name_of_a_budget_tells_the_host_and_no_key() -> None:
    name = budget_name("https://user:word@x.example/v1?api_key=secret", "secret-key")

    assert name.startswith("x.example#")
    assert "secret" not in name
    assert "word" not in name
    assert budget_name("https://x.example/v1") == "x.example"
    assert budget_name("https://x.example/v1", "other") != name
