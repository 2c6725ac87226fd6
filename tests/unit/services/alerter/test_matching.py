"""Labels against patterns: the whole value, every pattern, and what is missing is empty."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from nightdesk.matchers import MAX_PATTERN_CHARACTERS, Matchers
from services.alerter.matching import matches

LABELS = {"alertname": "FeedSilent", "feed": "binance", "note": 'a "quoted"\nline 🔥'}


@pytest.mark.parametrize(
    ("matchers", "is_match"),
    [
        ({"alertname": "FeedSilent"}, True),
        ({"alertname": "Feed"}, False),
        ({"alertname": "Feed.*"}, True),
        ({"alertname": "FeedSilent|DiskLow"}, True),
        ({"alertname": "DiskLow|FeedSilen"}, False),
        ({"alertname": "feedsilent"}, False),
        ({"alertname": "(?i)feedsilent"}, True),
        ({"alertname": "FeedSilent", "feed": "bin.*"}, True),
        ({"alertname": "FeedSilent", "feed": "coin.*"}, False),
        ({"severity": ""}, True),
        ({"severity": ".+"}, False),
        ({"severity": "|critical"}, True),
        ({"note": ".*"}, False),
        ({"note": "(?s).*🔥"}, True),
        ({}, True),
    ],
)
def test_a_pattern_has_to_match_the_whole_value(matchers: dict[str, str], is_match: bool) -> None:
    assert matches(matchers, LABELS) is is_match


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=5)), st.text(max_size=5))
def test_a_value_is_matched_by_itself_escaped_and_by_nothing_longer(labels: dict[str, str], more: str) -> None:
    exact = {name: re.escape(value) for name, value in labels.items()}

    assert matches(exact, labels)
    for name, value in labels.items():
        assert matches(exact, {**labels, name: value + more}) is (more == "")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({}, "at least 1 item"),
        ({"": "x"}, "is no label name"),
        ({"1a": "x"}, "is no label name"),
        ({"a-b": "x"}, "is no label name"),
        ({"é": "x"}, "is no label name"),
        ({"a\n": "x"}, "is no label name"),
        ({"a": "("}, "is no regular expression"),
        ({"a": "*"}, "is no regular expression"),
        ({"a": "(?P<x>a)(?P<x>b)"}, "is no regular expression"),
        ({"a": "x{99999999999}"}, "is no regular expression"),
        ({"a": "(" * 500}, "is no regular expression"),
        ({"a": "x" * (MAX_PATTERN_CHARACTERS + 1)}, "at most 500 characters"),
        ({f"l{number}": "x" for number in range(21)}, "at most 20 items"),
    ],
)
def test_what_is_no_matcher_is_refused_with_the_reason(wanted: dict[str, str], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        TypeAdapter(Matchers).validate_python(wanted)
