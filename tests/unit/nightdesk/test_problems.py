import pytest

from nightdesk.problems import MEDIA_TYPE
from tests.unit.services.api.desk import FakeStore, a_client, away


def test_every_wrong_field_is_named_at_once() -> None:
    answer = a_client().get("/bars", params={"limit": "0", "interval": "2m", "nonsense": "1"})

    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in problem["errors"]} == {"symbol", "limit", "interval", "nonsense"}
    assert all(error["place"] == "query" for error in problem["errors"])
    assert problem["detail"].count(";") == 3


def test_an_unknown_path_is_a_problem_that_helps() -> None:
    answer = a_client().get("/bar")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no /bar; /docs lists what there is"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_method_that_is_not_answered_says_which_is(method: str) -> None:
    answer = a_client().request(method, "/symbols")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert answer.headers["content-type"] == "application/problem+json"


def test_all_that_a_path_answers_is_said_though_each_method_is_a_route_of_its_own() -> None:
    assert a_client().put("/silences").headers["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["/symbols", "/ticks/latest", "/bars?symbol=BTCUSDT", "/gaps"])
def test_a_database_that_is_away_is_said_so_with_when_to_try_again(path: str) -> None:
    answer = a_client(store=away()).get(path)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["detail"] == "the database does not answer"


def test_the_unexpected_tells_nothing_of_its_inside() -> None:
    answer = a_client(store=FakeStore(error=RuntimeError("password=hunter2"))).get("/symbols")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text


def test_a_body_that_is_too_large_is_a_problem_document() -> None:
    answer = a_client(token="t").post("/login", data={"token": "x" * 100_000})

    assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)


def test_a_reason_of_our_own_is_told_without_the_name_of_its_class() -> None:
    answer = a_client().get("/reports/trades", params={"from": "20261101"})

    assert answer.json()["detail"] == "from: must be a day such as 2026-11-01"
