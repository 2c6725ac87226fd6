"""What a report of a job is made of."""

from collections.abc import Iterator, Mapping
from datetime import date

import pytest

from nightdesk.reports.daily import parameters
from nightdesk.store.migrate import WRITER
from services.jobs.facts.reading import rows_of
from tests.conftest import Database

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 19)


def test_all_statements_see_one_moment(database: Database) -> None:
    """What somebody stores between two of them belongs to the next report."""

    def names() -> Iterator[str]:
        yield "daily_facts"
        with database.connect() as other:
            other.execute("INSERT INTO daily_facts (day, fact, value) VALUES (%s, 'until_s', 86400)", [DAY])
        yield "daily_facts"
        yield "daily_verdicts"

    asked: Mapping[str, object] = parameters(DAY)
    with database.connect(WRITER) as connection:
        found = rows_of(connection, names(), asked)
        later = rows_of(connection, ["daily_facts"], asked)

    assert found["daily_facts"] == []
    assert found["daily_verdicts"][0]["measured_until_s"] is None
    assert len(later["daily_facts"]) == 1
