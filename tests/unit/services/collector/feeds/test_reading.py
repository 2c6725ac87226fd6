"""Times as text."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.ticks import NO_TIME
from services.collector.feeds.reading import time_ns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(min_value=datetime(1970, 1, 1, 0, 0, 1), max_value=datetime(2262, 1, 1)))  # noqa: DTZ001
def test_a_time_is_exact_to_the_microsecond(moment: datetime) -> None:
    since = moment.replace(tzinfo=UTC) - EPOCH

    assert time_ns(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == since // timedelta(microseconds=1) * 1000


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T00:00:01.123456789Z", 1_123_456_789),
        ("1970-01-01T00:00:01.1234567891Z", 1_123_456_789),
        ("0001-01-01T00:00:00.000000Z", NO_TIME),
        ("9999-12-31T23:59:59.999999Z", NO_TIME),
    ],
)
def test_digits_count_down_to_nanoseconds_and_no_time_is_none(text: str, ns: int) -> None:
    assert time_ns(text) == ns


@pytest.mark.parametrize(
    "text", ["", "Z", "now", "1970-01-01T00:00:01", "1970-01-01T00:00:01.Z", "1970-01-01T00:00:01.5+01:00"]
)
def test_what_is_no_time_in_utc_is_refused(text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        time_ns(text)
