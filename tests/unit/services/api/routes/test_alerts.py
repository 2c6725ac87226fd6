import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from services.api.routes.alerts import silence_of
from tests.unit.services.api.alerts import LATER, a_channel, a_notification, a_silence, an_alert
from tests.unit.services.api.desk import TOKEN, FakeNeighbour, a_client

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
FORM = {"match": "alertname=SymbolSilent,symbol=BTC.*", "hours": "2", "reason": "maintenance"}


def an_alerter(**changes: Any) -> FakeNeighbour:
    answers: dict[tuple[str, str], Any] = {
        ("GET", "/alerts"): {"alerts": [an_alert(13), an_alert(12, ended_at=LATER, state="ended")], "next": 12},
        ("GET", "/alerts/12"): an_alert() | {"notifications": [a_notification()]},
        ("GET", "/notifications"): {"notifications": [a_notification()], "next": None},
        ("GET", "/silences"): {"silences": [a_silence()]},
        ("GET", "/channels"): {"channels": [a_channel()]},
        ("POST", "/alerts/12/ack"): {"alerts": [12, 14]},
        ("POST", "/silences"): a_silence(),
        ("DELETE", "/silences/3"): a_silence(active=False),
    }
    return FakeNeighbour(answers, **changes)


def sent(alerter: FakeNeighbour) -> Any:
    """Return the body of the one request."""
    (question,) = alerter.asked
    return json.loads(question.body or b"null")


# --- programs ---


def test_a_program_gets_alerts_as_json() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).get("/alerts?firing=true&limit=5&before=20")

    assert [one["alert_id"] for one in answer.json()["alerts"]] == [13, 12]
    assert answer.json()["next"] == 12
    assert alerter.asked[0].path == "/alerts?firing=true&before=20&limit=5"


def test_an_alert_comes_with_its_history() -> None:
    answer = a_client(alerter=an_alerter()).get("/alerts/12")

    assert answer.json()["notifications"][0]["title"] == "BTC-USD is silent"


def test_an_alert_that_is_not_there_is_404_in_the_alerters_words() -> None:
    answer = a_client(alerter=FakeNeighbour()).get("/alerts/7")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "x: it is not there"


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "before=0", "before=x", "firing=perhaps", "tier=critical"])
def test_a_wrong_question_is_not_passed_on(query: str) -> None:
    alerter = an_alerter()

    assert a_client(alerter=alerter).get(f"/alerts?{query}").status_code == 422
    assert alerter.asked == []


def test_a_program_acknowledges_with_a_word_or_without() -> None:
    named, unnamed = an_alerter(), an_alerter()

    answer = a_client(alerter=named).post("/alerts/12/ack", json={"by": "me", "note": "on it"})
    assert answer.json() == {"alerts": [12, 14]}
    assert sent(named) == {"by": "me", "note": "on it"}
    assert a_client(alerter=unnamed).post("/alerts/12/ack").status_code == 200
    assert sent(unnamed) == {"by": "api", "note": ""}


def test_a_program_silences_lists_and_ends() -> None:
    alerter = an_alerter()
    client = a_client(alerter=alerter)

    made = client.post("/silences", json={"match": {"symbol": "BTC.*"}, "seconds": 60})
    assert (made.status_code, made.json()["silence_id"]) == (201, 3)
    assert sent(alerter) == {"match": {"symbol": "BTC.*"}, "seconds": 60.0, "by": "api", "reason": ""}
    assert client.get("/silences?ended=true").json()["silences"][0]["reason"] == "maintenance"
    assert client.delete("/silences/3").json()["active"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/silences", {}),
        ("/silences", {"match": {}, "seconds": 60}),
        ("/silences", {"match": {"not a label": "x"}, "seconds": 60}),
        ("/silences", {"match": {"symbol": "x"}, "seconds": 0}),
        ("/silences", {"match": {"symbol": "x"}, "seconds": 60, "for": 1}),
        ("/silences", []),
        ("/alerts/12/ack", {"by": ""}),
        ("/alerts/12/ack", {"note": "a\nb"}),
        ("/alerts/0/ack", {}),
    ],
)
def test_a_wrong_body_is_named_and_not_passed_on(path: str, body: object) -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post(path, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert alerter.asked == []


def test_a_body_that_is_no_json_is_refused() -> None:
    answer = a_client(alerter=an_alerter()).post(
        "/silences", content=b"{", headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 422


@pytest.mark.parametrize(("method", "path"), [("get", "/alerts"), ("get", "/silences"), ("post", "/alerts/12/ack")])
def test_without_the_alerter_a_program_is_told_to_come_back(method: str, path: str) -> None:
    answer = a_client(alerter=an_alerter(away=True)).request(method, path)

    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.headers["retry-after"] == "5"
    assert "the alerter does not answer" in answer.json()["detail"]


# --- browsers ---


def page_of(client: TestClient, path: str = "/alerts") -> str:
    return str(client.get(path, headers=HTML).text)


def test_a_browser_gets_a_page_that_loads_no_script() -> None:
    answer = a_client(alerter=an_alerter()).get("/alerts", headers=HTML)

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" not in answer.text
    assert "style=" not in answer.text


def test_the_page_pages_back() -> None:
    alerter = an_alerter()

    assert 'href="/alerts?before=12"' in page_of(a_client(alerter=alerter), "/alerts?before=20")
    assert "/alerts?before=20&limit=50" in [one.path for one in alerter.asked]


def test_who_is_logged_in_can_log_out_here_too() -> None:
    client = a_client(alerter=an_alerter(), token=TOKEN)
    client.post("/login", data={"token": TOKEN})

    assert 'action="/logout"' in page_of(client)
    assert 'action="/logout"' not in page_of(a_client(alerter=an_alerter()))


def test_without_the_alerter_the_page_says_that_nothing_is_known() -> None:
    answer = a_client(alerter=an_alerter(away=True)).get("/alerts", headers=HTML)

    assert answer.status_code == 503
    assert "The alerter does not answer" in answer.text
    assert "Nothing is known of what fires." in answer.text


def test_a_button_acknowledges_and_leads_back() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post("/alerts/12/ack", data={"x": "y"}, headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts#firing")
    assert sent(alerter) == {"by": "the alerts page", "note": ""}


def test_the_form_makes_a_silence_and_leads_back() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post("/silences", data=FORM, headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts#silences")
    assert sent(alerter) == {
        "match": {"alertname": "SymbolSilent", "symbol": "BTC.*"},
        "seconds": 7200.0,
        "by": "the alerts page",
        "reason": "maintenance",
    }


def test_a_button_ends_a_silence_and_leads_back() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post("/silences/3/end", data={}, headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts#silences")
    assert [(one.method, one.path) for one in alerter.asked] == [("DELETE", "/silences/3")]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"match": "SymbolSilent"}, "label=pattern"),
        ({"match": ""}, "label=pattern"),
        ({"hours": "two"}, "hours: write a number"),
        ({"hours": "nan"}, "seconds"),
        ({"hours": "-1"}, "seconds"),
        ({"hours": "1e9"}, "seconds"),
        ({"reason": "x" * 201}, "reason"),
        ({"match": "a b=c"}, "match"),
    ],
)
def test_a_form_that_makes_no_sense_is_answered_with_what_is_wrong(changes: dict[str, str], complaint: str) -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post("/silences", data=FORM | changes, headers=HTML)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert complaint in answer.text
    assert alerter.asked == []


@pytest.mark.parametrize("path", ["/alerts/7/ack", "/silences/7/end"])
def test_what_the_alerter_refuses_a_form_is_said_on_a_page(path: str) -> None:
    answer = a_client(alerter=FakeNeighbour()).post(path, data={"x": "y"}, headers=HTML)

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "it is not there" in answer.text


def test_a_form_while_the_alerter_is_away_is_answered_with_a_page() -> None:
    answer = a_client(alerter=an_alerter(away=True)).post("/alerts/12/ack", data={"x": "y"}, headers=HTML)

    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "Try again in a minute" in answer.text


def test_hours_may_be_a_part_of_one() -> None:
    assert silence_of(FORM | {"hours": "0.5"}).seconds == 1800.0
