"""What the preflight makes of what it is told."""

from datetime import date
from typing import Any

import pytest

from nightdesk.feeds_config import FeedConfig
from nightdesk.health import Part, Status
from services.jobs.checks.channels import channels_part
from services.jobs.checks.feeds import feed_parts
from services.jobs.checks.partitions import MOST_WAL_BYTES, partitions_part, wal_part
from services.jobs.checks.runs import runs_part

DAY = date(2026, 3, 2)


def a_feed(*symbols: str) -> FeedConfig:
    return FeedConfig.model_validate(
        {
            "codec": "binance", "ws_url": "ws://x", "rest_url": "http://x", "symbols": symbols, "kinds": ("trade",),
            "calendars": {".US": "XNYS"},
        }
    )  # fmt: skip


def said(status: Status = Status.OK, **facts: Any) -> Part:
    facts = {"connected": True, "symbols": 2, **facts}
    return Part(part="collector/feed/f", status=status, detail="as it says", facts=facts)


@pytest.mark.parametrize(
    ("collectors", "status"),
    [
        ([said()], Status.OK),
        ([said(Status.DEGRADED)], Status.DEGRADED),
        ([said(Status.DOWN)], Status.DOWN),
        ([said(connected=False)], Status.DOWN),
        ([said(symbols=3)], Status.DOWN),  # it was started with another configuration
        ([said(standby=True, connected=None)], Status.DOWN),
        ([said(standby=True, connected=None), said()], Status.OK),
        ([], Status.DOWN),
    ],
)
def test_a_feed_is_ready_when_a_collector_has_it_with_all_its_symbols(collectors: list[Part], status: Status) -> None:
    feed, symbols = feed_parts({"f": a_feed("AAPL.US", "BTCUSDT")}, collectors, "XNYS")

    assert feed.status is status
    assert (symbols.status, symbols.facts["count"]) == (Status.OK, 1)


def test_an_exchange_of_which_nothing_is_collected_is_a_warning() -> None:
    *_, symbols = feed_parts({"f": a_feed("BTCUSDT")}, [], "XNYS")

    assert symbols.status is Status.DEGRADED


def answered(**outcomes: str) -> list[dict[str, str]]:
    return [{"channel": name, "outcome": outcome, "detail": "why"} for name, outcome in outcomes.items()]


@pytest.mark.parametrize(
    ("answers", "status", "words"),
    [
        (answered(slack="delivered", hook="not_configured"), Status.OK, "delivered by slack"),
        (answered(slack="delivered", hook="transient"), Status.DEGRADED, "not by hook (transient: why)"),
        (answered(slack="permanent"), Status.DOWN, "no test was delivered"),
        (answered(slack="not_configured"), Status.DEGRADED, "nobody would be woken"),
        ([], Status.DEGRADED, "nobody would be woken"),
    ],
)
def test_one_delivered_test_is_enough_and_no_channel_at_all_is_a_warning(
    answers: list[dict[str, str]], status: Status, words: str
) -> None:
    part = channels_part(answers)

    assert part.status is status
    assert words in part.detail


def test_a_job_without_a_run_to_come_is_named() -> None:
    assert runs_part(["scan", "backup"], {"scan": 1.0, "backup": 2.0}).facts["backup"] == "1970-01-01 00:00:02Z"
    part = runs_part(["scan", "backup"], {"scan": 1.0, "backup": None})
    assert (part.status, "of backup" in part.detail) == (Status.DOWN, True)


def test_every_table_needs_every_day() -> None:
    assert partitions_part(["trades"], [DAY], {("trades", DAY)}).status is Status.OK
    part = partitions_part(["quotes", "trades"], [DAY], {("trades", DAY)})
    assert (part.status, part.detail) == (Status.DOWN, "missing: quotes 2026-03-02")


def test_a_slot_that_keeps_the_log_is_no_readiness() -> None:
    assert wal_part(MOST_WAL_BYTES).status is Status.OK
    assert wal_part(MOST_WAL_BYTES + 1).status is Status.DOWN
