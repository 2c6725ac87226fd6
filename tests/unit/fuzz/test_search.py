"""What the engine says is read rightly: a search that found something never looks like one that did not."""

import pytest

from tests.fuzz.search import read
from tests.fuzz.target import claim

DONE = """\
#2	INITED cov: 63 ft: 63 corp: 1/1b exec/s: 0 rss: 45Mb
#131868	DONE   cov: 64 ft: 70 corp: 2/2b lim: 1310 exec/s: 26373 rss: 45Mb
stat::number_of_executed_units: 131868
stat::peak_rss_mb:              45
"""


def test_a_search_that_found_nothing_has_its_figures() -> None:
    found = read("frames", 5, DONE, status=0)

    assert (found.executions, found.branches, found.inputs, found.peak_mb) == (131_868, 64, 2, 45)
    assert found.finding == ""


@pytest.mark.parametrize(
    ("said", "finding"),
    [
        (" === Uncaught Python exception: ===\nKeyError: 'BTCUSDT'\nTraceback (most recent call last):\n", "KeyError"),
        ("==1== ERROR: libFuzzer: timeout after 10 seconds\n", "a hang"),
        ("==1== ERROR: libFuzzer: out-of-memory (used: 800Mb; limit: 768Mb)\n", "too much memory"),
        ("Segmentation fault\n", "status 77: Segmentation fault"),
        ("", "status 77"),
    ],
)
def test_whatever_ends_the_engine_is_a_finding(said: str, finding: str) -> None:
    assert finding in read("frames", 5, said, status=77).finding


def test_a_claim_that_does_not_hold_is_raised_with_what_it_says() -> None:
    claim(holds=True, what="all is well")
    with pytest.raises(AssertionError, match="a message vanished"):
        claim(holds=[], what="a message vanished")
