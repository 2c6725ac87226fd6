"""Orders through the real api into a real database, and the report over them beside a slow reader of the same file."""

import csv
import io
import os
import random
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
import requests
from starlette.testclient import TestClient

from deploy.databases import free_port
from nightdesk.store.migrate import CLERK, READER
from tests.conftest import Database

pytestmark = pytest.mark.integration

CSV = {"Content-Type": "text/csv"}
COLUMNS = ("reference", "symbol", "trader", "side", "quantity", "price", "status", "ordered_at")
LIMIT_BYTES = 160 * 1024 * 1024
"""What compose.yaml gives the api."""


def a_file(rows: int, seed: int = 7) -> str:
    """Orders of November and the days around it, with amounts of many digits."""
    chance = random.Random(seed)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for number in range(rows):
        status = chance.choices(["executed", "pending", "cancelled", "failed"], [87, 3.5, 5.5, 4])[0]
        moment = f"2026-{chance.choice(['10-31', '11-01', '11-15', '11-30', '12-01'])}T"
        moment += chance.choice(["00:00:00Z", "23:59:59.999999Z", "12:00:00+02:00", "01:30:00+05:30"])
        writer.writerow(
            [
                f"F-{number}",
                f"S{chance.randrange(14)}",
                f"t{chance.randrange(12)}",
                chance.choice(["buy", "sell"]),
                f"{chance.randrange(1, 10**9)}.{chance.randrange(10**9):09}",
                f"0.{chance.randrange(1, 10**18):018}",
                status,
                moment,
            ]
        )
    return file.getvalue()


def slow_totals(text: str, first: str, last: str) -> dict[str, Any]:
    """The report's totals, one row after the other, by nothing that the report is made of."""
    volume: dict[str, Decimal] = defaultdict(Decimal)
    counts: dict[str, int] = defaultdict(int)
    for row in csv.DictReader(io.StringIO(text)):
        day = datetime.fromisoformat(row["ordered_at"]).astimezone(UTC).date().isoformat()
        if not first <= day <= last:
            continue
        counts[row["status"]] += 1
        if row["status"] == "executed":
            counts[row["side"]] += 1
            for key in ("all", row["symbol"], row["trader"], day):
                volume[key] += Decimal(row["quantity"]) * Decimal(row["price"])
    return {"counts": dict(counts), "volume": dict(volume)}


def test_a_file_is_recorded_and_reported_as_a_slow_reader_finds_it(client: TestClient) -> None:
    text = a_file(3000)
    recorded = client.post("/orders?create=yes", content=text, headers=CSV)
    assert (recorded.status_code, recorded.json()["added"]) == (201, 3000)

    report = client.get("/reports/trades?from=2026-11-01&to=2026-11-30").json()
    with localcontext(Context(prec=100)):
        found = slow_totals(text, "2026-11-01", "2026-11-30")

    statuses = {one["status"]: one["orders"] for one in report["statuses"]}
    assert {**statuses, "buy": report["overview"]["buys"], "sell": report["overview"]["sells"]} == found["counts"]
    assert Decimal(report["overview"]["volume"]) == found["volume"]["all"]
    for group in (*report["instruments"], *report["traders"]):
        assert Decimal(group["volume"]) == found["volume"][group.get("symbol") or group["name"]]
    days = {day["day"]: Decimal(day["volume"]) for day in report["days"] if day["orders"]}
    assert days == {key: one for key, one in found["volume"].items() if key.startswith("2026-")}
    assert (report["instruments_in_all"], len(report["instruments"])) == (14, 10)


def test_a_file_again_changes_nothing(client: TestClient) -> None:
    text = a_file(500)
    client.post("/orders?create=yes", content=text, headers=CSV)

    again = client.post("/orders", content=text, headers=CSV)

    assert (again.status_code, again.json()) == (200, {"received": 500, "added": 0, "changed": 0, "unchanged": 500})


def test_a_wrong_row_leaves_nothing_behind(client: TestClient) -> None:
    before = client.get("/orders?limit=1").json()["orders"][0]["order_id"]

    refused = client.post("/orders?create=yes", content=a_file(500) + "x,S1,t1,buy,0,1,executed,now\n", headers=CSV)

    assert refused.status_code == 422
    assert {(one["place"], one["field"]) for one in refused.json()["errors"]} == {
        ("line 502", "quantity"), ("line 502", "ordered_at"),
    }  # fmt: skip
    assert client.get("/orders?limit=1").json()["orders"][0]["order_id"] == before
    assert client.get("/instruments?symbol=S1").json()["instruments"] == []


def test_what_was_recorded_is_found_by_what_it_is(client: TestClient) -> None:
    client.post("/instruments", json={"instruments": [{"symbol": "MSFT", "sector": "Technology"}]})
    client.post("/traders", json={"traders": [{"name": "alice", "kind": "account"}]})
    order = {
        "reference": "A-1000", "symbol": "MSFT", "trader": "alice", "side": "buy", "quantity": 3, "price": "410.10",
        "status": "pending", "ordered_at": "2026-11-02T14:30:00-05:00",
    }  # fmt: skip
    assert client.post("/orders", json={"orders": [order]}).json()["added"] == 1
    assert client.post("/orders", json={"orders": [{**order, "status": "executed"}]}).json()["changed"] == 1

    (found,) = client.get("/orders?trader=alice&status=executed&from=2026-11-02&to=2026-11-03").json()["orders"]
    assert (found["reference"], found["total_value"], found["ordered_at"]) == (
        "A-1000", "1230.3", "2026-11-02T19:30:00Z",
    )  # fmt: skip
    assert client.get("/orders?trader=alice&to=2026-11-02T19:30:00Z").json()["orders"] == []


@contextmanager
def an_api(database: Database) -> Iterator[tuple[str, int]]:
    """Run the api as a process; yields its address and its process id."""
    port = free_port()
    environ = {
        **os.environ,
        "API_PORT": str(port), "LISTEN_HOST": "127.0.0.1", "LOG_LEVEL": "warning",
        "DATABASE_URL": database.url(READER), "DATABASE_PASSWORD": database.password(READER),
        "CLERK_PASSWORD": database.password(CLERK), "REDIS_URL": "redis://127.0.0.1:1/0",
        "HEALTH_TARGETS": "worker=http://127.0.0.1:1",
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "services.api"], env=environ)
    try:
        address = f"http://127.0.0.1:{port}"
        while not _answers(address) and process.poll() is None:
            pass
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/livez", timeout=1).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.slow
def test_the_command_line_records_a_file_and_prints_the_report(database: Database) -> None:
    with an_api(database) as (address, _):
        environ = {**os.environ, "API_PORT": address.rpartition(":")[2]}

        def said(*arguments: str, file: str = "") -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-m", "services.api.command", *arguments]
            return subprocess.run(command, input=file, env=environ, capture_output=True, text=True, check=False)

        refused = said("import", "orders", file=a_file(3))
        recorded = said("import", "orders", "--create", file=a_file(300))
        report = said("report", "2026-11-01", "2026-11-30")

    assert refused.returncode == 1
    assert "line 2, symbol: instrument" in refused.stderr
    assert recorded.stdout == "300 orders: 300 added, 0 changed, 0 unchanged\n"
    assert "Period:       2026-11-01 to 2026-11-30" in report.stdout


@pytest.mark.slow
def test_two_files_of_100_000_rows_at_once_fit_into_the_container(database: Database) -> None:
    text = a_file(100_000)

    with an_api(database) as (address, pid), ThreadPoolExecutor(2) as pool:
        answers = list(
            pool.map(
                lambda _: requests.post(f"{address}/orders?create=yes", data=text, headers=CSV, timeout=120), range(2)
            )
        )
        peak = int(Path(f"/proc/{pid}/status").read_text(encoding="ascii").partition("VmHWM:")[2].split()[0]) * 1024
        health = requests.get(f"{address}/livez", timeout=5).status_code

    assert [answer.status_code for answer in answers] in ([200, 201], [201, 200]), [one.text for one in answers]
    assert sorted(answer.json()["added"] for answer in answers) == [0, 100_000]
    assert peak < LIMIT_BYTES
    assert health == 200
