from typing import Any

from nightdesk.problems import MEDIA_TYPE
from tests.unit.services.api.desk import a_client


def operations() -> dict[str, dict[str, Any]]:
    schema: dict[str, Any] = a_client().get("/openapi.json").json()
    return {
        f"{method} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }


HEALTH = {"get /health", "get /livez", "get /readyz", "get /metrics"}
GUARDED = {
    "get /symbols", "get /ticks/latest", "get /bars", "get /gaps", "get /alerts", "get /alerts/{alert_id}",
    "post /alerts/{alert_id}/ack", "get /silences", "post /silences", "delete /silences/{silence_id}",
    "get /runs", "post /runs", "get /runs/{run_id}", "get /reports/logs/{day}",
    "get /reports/logs/{day}/{fingerprint}",
    "get /instruments", "post /instruments", "get /traders", "post /traders", "get /orders", "post /orders",
    "get /reports/trades",
    "get /reports", "get /reports/daily/{day}", "get /reports/daily/{day}/charts/{name}.svg",
    "get /reports/weekly/{day}",
}  # fmt: skip


def test_what_programs_can_ask_is_described() -> None:
    assert set(operations()) == HEALTH | GUARDED


def test_every_operation_has_a_summary_and_a_description() -> None:
    assert all(operation["summary"] and operation["description"] for operation in operations().values())


def test_every_parameter_has_a_description() -> None:
    for operation in operations().values():
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), parameter["name"]


def test_every_refusal_is_a_problem_document() -> None:
    for path, operation in operations().items():
        for status, response in operation["responses"].items():
            if status.startswith("4"):
                assert list(response["content"]) == [MEDIA_TYPE], (path, status)


def test_health_and_metrics_take_no_token() -> None:
    taking = {path for path, operation in operations().items() if "security" in operation}

    assert taking == GUARDED


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return dict(a_client().get("/openapi.json").json()["components"]["schemas"][name]) if name else schema


def test_what_takes_a_body_says_what_it_looks_like() -> None:
    bodies = {name: one["requestBody"] for name, one in operations().items() if "requestBody" in one}

    assert set(bodies) == {
        "post /alerts/{alert_id}/ack", "post /silences", "post /runs", "post /instruments", "post /traders",
        "post /orders",
    }  # fmt: skip
    for body in bodies.values():
        schema = resolved(body["content"]["application/json"]["schema"])
        assert all(field["description"] for field in schema["properties"].values())


def test_nothing_refers_to_what_is_not_there() -> None:
    schema = a_client().get("/openapi.json").json()
    known = set(schema["components"]["schemas"])

    def referred(node: Any) -> set[str]:
        if isinstance(node, dict):
            here = {node["$ref"].rsplit("/", 1)[1]} if "$ref" in node else set()
            return here.union(*(referred(value) for value in node.values()))
        return set().union(*(referred(value) for value in node)) if isinstance(node, list) else set()

    assert referred(schema) <= known
    assert "HTTPValidationError" not in known
