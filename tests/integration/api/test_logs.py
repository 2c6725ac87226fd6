"""The pages of logs, over a real database."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from services.api.app import compose
from services.jobs.digest.config import read_logs
from services.jobs.digest.loading import Loader
from services.jobs.digest.rows import LogRows
from tests.conftest import Database
from tests.integration.api.conftest import settings
from tests.integration.jobs.load_child import CONFIG
from tests.integration.jobs.test_log_loading import connected

pytestmark = [pytest.mark.integration, pytest.mark.slow]

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BROWSER = {"Accept": "text/html"}
DAY = "/reports/logs/2026-11-19"


@pytest.fixture
def reader(database: Database, tmp_path: Path) -> Iterator[Callable[[str], TestClient]]:
    """Load these lines and return a client."""
    (tmp_path / "demo").mkdir()
    with TestClient(compose(settings(database), CollectorRegistry())) as client:

        def make(lines: str) -> TestClient:
            (tmp_path / "demo" / "app.log").write_text(lines, encoding="utf-8")
            with connected(database) as connection:
                Loader(
                    LogRows(connection), read_logs(CONFIG), log_dir=tmp_path, now=NOW, progress=lambda *_: None
                ).load()
            return client

        yield make


def line(text: str, day: int = 19, second: int = 0, level: str = "ERROR") -> str:
    return f"2026-11-{day:02} 12:{second // 60:02}:{second % 60:02} [{level}] gateway: {text}\n"


def errors(client: TestClient, day: str = DAY) -> list[dict[str, Any]]:
    return list(client.get(day).json()["errors"])


def test_a_day_is_ranked_and_compared_with_the_week_before(reader: Callable[[str], TestClient]) -> None:
    before = "".join(line(text, day) for day in range(12, 19) for text in ("as ever", "then no more"))
    client = reader(before + line("as ever") + line("quite new", second=5))

    assert [(one["novelty"], one["template"], one["lines"]) for one in errors(client)] == [
        ("new", "quite new", 1), ("usual", "as ever", 1), ("gone", "then no more", 0),
    ]  # fmt: skip
    page = client.get(DAY, headers=BROWSER).text
    assert "1 new error, 1 gone" in page
    assert f'href="{DAY}/{errors(client)[0]["fingerprint"]}"' in page


def test_what_was_there_weeks_ago_is_back(reader: Callable[[str], TestClient]) -> None:
    client = reader(line("old trouble", 2) + line("something", 15, level="INFO") + line("old trouble"))

    (found,) = errors(client)
    assert (found["novelty"], found["first_day"]) == ("back", "2026-11-02")


def test_a_day_without_logs_is_a_page_that_says_so(reader: Callable[[str], TestClient]) -> None:
    answer = reader("").get("/reports/logs/2026-11-19", headers=BROWSER)

    assert answer.status_code == 200
    assert "No log of this day was loaded" in answer.text
    assert reader("").get("/reports/logs/2026-11-19").json()["has_logs"] is False


def test_an_error_leads_to_its_lines_newest_first_two_hundred_a_page(reader: Callable[[str], TestClient]) -> None:
    client = reader("".join(line(f"order {number} is lost", second=number) for number in range(450)))
    (found,) = errors(client)
    address = f"{DAY}/{found['fingerprint']}"

    pages: list[dict[str, Any]] = [client.get(address).json()]
    while pages[-1]["next"]:
        pages.append(client.get(address, params={"page": pages[-1]["next"]}).json())

    numbers = [int(one["message"].split()[1]) for page in pages for one in page["lines"]]
    assert numbers == list(reversed(range(450)))
    assert [len(page["lines"]) for page in pages] == [200, 200, 50]
    first = client.get(address, headers=BROWSER).text
    assert "450 lines" in first
    assert 'href="?page=2"' in first
    assert "order 449 is lost" in first


def test_lines_that_are_not_kept_any_more_are_said_to_be_so(
    reader: Callable[[str], TestClient], database: Database
) -> None:
    client = reader(line("order 7 is lost"))
    address = f"{DAY}/{errors(client)[0]['fingerprint']}"
    with database.connect() as connection:
        connection.execute("DELETE FROM log_events")

    page = client.get(address, headers=BROWSER).text
    assert "not kept any more" in page
    assert "order 7 is lost" in page


def test_an_error_of_the_day_before_leads_to_that_day(reader: Callable[[str], TestClient]) -> None:
    client = reader(line("order 7 is lost", 18))
    name = errors(client, "/reports/logs/2026-11-18")[0]["fingerprint"]

    page = client.get(f"{DAY}/{name}", headers=BROWSER).text
    assert "There was none that day" in page
    assert f'href="/reports/logs/2026-11-18/{name}"' in page


@pytest.mark.parametrize(
    ("path", "status"),
    [(f"{DAY}/0123456789abcdef", 404), (f"{DAY}/nothing", 422), (f"{DAY}/0123456789abcdef?page=0", 422),
     ("/reports/logs/yesterday", 422), ("/reports/logs/9999-12-31", 404), (f"{DAY}?format=xml", 422)],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(reader: Callable[[str], TestClient], path: str, status: int) -> None:
    assert reader("").get(path).status_code == status


def test_what_a_line_says_is_text_on_the_page(reader: Callable[[str], TestClient]) -> None:
    client = reader(line("<script>alert(1)</script>") + "<img src=x>\n")

    page = client.get(DAY, headers=BROWSER).text
    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_what_is_secret_in_another_programs_lines_is_on_no_page(
    reader: Callable[[str], TestClient], tmp_path: Path, accept: str
) -> None:
    (tmp_path / "broker").mkdir()
    facts = {"api_key": "hunter2", "inner": {"token": ["hunter2"]}, "message": "password=hunter2"}
    known = {"timestamp": "2026-11-19T12:00:00Z", "level": "error", "service": "broker"}
    torn = '{"timestamp": "2026-11-19T12:00:01Z", "password": "hunter2'
    (tmp_path / "broker" / "broker.jsonl").write_text(f"{json.dumps(known | facts)}\n{torn}\n", encoding="utf-8")
    client = reader("")
    (found,) = errors(client)

    pages = [client.get(path, headers={"Accept": accept}).text for path in (DAY, f"{DAY}/{found['fingerprint']}")]
    assert all("***" in page and "hunter2" not in page for page in pages)


def test_the_text_says_the_same(reader: Callable[[str], TestClient]) -> None:
    text = reader(line("quite new") + line("quiet", 18, level="INFO")).get(DAY, params={"format": "text"}).text

    assert "1 new error." in text
    assert "quite new" in text
