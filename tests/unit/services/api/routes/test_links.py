from typing import Any

import pytest
import structlog

from nightdesk.errors import UnavailableError
from services.api.fetch import Answer, Question
from tests.unit.services.api.alerts import an_alert
from tests.unit.services.api.desk import OUTSIDE, TOKEN, FakeNeighbour, a_client

LINK = "17-1767225600-0123456789abcdef0123456789abcdef"
ABOUT = {"title": "BTC is silent", "text": "Why it matters.", "alerts": [an_alert()], "open": True}
DONE = {"alerts": [12]}


def an_alerter(**changes: Any) -> FakeNeighbour:
    answers: dict[tuple[str, str], Any] = {("GET", f"/ack/{LINK}"): ABOUT, ("POST", f"/ack/{LINK}"): DONE}
    return FakeNeighbour(answers, **changes)


def test_looking_at_a_link_says_what_it_is_about_and_changes_nothing() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).get(f"/ack/{LINK}")

    assert answer.status_code == 200
    assert "<h1>BTC is silent</h1>" in answer.text
    assert "Why it matters." in answer.text
    assert answer.text.count("<button") == 1
    assert [one.method for one in alerter.asked] == ["GET"]


def test_the_button_acknowledges_and_says_how_it_is_now() -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).post(f"/ack/{LINK}")

    assert answer.status_code == 200
    assert "Acknowledged: #12." in answer.text
    assert [one.method for one in alerter.asked] == ["POST", "GET"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_needs_no_login_even_from_outside(method: str) -> None:
    client = a_client(alerter=an_alerter(), token=TOKEN)

    assert client.request(method, f"/ack/{LINK}", headers=OUTSIDE).status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_of_another_desk_or_too_old_a_one_is_said_so(method: str) -> None:
    answer = a_client(alerter=FakeNeighbour()).request(method, f"/ack/{LINK}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "This link does not work" in answer.text
    assert "It is not there." in answer.text


@pytest.mark.parametrize(
    "token", ["x", "17-1767225600-0123'", "<script>", "1" * 81, "a b", "%0d%0aX: y", "..%2falerts"]
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_no_link_is_not_passed_on(method: str, token: str) -> None:
    alerter = an_alerter()

    answer = a_client(alerter=alerter).request(method, f"/ack/{token}")

    assert answer.status_code == 404
    assert alerter.asked == []


@pytest.mark.parametrize("method", ["get", "post"])
def test_while_the_alerter_is_away_nobody_believes_it_was_acknowledged(method: str) -> None:
    answer = a_client(alerter=an_alerter(away=True)).request(method, f"/ack/{LINK}")

    assert answer.status_code == 503
    assert "nothing could be acknowledged" in answer.text


def test_a_link_is_kept_by_no_cache_and_found_by_no_search() -> None:
    answer = a_client(alerter=an_alerter()).get(f"/ack/{LINK}")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "noindex" in answer.text


class Broken(FakeNeighbour):
    """Fails as nobody foresaw, its token in the text."""

    async def __call__(self, question: Question) -> Answer:
        raise RuntimeError("unforeseen")


class Gone(FakeNeighbour):
    """Cannot be reached."""

    async def __call__(self, question: Question) -> Answer:
        raise UnavailableError("no answer")


@pytest.mark.parametrize("alerter", [Broken(), Gone(), FakeNeighbour(), an_alerter()])
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_the_token_of_a_link_gets_into_no_log(
    alerter: FakeNeighbour, method: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with structlog.testing.capture_logs() as logged:
        a_client(alerter=alerter).request(method, f"/ack/{LINK}")

    assert LINK not in f"{logged} {caplog.text} {capfd.readouterr()}"
