import pytest
from hypothesis import given
from hypothesis import strategies as some

from nightdesk.shards import stream_key
from services.api.survey.survey import stream_of


@given(some.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True), some.integers(0, 300))
def test_a_streams_key_says_feed_and_shard(feed: str, shard: int) -> None:
    assert stream_of(stream_key(feed, shard)) == (feed, shard)


@pytest.mark.parametrize(
    "key", ["ticks:simulator:00", "ticks:{simulator}", "position:{simulator:00}", "ticks:{a:1}", ""]
)
def test_other_keys_are_no_streams(key: str) -> None:
    assert stream_of(key) is None
