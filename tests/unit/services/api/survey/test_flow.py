from dataclasses import replace

from services.api.survey.flow import Flow, bottleneck, feeds_of, flow_of, lag_s
from services.api.survey.samples import Reading, parse, reading


def a_reading(at_s: float, *texts: str) -> Reading:
    return reading(at_s, [sample for n, text in enumerate(texts) for sample in parse(f"i{n}:1", text)])


COLLECTOR = """\
nightdesk_feed_ticks_total{feed="simulator",kind="trade"} 0
nightdesk_published_ticks_total{feed="simulator"} 0
nightdesk_publish_seconds_sum{feed="simulator"} 0
nightdesk_publish_seconds_count{feed="simulator"} 0
nightdesk_queue_ticks{feed="simulator"} 10
nightdesk_queue_limit_ticks{feed="simulator"} 10000
nightdesk_redis_up 1
"""
LATER = """\
nightdesk_feed_ticks_total{feed="simulator",kind="trade"} 5000
nightdesk_published_ticks_total{feed="simulator"} 4900
nightdesk_publish_seconds_sum{feed="simulator"} 2
nightdesk_publish_seconds_count{feed="simulator"} 100
nightdesk_queue_ticks{feed="simulator"} 10
nightdesk_queue_limit_ticks{feed="simulator"} 10000
nightdesk_redis_up 1
"""
WORKER = """\
nightdesk_stream_top_timestamp_seconds{consumer="store/simulator/00"} 100
nightdesk_consumer_position_timestamp_seconds{consumer="store/simulator/00"} 99.5
nightdesk_stream_top_timestamp_seconds{consumer="store/simulator/01"} 100
nightdesk_consumer_position_timestamp_seconds{consumer="store/simulator/01"} 97
nightdesk_stream_entries{consumer="store/simulator/00"} 5
nightdesk_stream_entries{consumer="store/simulator/01"} 30
nightdesk_database_up 1
"""


def test_a_feed_is_known_from_its_consumers_too() -> None:
    assert feeds_of(a_reading(0.0, WORKER)) == ["simulator"]
    assert feeds_of(a_reading(0.0, 'nightdesk_feed_connected{feed="coinbase"} 1\n', WORKER)) == [
        "coinbase",
        "simulator",
    ]


def test_a_flow_is_read_between_two_readings() -> None:
    flow = flow_of("simulator", a_reading(0.0, COLLECTOR, WORKER), a_reading(5.0, LATER, WORKER))

    assert flow.received_per_s == 1000.0
    assert flow.published_per_s == 980.0
    assert flow.committed_per_s is None
    assert flow.publish_s == 0.02
    assert flow.stream_entries == 35
    assert flow.database_up is True


def test_the_slowest_consumer_is_the_lag() -> None:
    assert lag_s("simulator", a_reading(0.0, WORKER)) == 3.0


def test_a_former_owners_old_word_does_not_count() -> None:
    former = """\
nightdesk_stream_top_timestamp_seconds{consumer="store/simulator/01"} 60
nightdesk_consumer_position_timestamp_seconds{consumer="store/simulator/01"} 20
"""

    assert lag_s("simulator", a_reading(0.0, former, WORKER)) == 3.0


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
