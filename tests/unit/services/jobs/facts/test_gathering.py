"""What of a day can be told when, and what a silence lets be down."""

from datetime import UTC, date, datetime

import pytest

from nightdesk.alerting import Silence
from services.jobs.facts.gathering import planned, told_until

DAY = date(2026, 11, 19)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("scheduled_for", "until"),
    [
        ("2026-11-19T21:30:00", "2026-11-19T21:30:00"),
        ("2026-11-19T21:30:42", "2026-11-19T21:30:00"),
        ("2026-11-20T00:30:00", "2026-11-20T00:00:00"),
        ("2026-12-24T12:00:00", "2026-11-20T00:00:00"),
    ],
)
def test_a_day_is_told_up_to_the_run_and_never_beyond_its_end(scheduled_for: str, until: str) -> None:
    assert told_until(at(scheduled_for), DAY) == at(until)


@pytest.mark.parametrize(
    ("match", "services"),
    [
        ({"alertname": "ServiceDown"}, {"worker", "api"}),
        ({"alertname": "Service.*", "service": "api"}, {"api"}),
        ({"service": "wor.*|collector"}, {"worker"}),
        ({"alertname": "ServiceDown", "severity": "critical"}, {"worker", "api"}),
        ({"alertname": "FeedSilent"}, set()),
        ({"alertname": "ServiceDown", "feed": "simulator"}, set()),
    ],
)
def test_a_silence_that_hides_a_services_alert_plans_its_being_down(match: dict[str, str], services: set[str]) -> None:
    silence = Silence(
        silence_id=1, match=match, starts_at=at("2026-11-19T10:00"), ends_at=at("2026-11-19T11:00"), by="me",
        reason="update", active=False,
    )  # fmt: skip

    found = planned(silence)

    assert {service for service in ("worker", "api") if found.covers(service)} == services
    assert found.span[1] - found.span[0] == 3600
