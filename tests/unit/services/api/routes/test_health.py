import pytest

from tests.unit.services.api.desk import a_client, a_survey


def test_health_names_every_part_with_its_age() -> None:
    answer = a_client().get("/health")

    body = answer.json()
    assert answer.status_code == 200
    assert (body["service"], body["status"], body["at"]) == ("api", "ok", "2026-01-01T00:00:00.000+00:00")
    assert {part["part"]: part["age_s"] for part in body["parts"]} == {"database": 0.0, "redis": 0.0}
    assert body["bottleneck"]["part"] is None


def test_health_is_503_when_a_part_is_down() -> None:
    answer = a_client(survey=a_survey(database_problem="the database does not answer")).get("/health")

    assert answer.status_code == 503
    assert answer.json()["status"] == "down"


def test_health_is_one_plain_line_a_part_for_who_asks_so() -> None:
    answer = a_client().get("/health?text=true")

    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.splitlines()[:2] == ["ok", "ok       database: answers in 1 ms (0.0 of 5 s)"]


def test_ready_means_the_database_answers() -> None:
    assert a_client().get("/readyz").status_code == 200
    assert a_client(survey=a_survey(database_problem="gone")).get("/readyz").status_code == 503


def test_alive_means_it_answers_at_all() -> None:
    assert a_client(survey=a_survey(database_problem="gone")).get("/livez").status_code == 200


@pytest.mark.parametrize(("path", "route"), [("/symbols", "/symbols"), ("/nothing/here", "none")])
def test_requests_are_counted_by_route_and_never_by_the_path_asked_for(path: str, route: str) -> None:
    client = a_client()
    client.get(path)

    assert f'nightdesk_api_requests_total{{route="{route}",' in client.get("/metrics").text


def test_progress_is_when_the_last_survey_was_made() -> None:
    assert 'nightdesk_progress_timestamp_seconds{service="api"} 1.7672256e+09' in a_client().get("/metrics").text


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz"])
def test_uptime_monitors_may_ask_with_head(path: str) -> None:
    assert a_client().head(path).status_code == 200
    assert a_client(survey=a_survey(database_problem="gone")).head("/health").status_code == 503
