"""A job's word to a person, and what the alerter may answer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
import requests
from pydantic import SecretStr

from nightdesk.errors import ConfigurationError, NightdeskError, UnavailableError
from services.jobs.runner.desks import Notifier
from services.jobs.settings import JobsSettings


@dataclass
class Answer:
    """An HTTP answer."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Alerter:
    """Answers as it is told to, and keeps what it was sent."""

    status: int = 202
    content: bytes = b'{"alert_id": 7}'
    error: requests.RequestException | None = None
    asked: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append((method, url, headers, body))
        if self.error is not None:
            raise self.error
        return Answer(self.status, {}, self.content)


def settings(**changes: object) -> JobsSettings:
    values = {
        "database_url": "postgresql://a@b/c",
        "alerter_url": "http://alerter:9100/",
        "notifications_token": SecretStr("hush"),
        **changes,
    }
    return JobsSettings.model_validate(values)


def told(alerter: Alerter, **changes: object) -> int:
    notify = Notifier(settings(**changes), "preflight", alerter)
    return notify("warning", "title", "text", {"feed": "binance"}, "key")


def test_a_message_is_posted_with_the_token_and_the_job() -> None:
    alerter = Alerter()

    assert told(alerter) == 7
    ((method, url, headers, body),) = alerter.asked
    assert (method, url) == ("POST", "http://alerter:9100/notifications")
    assert headers["Authorization"] == "Bearer hush"
    assert json.loads(body) == {
        "level": "warning", "title": "title", "text": "text", "dedup_key": "key",
        "fields": {"job": "preflight", "feed": "binance"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("alerter", "error"),
    [
        (Alerter(status=503), UnavailableError),
        (Alerter(status=429), UnavailableError),
        (Alerter(error=requests.ConnectionError("no")), UnavailableError),
        (Alerter(status=401), ConfigurationError),
        (Alerter(status=422), ConfigurationError),
    ],
)
def test_an_answer_says_whether_trying_again_helps(alerter: Alerter, error: type[NightdeskError]) -> None:
    with pytest.raises(error) as caught:
        told(alerter)

    assert "hush" not in str(caught.value)


def test_without_a_token_nothing_is_sent() -> None:
    alerter = Alerter()
    with pytest.raises(ConfigurationError, match="NOTIFICATIONS_TOKEN"):
        told(alerter, notifications_token=None)

    assert alerter.asked == []
