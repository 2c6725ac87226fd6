import re

import pytest

from services.jobs.digest.config import Source
from services.jobs.digest.guard import PATIENCE_LINES, GivenUpError, Guard
from services.jobs.digest.parsing import NO_MATCH, TOO_SLOW, Line, parser
from tests.unit.services.jobs.digest.test_parsing import NOW

CATASTROPHE = r"(?P<time>(?:a+)+)b(?P<message>.*)"
"""Takes twice as long with each letter more: https://docs.python.org/3/howto/regex.html has no bound for it."""


@pytest.mark.slow
def test_an_expression_that_would_never_end_is_ended() -> None:
    guard = Guard(tick_s=0.05)
    source = Source.model_validate({"paths": ["*"], "pattern": re.compile(CATASTROPHE)})
    parse = guard.guarded("app", parser(source, "app", NOW))

    with guard:
        assert parse(b"a" * 60) == TOO_SLOW
        assert parse(b"x") == NO_MATCH
        assert guard.given_up == []
        assert {parse(b"a" * 60) for _ in range(PATIENCE_LINES - 1)} == {TOO_SLOW}
        assert guard.given_up == ["app"]
        with pytest.raises(GivenUpError):
            parse(b"x")


def test_what_takes_its_time_line_by_line_is_left_alone() -> None:
    guard = Guard(tick_s=0.001)
    source = Source.model_validate({"paths": ["*"], "pattern": r"(?P<time>\S+ \S+) (?P<message>.*)"})
    parse = guard.guarded("app", parser(source, "app", NOW))

    with guard:
        found = [parse(b"2026-11-19 07:00:03 x") for _ in range(20_000)]

    assert all(isinstance(one, Line) for one in found)
