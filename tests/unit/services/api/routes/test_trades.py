"""The trade report over HTTP."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.unit.services.api.desk import FakeStore, a_client, away

PERIOD = "from=2026-11-01&to=2026-11-03"
DAY = {
    "day": date(2026, 11, 2), "orders": 4, "executed": 2, "pending": 1, "cancelled": 0, "failed": 1, "buys": 1,
    "sells": 1, "volume": Decimal("300.5"),
}  # fmt: skip


def a_store() -> FakeStore:
    group = {"orders": 4, "executed": 2, "failed": 1, "volume": Decimal("300.5")}
    return FakeStore(
        answers={
            "reports/trades_days": [dict(DAY)],
            "reports/trades_instruments": [{"symbol": "<b>", "name": "Bold", "sector": "", **group}],
            "reports/trades_traders": [{"name": "momentum", "kind": "strategy", **group}],
        }
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,*/*", "text/html; charset=utf-8"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
    ],
)
def test_the_report_comes_in_the_form_that_is_accepted(accept: str, kind: str) -> None:
    answer = a_client(store=a_store()).get(f"/reports/trades?{PERIOD}", headers={"Accept": accept})

    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


def test_the_form_may_be_asked_for() -> None:
    answer = a_client(store=a_store()).get(f"/reports/trades?{PERIOD}&format=text", headers={"Accept": "text/html"})

    assert answer.text.startswith("=====")


def test_json_has_the_period_and_its_numbers() -> None:
    body = a_client(store=a_store()).get(f"/reports/trades?{PERIOD}").json()

    assert (body["from"], body["to"], len(body["days"])) == ("2026-11-01", "2026-11-03", 3)
    assert body["overview"]["volume"] == "300.5"
    assert body["instruments"][0]["sector"] == ""
    assert body["sectors"][0]["sector"] == "(none)"


def test_both_ends_of_the_period_are_whole_days() -> None:
    store = a_store()
    a_client(store=store).get(f"/reports/trades?{PERIOD}")

    asked = store.asked[0][1]
    assert (asked["since"], asked["until"]) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 4, tzinfo=UTC))


def test_without_a_period_it_is_this_month_until_today() -> None:
    before = datetime.now(UTC).date()
    body = a_client(store=a_store()).get("/reports/trades").json()

    assert body["from"] in {before.replace(day=1).isoformat(), datetime.now(UTC).date().replace(day=1).isoformat()}
    assert body["to"] in {before.isoformat(), datetime.now(UTC).date().isoformat()}


def test_with_the_last_day_alone_it_is_that_month() -> None:
    body = a_client(store=a_store()).get("/reports/trades?to=2026-03-09").json()

    assert (body["from"], body["to"]) == ("2026-03-01", "2026-03-09")


def test_a_period_may_begin_in_the_future() -> None:
    day = (datetime.now(UTC).date() + timedelta(days=9)).isoformat()

    assert a_client(store=a_store()).get(f"/reports/trades?from={day}").json()["to"] == day


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-11-02&to=2026-11-01", "to"),
        ("from=2020-01-01&to=2026-11-01", "from"),
        ("from=yesterday", "from"),
        ("from=20261101", "from"),
        ("from=2026-02-30", "from"),
        ("to=9999-12-31", "to"),
        ("to=0", "to"),
        ("day=2026-11-01", "day"),
    ],
)
def test_a_period_that_is_none_is_refused(query: str, field: str) -> None:
    answer = a_client(store=a_store()).get(f"/reports/trades?{query}")

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_the_page_escapes_what_others_named() -> None:
    page = a_client(store=a_store()).get(f"/reports/trades?{PERIOD}", headers={"Accept": "text/html"}).text

    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_every_picture_of_the_page_is_there() -> None:
    client = a_client(store=a_store())
    page = client.get(f"/reports/trades?{PERIOD}", headers={"Accept": "text/html"}).text
    addresses = [part.partition('"')[0].replace("&amp;", "&") for part in page.split('src="/reports')[1:]]

    assert len(addresses) == 3
    for address in addresses:
        answer = client.get(f"/reports{address}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_an_empty_period_says_so() -> None:
    page = a_client().get(f"/reports/trades?{PERIOD}", headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert "There is no order in this period" in page.text


def test_without_the_database_there_is_no_report() -> None:
    assert a_client(store=away()).get("/reports/trades").status_code == 503
