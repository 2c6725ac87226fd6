import asyncio
import json
from typing import Any

import pytest

from nightdesk.alerting import Acknowledge, Acknowledged, Alerts
from nightdesk.errors import UnavailableError
from nightdesk.problems import RequestError
from services.api.fetch import Answer, Question
from services.api.neighbour import Neighbour
from tests.unit.services.api.desk import ALERTERS_TOKEN, FakeNeighbour, missing

NO_ALERTS = {"alerts": [], "next": None}


def client(fake: Any, url: str = "http://alerter:9100") -> Neighbour:
    return Neighbour(name="alerter", url=url, token=ALERTERS_TOKEN, ask=fake)


class Saying:
    """Answers everything alike."""

    def __init__(self, status: int, body: bytes) -> None:
        self.answer = Answer(status=status, body=body)

    async def __call__(self, _question: Question) -> Answer:
        return self.answer


def test_it_asks_with_its_token_and_leaves_out_what_is_not_asked_for() -> None:
    fake = FakeNeighbour({("GET", "/alerts"): NO_ALERTS})

    found = asyncio.run(client(fake).get(Alerts, "/alerts", {"firing": True, "before": None, "limit": 5}))

    (question,) = fake.asked
    assert found.alerts == []
    assert (question.host, question.port, question.path) == ("alerter", 9100, "/alerts?firing=true&limit=5")
    assert question.headers == {"Authorization": f"Bearer {ALERTERS_TOKEN}"}
    assert question.body is None


def test_a_body_is_sent_as_json() -> None:
    fake = FakeNeighbour({("POST", "/alerts/7/ack"): {"alerts": [7]}})

    word = Acknowledge(by="me", note="on it")
    done = asyncio.run(client(fake).send(Acknowledged, "POST", "/alerts/7/ack", word))

    (question,) = fake.asked
    assert done.alerts == [7]
    assert json.loads(question.body or b"") == {"by": "me", "note": "on it"}
    assert (question.headers or {})["Content-Type"] == "application/json"


@pytest.mark.parametrize("status", [404, 422])
def test_what_the_alerter_refuses_is_refused_in_its_words(status: int) -> None:
    said = Saying(status, json.dumps(missing("there is no alert 7", status)).encode())

    with pytest.raises(RequestError) as caught:
        asyncio.run(client(said).get(Alerts, "/alerts/7"))
    assert caught.value.status == status
    assert [one.detail for one in caught.value.errors] == ["there is no alert 7"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"{}"),
        (200, b'{"alerts": 7, "next": null}'),
        (401, b"{}"),
        (404, b"not here"),
        (404, b"{}"),
        (422, b'{"errors": 7}'),
        (500, b"{}"),
        (503, b"{}"),
    ],
)
def test_any_other_answer_is_none(status: int, body: bytes) -> None:
    with pytest.raises(UnavailableError, match="alerter"):
        asyncio.run(client(Saying(status, body)).get(Alerts, "/alerts"))


def test_an_alerter_that_is_away_is_said_to_be() -> None:
    with pytest.raises(UnavailableError, match=r"^the alerter does not answer: no answer within 2 s$"):
        asyncio.run(client(FakeNeighbour(away=True)).get(Alerts, "/alerts"))


def test_where_there_is_no_alerter_that_is_said() -> None:
    with pytest.raises(UnavailableError, match="no alerter runs here"):
        asyncio.run(client(FakeNeighbour(), url="").get(Alerts, "/alerts"))
