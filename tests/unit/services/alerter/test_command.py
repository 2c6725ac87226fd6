import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.outbound import Answer, Received
from services.alerter.command import RefusedError, Said, main

ENVIRON = {"ALERTER_TOKEN": "sesame", "METRICS_PORT": "9103"}
SILENCE = {
    "silence_id": 3,
    "match": {"alertname": "SymbolSilent", "symbol": "BTC.*"},
    "starts_at": "2026-01-05T10:00:00Z",
    "ends_at": "2026-01-05T12:00:00Z",
    "by": "command line",
    "reason": "maintenance",
    "active": True,
}


@dataclass
class FakeAlerter:
    """Answers every request alike, or not at all."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    away: bool = False
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        if self.away:
            raise requests.ConnectionError("nobody there")
        self.asked.append((method, url, None if body is None else json.loads(body)))
        self.headers = headers
        return Received(status_code=self.status, headers={}, content=json.dumps(self.answer).encode())


def a_result(channel: str, outcome: str, status: int | None = None, detail: str = "") -> dict[str, Any]:
    return {"channel": channel, "outcome": outcome, "status": status, "latency_s": 0.1234, "detail": detail}


def said(alerter: FakeAlerter, *arguments: str) -> Said:
    return main(arguments, ENVIRON, alerter)


def test_an_alert_is_acknowledged_with_a_note() -> None:
    alerter = FakeAlerter({"alerts": [12, 14]})

    assert said(alerter, "ack", "12", "--note", "on it") == Said("acknowledged: #12, #14")
    assert alerter.asked == [("POST", "http://127.0.0.1:9103/alerts/12/ack", {"by": "command line", "note": "on it"})]
    assert alerter.headers["Authorization"] == "Bearer sesame"


def test_what_was_acknowledged_before_is_said_to_be() -> None:
    assert "nothing changed" in said(FakeAlerter({"alerts": []}), "ack", "12").text


def test_matchers_are_silenced_for_a_while() -> None:
    alerter = FakeAlerter(SILENCE)

    text = said(alerter, "silence", "alertname=SymbolSilent,symbol=BTC.*", "2h", "--reason", "maintenance").text

    assert text == "silence 3 until 2026-01-05 12:00 UTC: alertname=SymbolSilent, symbol=BTC.*"
    assert alerter.asked == [
        (
            "POST",
            "http://127.0.0.1:9103/silences",
            {
                "match": {"alertname": "SymbolSilent", "symbol": "BTC.*"},
                "seconds": 7200.0,
                "by": "command line",
                "reason": "maintenance",
            },
        )
    ]


@pytest.mark.parametrize(("match", "length"), [("SymbolSilent", "2h"), ("symbol=BTC.*", "two hours")])
def test_what_cannot_be_read_is_asked_of_nobody(match: str, length: str) -> None:
    alerter = FakeAlerter(SILENCE)

    with pytest.raises(ConfigurationError, match="write"):
        said(alerter, "silence", match, length)
    assert alerter.asked == []


def test_silences_are_listed_in_columns() -> None:
    head, row = said(FakeAlerter({"silences": [SILENCE]}), "silences").text.splitlines()

    assert row == "3   2026-01-05 12:00 UTC  command line  alertname=SymbolSilent, symbol=BTC.*  maintenance"
    assert [row[head.index(name) :].split()[0] for name in head.split()] == [
        "3", "2026-01-05", "command", "alertname=SymbolSilent,", "maintenance",
    ]  # fmt: skip


def test_no_silence_is_said_plainly() -> None:
    assert said(FakeAlerter({"silences": []}), "silences") == Said("nothing is silenced")


def test_a_silence_is_ended() -> None:
    alerter = FakeAlerter(SILENCE)

    assert said(alerter, "unsilence", "3").text.startswith("silence 3 is over")
    assert alerter.asked == [("DELETE", "http://127.0.0.1:9103/silences/3", None)]


def test_a_test_that_arrives_everywhere_is_good() -> None:
    answer = {
        "channels": [a_result("slack-desk", "delivered", 200), a_result("sms", "not_configured", detail="not set: X")]
    }

    found = said(FakeAlerter(answer), "test")

    assert found.good
    assert [line.split() for line in found.text.splitlines()] == [
        ["channel", "outcome", "status", "ms"],
        ["slack-desk", "delivered", "200", "123"],
        ["sms", "not", "configured", "not", "set:", "X"],
    ]


@pytest.mark.parametrize("outcome", ["permanent", "rate_limited", "transient"])
def test_a_test_that_fails_on_one_channel_is_not_good(outcome: str) -> None:
    answer = {"channels": [a_result("slack-desk", "delivered", 200), a_result("pushover", outcome, 400, "refused")]}

    found = said(FakeAlerter(answer), "test")

    assert not found.good
    assert found.text.endswith("refused")


def test_without_any_channel_it_is_said_that_nobody_would_be_woken() -> None:
    found = said(FakeAlerter({"channels": [a_result("slack-desk", "not_configured", detail="not set: X")]}), "test")

    assert found.good
    assert "nobody would be woken" in found.text


def test_a_refusal_is_passed_on_in_its_own_words() -> None:
    alerter = FakeAlerter({"detail": "alert_id: there is no alert 7"}, status=404)

    with pytest.raises(RefusedError, match=r"^alert_id: there is no alert 7$"):
        said(alerter, "ack", "7")


def test_an_alerter_that_is_away_is_said_so_without_its_token() -> None:
    with pytest.raises(UnavailableError, match=r"^no alerter answers on 127\.0\.0\.1:9103$"):
        said(FakeAlerter(away=True), "silences")


def test_without_a_token_nothing_is_asked() -> None:
    with pytest.raises(ConfigurationError, match="ALERTER_TOKEN"):
        main(["silences"], {}, FakeAlerter())


@pytest.mark.parametrize("arguments", [[], ["shout"], ["ack"], ["ack", "twelve"], ["ack", "-1"], ["silence", "a=b"]])
def test_arguments_that_make_no_sense_end_with_the_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments, ENVIRON, FakeAlerter())
