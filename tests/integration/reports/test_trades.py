"""The trade report over a fixed file gives the same page, JSON, CSV and text for ever, and what a slow reader finds."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from nightdesk.store.migrate import READER
from services.api.app import compose
from tests.conftest import Database
from tests.golden import is_golden
from tests.integration.api import conftest
from tests.integration.api.test_orders import slow_totals
from tests.integration.reports.test_golden import main_of

pytestmark = pytest.mark.integration

FILES = Path(__file__).resolve().parents[2] / "golden" / "trades"
PERIOD = "from=2026-11-16&to=2026-11-22"
LOGGED = """
INSERT INTO log_counts (day, service, level, event, lines)
VALUES ('2026-11-16', 'risk-service', 'error', 'limit.exceeded', 41), ('2026-11-22', 'risk-service', 'critical', '', 2),
    ('2026-11-18', 'trade-engine', 'error', '', 12), ('2026-11-18', 'trade-engine', 'info', '', 90000),
    ('2026-11-15', 'auth-service', 'error', '', 7), ('2026-11-23', 'auth-service', 'error', '', 7);
"""
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def trading(module_database: Database) -> Iterator[TestClient]:
    with module_database.connect() as connection:
        connection.execute(LOGGED)
    with TestClient(compose(conftest.settings(module_database), CollectorRegistry())) as client:
        for kind in ("instruments", "traders", "orders"):
            file = (FILES / f"{kind}.csv").read_bytes()
            answer = client.post(f"/{kind}?create=yes" if kind == "orders" else f"/{kind}", content=file, headers=CSV)
            assert answer.status_code == 201, answer.text
        yield client


CSV = {"Content-Type": "text/csv"}


def asked(client: TestClient, form: str) -> str:
    answer = client.get(f"/reports/trades?{PERIOD}&format={form}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_is_the_golden_one(trading: TestClient) -> None:
    assert is_golden("trades/report.html", main_of(asked(trading, "html")) + "\n")


def test_the_json_is_the_golden_one(trading: TestClient) -> None:
    said = json.loads(asked(trading, "json"))

    assert is_golden("trades/report.json", json.dumps(said, indent=1, ensure_ascii=False) + "\n")


def test_the_csv_is_the_golden_one(trading: TestClient) -> None:
    assert is_golden("trades/report.csv", asked(trading, "csv").replace("\r\n", "\n"))


def test_the_text_is_the_golden_one_but_for_when_it_was_made(trading: TestClient) -> None:
    lines = asked(trading, "text").splitlines()
    assert lines[4].startswith("Generated at: 20")

    assert is_golden("trades/report.txt", "\n".join([*lines[:4], "Generated at: ...", *lines[5:]]) + "\n")


@pytest.mark.parametrize("name", ["volume", "orders", "statuses", "sectors"])
def test_a_picture_is_the_golden_one(trading: TestClient, name: str) -> None:
    assert is_golden(f"trades/{name}.svg", trading.get(f"/reports/trades/charts/{name}.svg?{PERIOD}").text)


def test_the_totals_are_those_of_a_slow_reader_of_the_file(trading: TestClient) -> None:
    with localcontext(Context(prec=100)):
        found = slow_totals((FILES / "orders.csv").read_text(encoding="utf-8"), "2026-11-16", "2026-11-22")
    said = json.loads(asked(trading, "json"))

    assert Decimal(said["overview"]["volume"]) == found["volume"]["all"]
    assert said["overview"]["orders"] == sum(found["counts"][one["status"]] for one in said["statuses"])
    assert said["overview"]["buys"] == found["counts"]["buy"]
    for group in (*said["instruments"], *said["traders"]):
        assert Decimal(group["volume"]) == found["volume"][group.get("symbol") or group["name"]]


def test_the_parts_add_up(trading: TestClient) -> None:
    said = json.loads(asked(trading, "json"))
    volume = Decimal(said["overview"]["volume"])

    with localcontext(Context(prec=100)):
        assert sum(Decimal(one["volume"]) for one in said["sectors"]) == volume
        assert sum(Decimal(one["volume"]) for one in said["days"]) == volume
    assert sum(one["share"] for one in said["statuses"]) == pytest.approx(1, abs=1e-5)
    assert sum(one["share"] for one in said["sectors"]) == pytest.approx(1, abs=1e-5)


def test_the_csv_of_the_report_says_what_its_json_says(trading: TestClient) -> None:
    said = json.loads(asked(trading, "json"))
    lines = list(csv.DictReader(asked(trading, "csv").splitlines()))

    for line, day in zip([one for one in lines if one["part"] == "day"], said["days"], strict=True):
        assert (line["item"], line["volume"], line["orders"]) == (day["day"], day["volume"], str(day["orders"]))


def test_the_reader_reads_all_of_it(database: Database) -> None:
    with database.connect(READER) as connection:
        assert connection.execute("SELECT count(*) FROM daily_summary").fetchone() == (0,)
