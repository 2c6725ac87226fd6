import pytest

from tests.unit.services.api.desk import TOKEN, a_client, away

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing", 404, "There is no /nothing; /docs lists what there is."),
        ("/gaps?state=closed", 422, "State: "),
        ("/runs/7", 404, "There is no run 7."),
        ("/symbols/simulator/NONE", 404, "NONE is no stored symbol of feed simulator"),
    ],
)
def test_a_browser_is_told_in_words(path: str, status: int, words: str) -> None:
    answer = a_client().get(path, headers=HTML)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert words in answer.text
    assert answer.text.count("<h1>") == 1
    assert 'href="/"' in answer.text


@pytest.mark.parametrize("path", ["/gaps", "/runs", "/symbols", "/runs/7", "/symbols/simulator/BTCUSDT"])
def test_without_the_database_a_browser_is_asked_to_wait(path: str) -> None:
    answer = a_client(store=away()).get(path, headers=HTML)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "The database does not answer." in answer.text


@pytest.mark.parametrize("path", ["/nothing", "/gaps?state=closed", "/runs/7"])
def test_a_program_gets_a_problem_document(path: str) -> None:
    assert a_client().get(path).headers["content-type"] == "application/problem+json"


def test_what_was_asked_for_is_shown_as_text() -> None:
    assert "<script>" not in a_client().get("/<script>alert(1)</script>", headers=HTML).text


def test_who_is_not_logged_in_comes_to_the_form_first() -> None:
    answer = a_client(token=TOKEN).get("/runs/7", headers=HTML)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fruns%2F7")
