"""Whatever a job returns is kept, or it is said why not."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk.plain_json import plain_json, storable


class Odd:
    def __str__(self) -> str:
        raise ValueError("it is odd")


CIRCLE: dict[str, object] = {}
CIRCLE["again"] = CIRCLE


def shown(value: object) -> object:
    return json.loads(plain_json({"it": value}))["it"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1.5, 1.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        ("a\0b", "a?b"),
        ("\\u0000", "\\u0000"),
        ("\ud800", "?"),
        ((1, None, True), [1, None, True]),
        ({(1, 2): {3}}, {"(1, 2)": [3]}),
        (datetime(2026, 3, 8, tzinfo=UTC), "2026-03-08 00:00:00+00:00"),
        (b"x", "b'x'"),
    ],
)
def test_a_value_is_said_in_json(value: object, expected: object) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("value", "why"),
    [(CIRCLE, "RecursionError"), (Odd(), "odd"), (10**5000, "ValueError")],
    ids=["circle", "odd", "long"],
)
def test_what_cannot_be_written_says_so(value: object, why: str) -> None:
    assert why in json.loads(plain_json({"it": value}))["unwritable"]


def test_what_is_too_large_says_how_large_and_begins() -> None:
    kept = json.loads(plain_json({"it": "x" * 500}, max_bytes=100))

    assert kept["too_large_bytes"] > 500
    assert kept["begins"].startswith('{"it": "xxx')


@given(st.text())
def test_any_text_can_be_kept(text: str) -> None:
    kept = storable(text)

    assert "\0" not in kept
    assert kept.encode().decode() == kept
    assert len(kept) == len(text)


TREES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda below: st.lists(below) | st.dictionaries(st.text(st.characters()), below) | st.tuples(below, below),
    max_leaves=20,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(st.characters()), TREES))
def test_any_tree_becomes_json_that_postgresql_takes(tree: dict[str, object]) -> None:
    text = plain_json(tree)

    json.loads(text, parse_constant=pytest.fail)
    assert "\\u0000" not in text.replace("\\\\", "")
    assert json.dumps(json.loads(text), ensure_ascii=False).encode()
