"""A month that is made up, recorded on a real database."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from nightdesk.errors import ConfigurationError
from services.jobs import demo_trades
from services.jobs.runner.job import Desk

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 17, 5, 0, tzinfo=UTC)


def made_up(desk: Desk, **arguments: Any) -> dict[str, Any]:
    return dict(demo_trades.run(desk, demo_trades.Arguments(**arguments)))


def test_it_is_recorded_once_however_often_it_is_done(desk: Callable[..., Desk]) -> None:
    first = made_up(desk(scheduled_for=NOW), orders=1000)
    again = made_up(desk(scheduled_for=NOW), orders=1000)

    assert (first["from"], first["to"]) == ("2026-11-01", "2026-11-16")
    assert first["added"] == first["received"] > 400
    assert (again["added"], again["unchanged"]) == (0, first["received"])


def test_a_month_under_way_grows(desk: Callable[..., Desk]) -> None:
    first = made_up(desk(scheduled_for=NOW), orders=1000)
    later = made_up(desk(scheduled_for=datetime(2026, 12, 1, tzinfo=UTC)), orders=1000)

    assert later["to"] == "2026-11-30"
    assert later["unchanged"] == first["received"]
    assert later["added"] == later["received"] - first["received"] > 0


def test_a_month_that_has_not_begun_is_refused(desk: Callable[..., Desk]) -> None:
    with pytest.raises(ConfigurationError, match="no day of 2027-01 is over yet"):
        made_up(desk(scheduled_for=NOW), month="2027-01")
