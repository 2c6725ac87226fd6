import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import requests

from nightdesk.errors import UnavailableError
from nightdesk.outbound import Answer, Received
from services.api.command import RefusedError, main

ENVIRON = {"API_PORT": "8000", "API_TOKEN": "sesame"}
COUNTS = json.dumps({"received": 1200, "added": 1000, "changed": 150, "unchanged": 50})


@dataclass
class FakeApi:
    """Answers every request alike, or not at all."""

    answer: str = ""
    status: int = 200
    away: bool = False
    asked: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self.away:
            raise requests.ConnectionError("nobody there")
        self.asked.append((method, url, body))
        self.headers = headers
        return Received(status_code=self.status, headers={}, content=self.answer.encode())


def said(api: FakeApi, *arguments: str, file: bytes = b"") -> str:
    return main(arguments, ENVIRON, api, lambda: file)


def test_the_report_is_printed_as_it_comes() -> None:
    api = FakeApi(answer="TRADE REPORT\n  (none)\n")

    assert said(api, "report", "2026-11-01", "2026-11-28") == "TRADE REPORT\n  (none)"
    assert api.asked == [
        ("GET", "http://127.0.0.1:8000/reports/trades?from=2026-11-01&to=2026-11-28&format=text", None)
    ]
    assert api.headers == {"Authorization": "Bearer sesame"}


def test_without_a_period_the_api_chooses() -> None:
    api = FakeApi()
    said(api, "report", "", "")

    assert api.asked[0][1].endswith("/reports/trades?format=text")


def test_a_file_is_posted_and_what_it_came_to_is_said() -> None:
    api = FakeApi(answer=COUNTS, status=201)

    assert said(api, "import", "orders", "--create", file=b"a,b\n") == (
        "1,200 orders: 1,000 added, 150 changed, 50 unchanged"
    )
    assert api.asked == [("POST", "http://127.0.0.1:8000/orders?create=yes", b"a,b\n")]
    assert api.headers["Content-Type"] == "text/csv"


def test_a_refusal_names_each_line_at_fault() -> None:
    errors = [{"place": "line 7", "field": "price", "detail": "'x' is no number"}]
    api = FakeApi(answer=json.dumps({"detail": "1 row is wrong of 9", "errors": errors}), status=422)

    with pytest.raises(RefusedError) as refusal:
        said(api, "import", "orders")

    assert str(refusal.value) == "1 row is wrong of 9\n  line 7, price: 'x' is no number"


@pytest.mark.parametrize("answer", ["", "<html>", "[]", "{}", '{"errors": 5, "detail": 1}'])
def test_a_refusal_that_cannot_be_read_is_told_by_its_status(answer: str) -> None:
    with pytest.raises(RefusedError, match="the api answers 502"):
        said(FakeApi(answer=answer, status=502), "report")


def test_an_api_that_is_away_is_said_so() -> None:
    with pytest.raises(UnavailableError, match="make up starts it"):
        said(FakeApi(away=True), "report")


def test_another_kind_is_refused() -> None:
    with pytest.raises(SystemExit):
        said(FakeApi(), "import", "cheese")
