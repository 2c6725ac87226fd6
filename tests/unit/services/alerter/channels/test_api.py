"""Calls to somebody's HTTP interface, and what is told of those that fail."""

import json

import pytest
import requests
from urllib3.exceptions import LocationParseError, ReadTimeoutError

from nightdesk.outbound import OverdueError, UnboundedError
from services.alerter.channel import Reason, TransientError
from services.alerter.channels.api import Api
from tests.unit.services.alerter.channels.examples import NOW_S, FakeAnswer, FakeApi, answering

SECRET = "https://somebody:pAsSwOrD@hooks.example/services/T0AAAA/sEcReT?key=kEyS"
URL = SECRET


def an_api(fake: FakeApi) -> Api:
    return Api(fake, lambda: NOW_S, [SECRET])


def test_a_post_is_json() -> None:
    fake = FakeApi()
    an_api(fake).post(URL, {"text": "é"}, {"X-A": "b"})

    method, url, headers, body = fake.asked[0]
    assert (method, url) == ("POST", URL)
    assert headers == {"Content-Type": "application/json", "X-A": "b"}
    assert json.loads(body or b"") == {"text": "é"}


def test_a_question_has_no_body() -> None:
    fake = FakeApi()
    an_api(fake).get(URL)

    assert fake.asked == [("GET", URL, {}, None)]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (requests.ConnectTimeout(URL), Reason.TIMEOUT),
        (requests.ReadTimeout(URL), Reason.TIMEOUT),
        (OverdueError(URL), Reason.TIMEOUT),
        (requests.ConnectionError(ReadTimeoutError(None, URL, URL)), Reason.TIMEOUT),  # type: ignore[arg-type]
        (requests.ConnectionError(URL), Reason.CONNECTION),
        (requests.exceptions.SSLError(URL), Reason.CONNECTION),
        (requests.exceptions.ChunkedEncodingError(URL), Reason.CONNECTION),
        (ConnectionResetError(URL), Reason.CONNECTION),
        (LocationParseError(URL), Reason.CONNECTION),
        (UnboundedError(URL), Reason.UNEXPECTED_ANSWER),
    ],
)
def test_a_call_that_fails_tells_the_host_and_the_kind_of_failure_and_no_more(
    trouble: Exception, reason: Reason
) -> None:
    with pytest.raises(TransientError) as failed:
        an_api(answering(trouble)).post(URL, {})

    assert failed.value.reason is reason
    assert str(failed.value) == f"hooks.example: {type(trouble).__name__}"
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


def test_what_the_other_side_says_is_shown_in_one_short_line() -> None:
    said = an_api(FakeApi()).said(FakeAnswer(content=b" invalid_payload\n" + b"x" * 1000))

    assert said.startswith("invalid_payload xxx")
    assert len(said) == 160


@pytest.mark.parametrize(
    "echo",
    [
        SECRET,
        SECRET.replace("/", "\\/"),
        "path sEcReT",
        "SECRET",
        "login somebody pAsSwOrD",
        "key=kEyS",
        "https%3A%2F%2Fsomebody%3ApAsSwOrD%40hooks.example%2Fservices%2FT0AAAA%2FsEcReT",
    ],
)
def test_what_the_other_side_repeats_of_a_secret_is_not_shown(echo: str) -> None:
    said = an_api(FakeApi()).said(FakeAnswer(content=f"no such hook: {echo}".encode()))

    assert said.startswith("no such hook: ")
    for part in ("secret", "password", "t0aaaa", "keys", "somebody"):
        assert part not in said.lower()
