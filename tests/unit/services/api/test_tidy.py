import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.api.tidy import without_empty
from tests.unit.services.api.desk import a_client

HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("query", "tidy"),
    [
        ("", None),
        ("state=open", None),
        ("state=&feed=&symbol=BTC%2FUSD", "symbol=BTC%2FUSD"),
        ("state=", ""),
        ("state=+", ""),
        ("a=1&a=&a=2", "a=1&a=2"),
    ],
)
def test_empty_fields_are_left_out(query: str, tidy: str | None) -> None:
    assert without_empty(query) == tidy


@given(some.lists(some.tuples(some.text(min_size=1), some.text())))
def test_what_is_tidy_stays_as_it_is(fields: list[tuple[str, str]]) -> None:
    tidy = without_empty("&".join(f"{name}={value}" for name, value in fields))

    assert tidy is None or without_empty(tidy) is None


def test_a_form_with_empty_fields_leads_to_the_short_address() -> None:
    answer = a_client().get("/gaps?state=open&feed=&symbol=", headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "?state=open")


def test_whatever_the_path_a_browser_stays_here() -> None:
    assert a_client().get("//evil.example/?x=", headers=HTML).headers["location"] == "?"


def test_a_program_is_told_what_is_wrong() -> None:
    assert a_client().get("/gaps?state=").status_code == 422
