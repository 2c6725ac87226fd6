from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs.digest.fingerprints import SHOWN_CHARACTERS, cleaned, normalised, of_event, of_text


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("order 42 failed after 3.5 s", "order <n> failed after <duration>"),
        ("503 from https://api.example/v1?x=1 (attempt 3/5)", "<n> from <url> (attempt <n>/<n>)"),
        ("no answer of 10.0.0.1:5432 in 30ms", "no answer of <address> in <duration>"),
        ("peer fe80::1:2:3 left", "peer <address> left"),
        ("run 3f2b8c1d-1111-2222-3333-444455556666 ended", "run <id> ended"),
        ("cannot open '/var/log/x y': No such file", "cannot open <text>: No such file"),
        ("file /var/log/app.log is gone", "file <path> is gone"),
        (r"file C:\logs\app.log is gone", "file <path> is gone"),
        ("since 2026-04-15 07:00:03.123 and 2026-04-15T07:00:03Z", "since <time> and <time>"),
        ("at 07:00:03", "at <time>"),
        ("hash deadbeef12 is not 0xFF", "hash <hex> is not <hex>"),
        ("ORD-12345 of trade_17, BTC2", "ORD-<n> of trade_<n>, BTC<n>"),
        ("12% above 1,000.5", "<n> above <n>"),
        ("can't reach the server's peer", "can't reach the server's peer"),
        ("facade of a decade", "facade of a decade"),
        ('"quoted" and more   blanks\n here', "<text> and more blanks here"),
        ("", ""),
    ],
)
def test_what_varies_is_replaced(text: str, shared: str) -> None:
    assert normalised(text) == shared


def test_errors_that_differ_only_in_what_varies_have_one_fingerprint() -> None:
    first = of_text("gateway", "Order ORD-1 rejected after 3 ms: 'too late'")
    second = of_text("gateway", "Order ORD-222 rejected after 40.5 ms: 'no money'")

    assert first.fingerprint == second.fingerprint
    assert first.sample != second.sample


def test_the_same_text_of_two_services_is_two_errors() -> None:
    assert of_text("gateway", "failed").fingerprint != of_text("engine", "failed").fingerprint


def raised(kind: str, *places: tuple[str, str], line: int = 1) -> dict[str, Any]:
    frames = [{"filename": path, "lineno": line, "name": name} for path, name in places]
    return {"exception": [{"exc_type": kind, "exc_value": "no such thing", "frames": frames}]}


OWN = ("/app/services/worker/app.py", "turn")
LIBRARY = ("/usr/lib/python3.13/site-packages/psycopg/cursor.py", "execute")


def test_an_exception_is_known_by_its_type_and_its_innermost_own_place() -> None:
    kinship = of_event("worker", "turn.failed", "", raised("KeyError", ("/app/main.py", "run"), OWN, LIBRARY))

    assert kinship.template == "turn.failed KeyError in worker/app.py:turn"
    assert "KeyError: no such thing" in kinship.sample


def test_an_exception_moves_with_its_lines_and_stays_the_same_error() -> None:
    first = of_event("worker", "turn.failed", "", raised("KeyError", OWN, line=10))
    second = of_event("worker", "turn.failed", "", raised("KeyError", OWN, line=99))

    assert first.fingerprint == second.fingerprint


def test_a_traceback_that_is_text_is_read_as_well() -> None:
    text = 'Traceback (most recent call last):\n  File "/app/a/b.py", line 3, in go\n    x()\nValueError: bad 7'

    assert of_event("jobs", "run.raised", "", {"exception": text}).template == "run.raised ValueError in a/b.py:go"


def test_without_an_exception_the_error_that_is_told_counts() -> None:
    refused = of_event("jobs", "archive.failed", "", {"error": "status 403 of 10.0.0.1", "day": "2026-11-19"})
    away = of_event("jobs", "archive.failed", "", {"error": "no answer"})

    assert refused.template == "archive.failed status <n> of <address>"
    assert refused.fingerprint != away.fingerprint
    assert "day=2026-11-19" in refused.sample


@pytest.mark.parametrize("exception", ["", [], [1], [{}], {"a": 1}, 7, [{"frames": "?"}], [{"frames": [1, {}]}], None])
def test_any_exception_field_gives_a_fingerprint(exception: object) -> None:
    assert len(of_event("jobs", "x.failed", "", {"exception": exception}).fingerprint) == 16


@pytest.mark.parametrize(
    "text", ["token=abc123", 'password: "hunter2"', "postgres://me:hunter2@db/x", "{'api_key': 'abc123'}"]
)
def test_credentials_are_in_no_sample_and_no_template(text: str) -> None:
    kinship = of_text("gateway", f"refused: {text}")

    assert "hunter2" not in kinship.sample + kinship.template
    assert "abc123" not in kinship.sample + kinship.template


@given(st.text(max_size=3000))
def test_any_text_has_a_fingerprint_that_can_be_stored(text: str) -> None:
    kinship = of_text("a", text)

    assert len(kinship.fingerprint) == 16
    for shown in (kinship.template, kinship.sample, cleaned(text)):
        assert len(shown) <= SHOWN_CHARACTERS
        assert "\0" not in shown
        shown.encode()


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False, min_value=0))
def test_numbers_never_tell_errors_apart(whole: int, broken: float) -> None:
    assert normalised(f"lost {whole} of 7") == "lost <n> of <n>"
    assert normalised(f"lost {broken:.3f} of 7") == "lost <n> of <n>"
