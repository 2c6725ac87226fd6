import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from nightdesk.matchers import exactly, read_matchers, written

LABELS = some.dictionaries(some.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,9}", fullmatch=True), some.text(), min_size=1)


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ("alertname=SymbolSilent", {"alertname": "SymbolSilent"}),
        ("alertname=SymbolSilent,symbol=BTC.*", {"alertname": "SymbolSilent", "symbol": "BTC.*"}),
        (" alertname = A|B , feed = x ", {"alertname": "A|B", "feed": "x"}),
        ("symbol=A{1,3},feed=x", {"symbol": "A{1,3}", "feed": "x"}),
        ("title=one, two=three", {"title": "one", "two": "three"}),
        (r"title=one\, two=three", {"title": r"one\, two=three"}),
        ("channel=", {"channel": ""}),
        ("symbol=a=b", {"symbol": "a=b"}),
    ],
)
def test_a_line_is_labels_and_their_patterns(text: str, matchers: dict[str, str]) -> None:
    assert read_matchers(text) == matchers


@pytest.mark.parametrize("text", ["", "  ", "FeedSilent", "=x", ",", "feed=x,feed=y"])
def test_what_is_no_matcher_is_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"label=pattern|twice"):
        read_matchers(text)


def test_matchers_are_written_as_they_are_read() -> None:
    assert written({"alertname": "A|B", "feed": "x"}) == "alertname=A|B, feed=x"


@given(LABELS)
def test_the_matchers_of_an_alert_match_its_labels(labels: dict[str, str]) -> None:
    kept = {label: value.strip() for label, value in labels.items()}

    matchers = read_matchers(exactly(kept))

    assert set(matchers) == set(kept)
    assert all(re.fullmatch(matchers[label], value, re.DOTALL) for label, value in kept.items())
