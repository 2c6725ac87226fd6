"""What the alerter says about itself, at the edges of every limit."""

from dataclasses import replace
from typing import Any

import pytest

from services.alerter.alerts import NAME, SEVERITY
from services.alerter.own import BLIND, TOLD_OF_DAMAGE_S, Broken, Condition, reports_of

NOW = 100_000.0
WELL = Condition(
    now_s=NOW,
    began_s=NOW - 50_000,
    answered_s=NOW - 3,
    answers_since_s=NOW - 40_000,
    silent_since_s=None,
    evaluated_s=NOW - 5,
    unreachable_after_s=60.0,
)


KNOWN = frozenset({"PrometheusUnreachable", "WatchdogMissing"})


def said(standing: Condition) -> list[tuple[str, str]]:
    return [(report.labels[NAME], report.labels[SEVERITY]) for report in reports_of(standing)]


def test_there_is_nothing_to_say_where_all_is_well() -> None:
    assert reports_of(WELL) == []


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"silent_since_s": NOW - 60}, []),
        ({"silent_since_s": NOW - 60.1}, ["PrometheusUnreachable"]),
        ({"silent_since_s": NOW - 60.1, "evaluated_s": NOW - 9000}, ["PrometheusUnreachable"]),
        ({"evaluated_s": NOW - 63}, []),
        ({"evaluated_s": NOW - 63.1}, ["WatchdogMissing"]),
        ({"evaluated_s": NOW - 9000, "answers_since_s": NOW - 63}, []),
        ({"evaluated_s": NOW - 9000, "answers_since_s": NOW - 63.1}, ["WatchdogMissing"]),
        ({"now_s": NOW + 9000}, []),
        ({"silent_since_s": NOW, "known": KNOWN}, ["PrometheusUnreachable"]),
        ({"is_sure": False, "known": KNOWN}, ["WatchdogMissing"]),
        ({"is_sure": True, "known": KNOWN}, []),
        ({"silent_since_s": NOW - 30, "is_sure": False, "known": frozenset({"WatchdogMissing"})}, ["WatchdogMissing"]),
        (
            {"silent_since_s": NOW - 61, "is_sure": False, "known": frozenset({"WatchdogMissing"})},
            ["PrometheusUnreachable", "WatchdogMissing"],
        ),
    ],
)
def test_prometheus_is_judged_by_when_it_was_asked(changes: dict[str, Any], names: list[str]) -> None:
    assert [name for name, _ in said(replace(WELL, **changes))] == names
    assert set(names) <= BLIND


def test_a_channel_that_pages_is_missed_more_than_another() -> None:
    broken = (
        Broken(channel="slack", since_s=NOW - 10, reason="no_service", is_paged=True),
        Broken(channel="email", since_s=NOW - 20, reason="refused", is_paged=False),
    )
    reports = reports_of(replace(WELL, broken=broken))

    assert [(one.labels["channel"], one.labels[SEVERITY], one.started_s) for one in reports] == [
        ("slack", "critical", NOW - 10),
        ("email", "warning", NOW - 20),
    ]
    assert reports[0].annotations["summary"] == "The channel slack does not deliver: no_service"


def test_a_disk_that_takes_nothing_is_critical() -> None:
    (report,) = reports_of(replace(WELL, adrift_s=NOW - 30))

    assert (report.labels["problem"], report.labels[SEVERITY], report.started_s) == (
        "not_saved",
        "critical",
        NOW - 30,
    )


def test_a_file_that_was_put_aside_is_said_for_an_hour_after_the_start() -> None:
    begun = replace(WELL, damage="it is damaged", began_s=NOW)

    assert said(begun) == [("StateDamaged", "warning")]
    assert "it is damaged" in reports_of(begun)[0].annotations["description"]
    assert said(replace(begun, began_s=NOW - TOLD_OF_DAMAGE_S)) == []


def test_everything_at_once_is_said() -> None:
    broken = (Broken(channel="slack", since_s=NOW, reason="gone", is_paged=True),)
    all_wrong = replace(WELL, silent_since_s=NOW - 999, broken=broken, adrift_s=NOW, damage="torn", began_s=NOW - 10)

    assert [name for name, _ in said(all_wrong)] == [
        "PrometheusUnreachable",
        "ChannelFailing",
        "StateDamaged",
        "StateDamaged",
    ]


def test_each_has_a_runbook_of_its_name() -> None:
    broken = (Broken(channel="slack", since_s=NOW, reason="gone", is_paged=True),)
    for report in reports_of(replace(WELL, evaluated_s=1.0, broken=broken, adrift_s=NOW)):
        assert report.annotations["runbook_url"] == f"docs/runbooks/{report.labels[NAME]}.md"
