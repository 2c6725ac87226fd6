from dataclasses import replace

from services.api.survey.flow import Flow, bottleneck, feeds_of, flow_of, lag_s
from services.api.survey.samples import Reading, parse, reading
from services.api.survey.survey import Backlog, DatabaseReport, RedisReport, RedisState, Survey


def a_reading(at_s: float, *texts: str) -> Reading:
    return reading(at_s, [sample for n, text in enumerate(texts) for sample in parse(f"i{n}:1", text)])


COLLECTOR = """\
nightdesk_feed_ticks_total{feed="simulator",kind="trade"} 0
nightdesk_published_ticks_total{feed="simulator"} 0
nightdesk_publish_seconds_sum{feed="simulator"} 0
nightdesk_publish_seconds_count{feed="simulator"} 0
nightdesk_queue_ticks{feed="simulator"} 10
nightdesk_queue_limit_ticks{feed="simulator"} 10000
"""
LATER = """\
nightdesk_feed_ticks_total{feed="simulator",kind="trade"} 5000
nightdesk_published_ticks_total{feed="simulator"} 4900
nightdesk_publish_seconds_sum{feed="simulator"} 2
nightdesk_publish_seconds_count{feed="simulator"} 100
nightdesk_queue_ticks{feed="simulator"} 10
nightdesk_queue_limit_ticks{feed="simulator"} 10000
"""
NOW_S = 1000.0


def a_survey(*texts: str, before: Reading | None = None, backlogs: tuple[Backlog, ...] = ()) -> Survey:
    return Survey(
        at_s=5.0,
        unix_s=NOW_S,
        reports=(),
        database=DatabaseReport(problem="gone"),
        redis=RedisReport(state=RedisState(backlogs=backlogs)),
        reading=a_reading(5.0, *texts),
        before=before,
    )


def waiting(feed: str, oldest_s: float | None, entries: int = 5) -> Backlog:
    return Backlog(feed=feed, entries=entries, oldest_ms=None if oldest_s is None else int(oldest_s * 1000))


def test_a_feed_is_known_from_services_and_from_streams() -> None:
    survey = a_survey('nightdesk_feed_connected{feed="coinbase"} 1\n', backlogs=(waiting("simulator", None),))

    assert feeds_of(survey) == ["coinbase", "simulator"]


def test_a_flow_is_read_between_two_readings() -> None:
    backlogs = (waiting("simulator", 999.5), waiting("simulator", None, 30), waiting("coinbase", 1.0))

    flow = flow_of("simulator", a_survey(LATER, before=a_reading(0.0, COLLECTOR), backlogs=backlogs))

    assert flow.received_per_s == 1000.0
    assert flow.published_per_s == 980.0
    assert flow.committed_per_s is None
    assert flow.publish_s == 0.02
    assert flow.stream_entries == 35
    assert flow.lag_s == 0.5
    assert (flow.redis_up, flow.database_up) == (True, False)


def test_the_lag_is_how_long_the_oldest_entry_waits() -> None:
    assert lag_s([waiting("f", 999.0), waiting("f", 990.0), waiting("f", None)], NOW_S) == 10.0


def test_nothing_waits_means_no_lag_and_no_stream_means_not_known() -> None:
    assert lag_s([waiting("f", None)], NOW_S) == 0.0
    assert lag_s([], NOW_S) is None


def test_a_clock_that_stepped_back_makes_no_negative_lag() -> None:
    assert lag_s([waiting("f", 1001.0)], NOW_S) == 0.0


def test_facts_leave_out_what_is_not_known() -> None:
    assert Flow(feed="simulator", lag_s=0.12345, redis_up=True).facts() == {"lag_s": 0.123, "redis_up": True}


def test_nothing_is_the_bottleneck_while_nothing_waits() -> None:
    flow = Flow(feed="simulator", received_per_s=5000, published_per_s=5001, committed_per_s=4999, lag_s=0.1)

    found = bottleneck([flow])

    assert found.part is None
    assert found.detail == "nothing piles up: 5,000/s received, 5,001/s published, 4,999/s committed, 0.1 s behind"


def test_the_worker_is_the_bottleneck_when_streams_pile_up() -> None:
    found = bottleneck(
        [Flow(feed="simulator", published_per_s=5000, committed_per_s=3100, lag_s=12.4, database_up=True)]
    )

    assert (found.part, found.feed) == ("worker", "simulator")
    assert found.detail == "simulator: worker is 12.4 s behind, commits 3,100/s of 5,000/s published"


def test_the_database_is_the_bottleneck_while_it_is_away() -> None:
    assert bottleneck([Flow(feed="simulator", lag_s=12.4, database_up=False)]).part == "database"


def test_the_collector_is_the_bottleneck_when_its_queue_fills() -> None:
    assert bottleneck([Flow(feed="simulator", queue_ticks=9000, queue_limit_ticks=10000)]).part == "collector"


def test_redis_is_the_bottleneck_when_it_is_away_or_slow() -> None:
    full = Flow(feed="simulator", queue_ticks=9000, queue_limit_ticks=10000)

    assert bottleneck([replace(full, redis_up=False)]).part == "redis"
    assert bottleneck([replace(full, redis_up=True, publish_s=0.2)]).part == "redis"


def test_what_is_further_down_holds_up_what_is_before() -> None:
    flow = Flow(feed="simulator", lag_s=30.0, queue_ticks=9000, queue_limit_ticks=10000)

    assert bottleneck([flow]).part == "worker"


def test_of_several_feeds_the_one_furthest_behind_counts() -> None:
    assert bottleneck([Flow(feed="a", lag_s=3.0), Flow(feed="b", lag_s=30.0)]).feed == "b"


def test_without_any_word_that_is_said() -> None:
    assert bottleneck([]).detail == "no service speaks of a feed"


def test_without_redis_everything_waits_for_redis() -> None:
    found = bottleneck([Flow(feed="simulator", received_per_s=620.0, redis_up=False)])

    assert found.part == "redis"
    assert "620/s received wait in the spool" in found.detail
