"""What the worker says about itself."""

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from nightdesk.consumer import Delivery, Entry, Position
from nightdesk.errors import LeaseLostError, UnavailableError
from nightdesk.health import Status, worst
from nightdesk.service import Watchdog
from nightdesk.store.database import RefusedError
from nightdesk.store.store import Committed, Ledger
from nightdesk.streams import Top
from nightdesk.ticks import Kind
from services.worker.metrics import WorkerMetrics
from services.worker.observer import DEPENDENCY_LIMIT_S, LAG_LIMIT_S, QUARANTINE_SHOWN_S, Observer

CONSUMER = "store/f/00"


class Desk:
    """An observer with its clock, its metrics and its watchdog."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.wall_s = 1_000_000.0
        self.registry = CollectorRegistry()
        self.stopped = False
        self.watchdog = Watchdog(limit_s=60, excused=self._excused, monotonic_s=lambda: self.now_s, stop=self._stop)
        self.observer = Observer(
            metrics=WorkerMetrics(self.registry, ["f"]),
            watchdog=self.watchdog,
            now_s=lambda: self.now_s,
            wall_ns=lambda: int(self.wall_s * 1e9),
        )

    def _stop(self) -> None:
        self.stopped = True

    def _excused(self) -> bool:
        return self.observer.excused()

    def answered(self) -> None:
        self.observer.database_answered()
        self.observer.redis_answered()

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)

    def status(self, part: str) -> Status:
        return {one.part: one.status for one in self.observer.parts()}[part]


def at(entry_s: float) -> Position:
    return Position(consumer=CONSUMER, stream="s", entry_id=f"{int(entry_s * 1000)}-1", feed="f", shard=0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_before_its_dependencies_answered_a_worker_is_down_and_not_ready(desk: Desk) -> None:
    assert worst(desk.observer.parts()) is Status.DOWN
    assert not desk.observer.ready()

    desk.answered()
    assert worst(desk.observer.parts()) is Status.OK
    assert desk.observer.ready()


def test_a_dependency_that_falls_silent_is_down(desk: Desk) -> None:
    desk.answered()
    desk.now_s += DEPENDENCY_LIMIT_S + 1
    desk.observer.redis_answered()

    assert (desk.status("database"), desk.status("redis")) == (Status.DOWN, Status.OK)
    assert (desk.value("nightdesk_database_up"), desk.value("nightdesk_redis_up")) == (0, 1)


def test_whether_a_dependency_answers_is_told_without_anyone_asking_for_health(desk: Desk) -> None:
    assert (desk.value("nightdesk_database_up"), desk.value("nightdesk_redis_up")) == (0, 0)
    desk.answered()
    assert (desk.value("nightdesk_database_up"), desk.value("nightdesk_redis_up")) == (1, 1)
    desk.now_s += DEPENDENCY_LIMIT_S + 1
    assert (desk.value("nightdesk_database_up"), desk.value("nightdesk_redis_up")) == (0, 0)


def test_a_consumer_is_late_by_what_waits_not_by_a_quiet_market(desk: Desk) -> None:
    desk.answered()
    long_ago = desk.wall_s - 10 * LAG_LIMIT_S
    entry_id = at(long_ago).entry_id
    desk.observer.surveyed([at(long_ago)], {CONSUMER: Top(entry_id=entry_id, first_id=entry_id, waiting=0)})
    assert desk.status(CONSUMER) is Status.OK

    waiting = Top(entry_id=at(desk.wall_s - 40).entry_id, first_id=at(desk.wall_s - 50).entry_id, waiting=7)
    desk.observer.surveyed([at(long_ago)], {CONSUMER: waiting})
    (part,) = [one for one in desk.observer.parts() if one.part == CONSUMER]
    assert (part.status, part.age_s) == (Status.DEGRADED, 50.0)
    assert desk.value("nightdesk_stream_entries", consumer=CONSUMER) == 7


def test_a_consumer_given_back_leaves_no_figures_behind(desk: Desk) -> None:
    desk.observer.surveyed([at(5)], {CONSUMER: Top(entry_id="6000-1", first_id="5000-1", waiting=1)})
    assert desk.value("nightdesk_consumer_owned", consumer=CONSUMER) == 1
    desk.observer.surveyed([], {})

    assert desk.value("nightdesk_consumer_owned", consumer=CONSUMER) == 0
    assert desk.value("nightdesk_consumer_position_timestamp_seconds", consumer=CONSUMER) is None
    assert [one.part for one in desk.observer.parts()] == ["database", "redis", "quarantine"]


def test_a_turn_is_counted_by_what_it_did(desk: Desk) -> None:
    desk.observer.turned([Delivery(position=at(1), entries=[Entry(entry_id="2000-0", payload=b"")])], 0.01)
    desk.observer.committed(
        Committed(
            stored=Counter({("f", Kind.TRADE): 5}),
            duplicates=Counter({("f", Kind.TRADE): 2}),
            gaps=Counter({("f", Kind.TRADE): 1}),
            quarantined=Counter({("f", "future_time"): 1}),
            oldest_ns={"f": int((desk.wall_s - 2) * 1e9)},
            newest_ns={"f": int((desk.wall_s - 1) * 1e9)},
        )
    )

    assert desk.value("nightdesk_store_committed_ticks_total", feed="f", kind="trade") == 5
    assert desk.value("nightdesk_store_duplicates_total", feed="f", kind="trade") == 2
    assert desk.value("nightdesk_gaps_opened_total", feed="f", kind="trade") == 1
    assert desk.value("nightdesk_store_quarantined_total", feed="f", reason="future_time") == 1
    assert desk.value("nightdesk_store_commit_latency_seconds_sum", feed="f") == pytest.approx(3)
    assert desk.value("nightdesk_consumer_position_timestamp_seconds", consumer=CONSUMER) == 2
    assert desk.value("nightdesk_store_turns_total", outcome="committed") == 1


def test_a_frame_set_aside_is_told_for_a_while(desk: Desk) -> None:
    assert desk.status("quarantine") is Status.OK
    nothing: Counter[tuple[str, Kind]] = Counter()
    desk.observer.committed(
        Committed(
            stored=nothing, duplicates=nothing, gaps=nothing, quarantined=Counter({("f", "malformed_frame"): 3}),
            oldest_ns={}, newest_ns={},
        )
    )  # fmt: skip
    assert desk.status("quarantine") is Status.DEGRADED
    [part] = [one for one in desk.observer.parts() if one.part == "quarantine"]
    assert "3 set aside" in part.detail
    assert "malformed_frame" in part.detail

    desk.now_s += QUARANTINE_SHOWN_S + 1
    assert desk.status("quarantine") is Status.OK


def test_the_ledger_is_shown_by_feed_and_kind_and_what_has_no_gap_is_zero(desk: Desk) -> None:
    ledger = Ledger(open=2, missing_ids=9, unfillable=1, oldest_s=500.0, unfillable_s=400.0)
    names = ("gaps_open", "gap_missing_ids", "gaps_unfillable")
    times = ("gap_oldest_timestamp_seconds", "gap_unfillable_timestamp_seconds")
    desk.observer.counted_gaps({("f", Kind.TRADE): ledger}, ["f"])

    assert [desk.value(f"nightdesk_{one}", feed="f", kind="trade") for one in names] == [2, 9, 1]
    assert [desk.value(f"nightdesk_{one}", feed="f", kind="trade") for one in times] == [500, 400]
    assert [desk.value(f"nightdesk_{one}", feed="f", kind="quote") for one in (*names, *times)] == [0] * 5


def test_the_servers_starts_move_only_when_they_were_started_again(desk: Desk) -> None:
    desk.observer.saw_servers(database_s=1000.25, redis_uptime_s=50)
    assert desk.value("nightdesk_database_started_timestamp_seconds") == 1000.25
    assert desk.value("nightdesk_redis_started_timestamp_seconds") == desk.wall_s - 50
    first_s = desk.wall_s - 50

    desk.wall_s += 6.9
    desk.observer.saw_servers(database_s=1000.25, redis_uptime_s=56)
    assert desk.value("nightdesk_redis_started_timestamp_seconds") == first_s

    desk.observer.saw_servers(database_s=1000.25, redis_uptime_s=0)
    assert desk.value("nightdesk_redis_started_timestamp_seconds") == desk.wall_s


def test_every_label_has_a_child_from_the_start(desk: Desk) -> None:
    assert desk.value("nightdesk_store_turns_total", outcome="refused") == 0
    assert desk.value("nightdesk_store_quarantined_total", feed="f", reason="malformed_frame") == 0
    assert desk.value("nightdesk_gaps_open", feed="f", kind="quote") == 0


def test_before_the_ledger_was_read_nobody_says_that_no_gap_is_open(desk: Desk) -> None:
    assert desk.value("nightdesk_gap_oldest_timestamp_seconds", feed="f", kind="trade") is None
    desk.observer.counted_gaps({}, ["f"])
    assert desk.value("nightdesk_gap_oldest_timestamp_seconds", feed="f", kind="trade") == 0


def test_a_stuck_worker_ends_but_an_outage_is_waited_out(desk: Desk) -> None:
    desk.answered()
    desk.observer.idled()
    desk.now_s += 61
    desk.watchdog.check()
    assert not desk.stopped

    desk.observer.failed("unavailable", UnavailableError("away"))
    desk.answered()
    desk.now_s += 59
    desk.answered()
    desk.watchdog.check()
    assert not desk.stopped

    desk.now_s += 2
    desk.answered()
    desk.watchdog.check()
    assert desk.stopped


def test_turns_that_the_database_refuses_are_no_reason_to_end_the_process(desk: Desk) -> None:
    desk.answered()
    for _ in range(4):
        desk.now_s += 30
        desk.answered()
        desk.observer.failed("refused", RefusedError("a damaged table"))
        desk.watchdog.check()

    assert not desk.stopped


def test_turns_that_end_in_nothing_else_are_one(desk: Desk) -> None:
    for _ in range(4):
        desk.now_s += 30
        desk.answered()
        desk.observer.failed("lease_lost", LeaseLostError("moved"))
        desk.watchdog.check()

    assert desk.stopped
