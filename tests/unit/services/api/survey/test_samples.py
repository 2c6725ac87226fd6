import pytest

from services.api.survey.samples import Reading, parse, rate, reading, total

TEXT = """\
# HELP nightdesk_feed_ticks_total Ticks.
# TYPE nightdesk_feed_ticks_total counter
nightdesk_feed_ticks_total{feed="simulator",kind="trade"} 120.0
nightdesk_feed_ticks_total{feed="simulator",kind="quote"} 30.0
nightdesk_publish_seconds_bucket{feed="simulator",le="0.1"} 7.0
nightdesk_publish_seconds_sum{feed="simulator"} 0.5
nightdesk_redis_up 1.0
process_resident_memory_bytes 1.0
"""


def at(at_s: float, instance: str, value: float, name: str = "nightdesk_ticks_total") -> Reading:
    return reading(at_s, parse(instance, f'{name}{{feed="simulator"}} {value}\n'))


def test_only_our_own_metrics_are_read_and_no_buckets() -> None:
    names = {sample.name for sample in parse("a:1", TEXT)}

    assert names == {"nightdesk_feed_ticks_total", "nightdesk_publish_seconds_sum", "nightdesk_redis_up"}


def test_a_total_sums_labels_and_instances() -> None:
    now = reading(0.0, [*parse("a:1", TEXT), *parse("b:1", TEXT)])

    assert total(now, "nightdesk_feed_ticks_total") == 300.0
    assert total(now, "nightdesk_feed_ticks_total", lambda labels: labels["kind"] == "quote") == 60.0


def test_what_nobody_says_is_unknown_and_not_zero() -> None:
    assert total(reading(0.0, []), "nightdesk_feed_ticks_total") is None
    assert rate(at(0.0, "a", 1), reading(1.0, []), "nightdesk_ticks_total") is None


def test_a_rate_is_growth_per_second() -> None:
    assert rate(at(10.0, "a", 100), at(15.0, "a", 600), "nightdesk_ticks_total") == 100.0


def test_a_counter_that_began_again_counts_from_zero() -> None:
    assert rate(at(10.0, "a", 1000), at(15.0, "a", 50), "nightdesk_ticks_total") == 10.0


def test_a_replica_that_has_just_come_does_not_look_like_a_burst() -> None:
    before = at(10.0, "a", 100)
    now = reading(15.0, [*at(15.0, "a", 150).samples, *at(15.0, "b", 9_000_000).samples])

    assert rate(before, now, "nightdesk_ticks_total") == 10.0


def test_there_is_no_rate_without_an_earlier_reading() -> None:
    now = at(15.0, "a", 1)

    assert rate(None, now, "nightdesk_ticks_total") is None
    assert rate(now, now, "nightdesk_ticks_total") is None


@pytest.mark.parametrize("text", ["nightdesk_x{", "nightdesk_x one", "nightdesk_x{a=1} 2"])
def test_text_that_is_no_exposition_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the parser's own words vary
        parse("a:1", text)
