import shlex
from functools import cache
from typing import Any

import pytest

from services.api.docs_page import Operation, kind_of, read
from tests.unit.services.api.desk import a_client


@cache
def schema() -> dict[str, Any]:
    return dict(a_client().get("/openapi.json").json())


def operations() -> dict[str, Operation]:
    _, groups = read(schema(), "http://desk:8000")
    return {f"{one.method} {one.path}": one for group in groups for one in group.operations}


def test_every_operation_is_there_once() -> None:
    served = {f"{method.upper()} {path}" for path, methods in schema()["paths"].items() for method in methods}

    assert set(operations()) == served


def test_an_example_is_one_line_for_a_shell() -> None:
    for one in operations().values():
        words = shlex.split(one.example)
        assert words[0] == "curl"
        assert words[-1].startswith("http://desk:8000/")
        assert "{" not in words[-1]


def test_an_example_has_what_is_required_and_the_token() -> None:
    found = operations()

    assert found["GET /health"].example == "curl http://desk:8000/health"
    assert found["GET /bars"].example == (
        "curl -H \"Authorization: Bearer $API_TOKEN\" 'http://desk:8000/bars?symbol=BTCUSDT'"
    )
    assert '-d \'{"job": "backfill_gaps"}\'' in found["POST /runs"].example


def test_parameters_and_fields_say_what_they_take() -> None:
    found = operations()
    limit = next(one for one in found["GET /bars"].parameters if one.name == "limit")
    job = next(one for one in found["POST /runs"].parameters if one.name == "job")

    assert (limit.kind, limit.place, limit.required) == ("integer 1 to 5000", "query", False)
    assert limit.about.endswith("(default 500)")
    assert (job.place, job.required) == ("body", True)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"$ref": "#/components/schemas/State"}, "open | filled"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "integer"),
        ({"type": "array", "items": {"type": "string"}}, "list of string"),
        ({"type": "string", "format": "date"}, "date"),
        ({}, "anything"),
    ],
)
def test_a_type_is_said_in_words(given: dict[str, Any], words: str) -> None:
    assert kind_of(given, {"State": {"enum": ["open", "filled"]}}) == words
