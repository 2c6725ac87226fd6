"""The api beside a real alerter: what fires is seen, acknowledged and silenced through it."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.testclient import TestClient

from services.api.app import compose
from tests.alerting.processes import Alerter, within
from tests.channel_server import ChannelServer
from tests.conftest import Database
from tests.integration.api.conftest import beside, settings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

HTML = {"Accept": "text/html"}
PATIENCE_S = 30.0


@pytest.fixture
def desk(seeded: Database, alerter: Alerter) -> Iterator[TestClient]:
    """The api, once it sees the alert that there is no Prometheus."""
    with TestClient(compose(settings(seeded, **beside(alerter)), CollectorRegistry())) as client:
        within(PATIENCE_S, lambda: alerts(client), "the alert fires")
        yield client


def alerts(client: TestClient) -> list[dict[str, Any]]:
    return list(client.get("/alerts?firing=true").json()["alerts"])


def link_of(channel: ChannelServer) -> str:
    """Return the path of the acknowledge link in the first message."""
    (message, *_) = channel.wait_for(1, PATIENCE_S)
    return urlsplit(message.json["acknowledge_url"]).path


def test_what_fires_is_seen_by_programs_and_people(desk: TestClient, channel: ChannelServer) -> None:
    channel.wait_for(1, PATIENCE_S)

    (one,) = alerts(desk)
    page = desk.get("/alerts", headers=HTML).text

    assert (one["name"], one["tier"]) == ("PrometheusUnreachable", "critical")
    assert one["summary"] in page
    assert "Nobody would be woken" not in page
    assert "sms <span" in page
    assert "not configured, not set: PUSHOVER_APP_TOKEN, PUSHOVER_USER_KEY" in page


def test_what_was_told_is_seen_with_its_deliveries(desk: TestClient, channel: ChannelServer) -> None:
    channel.wait_for(1, PATIENCE_S)

    def delivered() -> bool:
        history = desk.get(f"/alerts/{alerts(desk)[0]['alert_id']}").json()["notifications"]
        return [(one["channel"], one["state"]) for one in history[-1]["deliveries"]] == [("hook", "delivered")]

    within(PATIENCE_S, delivered, "the delivery is seen")
    assert "hook delivered" in desk.get("/alerts", headers=HTML).text


def test_health_has_what_fires_and_what_the_alerter_does(desk: TestClient) -> None:
    def parts() -> dict[str, Any] | None:
        found = {part["part"]: part for part in desk.get("/health").json()["parts"]}
        return found if found.get("alerts", {}).get("status") == "degraded" else None

    found = within(PATIENCE_S, parts, "health says that an alert fires")
    assert found["alerts"]["detail"] == "1 firing, 1 critical: PrometheusUnreachable"
    assert found["channels"]["detail"] == "configured: hook"
    assert {"alerter", "alerter/watch", "alerter/outbox", "alerter/state"} <= set(found)


def test_a_silence_is_made_listed_and_ended(desk: TestClient) -> None:
    form = {"match": "alertname=SymbolSilent,symbol=BTC.*", "hours": "2", "reason": "maintenance"}

    assert desk.post("/silences", data=form, headers=HTML, follow_redirects=False).status_code == 303
    (made,) = desk.get("/silences").json()["silences"]
    assert made["match"] == {"alertname": "SymbolSilent", "symbol": "BTC.*"}
    assert "alertname=SymbolSilent, symbol=BTC.*" in desk.get("/alerts", headers=HTML).text
    assert desk.delete(f"/silences/{made['silence_id']}").json()["active"] is False


def test_a_silence_that_was_ended_is_over(desk: TestClient) -> None:
    made = desk.post("/silences", json={"match": {"symbol": "ETH.*"}, "seconds": 3600}).json()

    desk.delete(f"/silences/{made['silence_id']}")

    assert made["silence_id"] not in [one["silence_id"] for one in desk.get("/silences").json()["silences"]]


def test_what_is_no_regular_expression_is_refused_in_the_alerters_words(desk: TestClient) -> None:
    answer = desk.post("/silences", json={"match": {"symbol": "("}, "seconds": 60})

    assert answer.status_code == 422
    assert "is no regular expression" in answer.json()["detail"]


def test_a_wrong_token_for_the_alerter_is_not_the_users_fault(seeded: Database, alerter: Alerter) -> None:
    wrong = beside(alerter) | {"alerter_token": SecretStr("wrong")}
    with TestClient(compose(settings(seeded, **wrong), CollectorRegistry())) as client:
        answer = client.get("/alerts")

    assert (answer.status_code, answer.json()["detail"]) == (503, "the alerter answers 401")


def test_looking_at_a_link_acknowledges_nothing_and_its_button_does(desk: TestClient, channel: ChannelServer) -> None:
    link = link_of(channel)

    for _ in range(3):  # as preview bots do
        page = desk.get(link)
        assert "Acknowledge: I look after it" in page.text
    assert alerts(desk)[0]["acknowledged_at"] is None

    assert "Acknowledged: #" in desk.post(link).text
    assert alerts(desk)[0]["acknowledged_by"] == "link"
    assert "nothing left to acknowledge" in desk.get(link).text
    assert "Nothing changed." in desk.post(link).text


def test_a_link_that_somebody_altered_is_none(desk: TestClient, channel: ChannelServer) -> None:
    link = link_of(channel)
    altered = link[:-1] + ("0" if link[-1] != "0" else "1")

    for answer in (desk.get(altered), desk.post(altered)):
        assert answer.status_code == 404
        assert "no acknowledge link of this desk" in answer.text


def test_without_the_alerter_the_rest_goes_on_and_with_it_all_is_back(desk: TestClient, alerter: Alerter) -> None:
    known = alerts(desk)
    alerter.kill()
    try:
        assert desk.get("/alerts").status_code == 503
        assert desk.get("/alerts", headers=HTML).status_code == 503
        assert desk.get("/symbols").status_code == 200
    finally:
        alerter.begin()
    assert [one["alert_id"] for one in alerts(desk)] == [one["alert_id"] for one in known]
