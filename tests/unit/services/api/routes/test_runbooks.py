import re
from pathlib import Path

import pytest

from services.api.app import RUNBOOKS
from services.api.routes.runbooks import html_of, summary_of
from tests.unit.services.api.desk import a_client


@pytest.fixture
def runbooks(tmp_path: Path) -> Path:
    directory = tmp_path / "runbooks"
    directory.mkdir()
    (directory / "FeedSilent.md").write_text("# FeedSilent\n\n| a | b |\n| - | - |\n| `1` | 2 |\n\n<b>not bold</b>\n")
    (tmp_path / "secret.md").write_text("# secret")
    return directory


def test_a_runbook_is_a_page(runbooks: Path) -> None:
    answer = a_client(runbooks=runbooks).get("/runbooks/FeedSilent")

    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>FeedSilent</h1>" in answer.text
    assert "<td><code>1</code></td>" in answer.text
    assert "&lt;b&gt;not bold&lt;/b&gt;" in answer.text


@pytest.mark.parametrize("name", ["Nothing", "..%2fsecret", "../secret", "FeedSilent.md", "Feed%00Silent", "a/b"])
def test_anything_else_is_not_there(runbooks: Path, name: str) -> None:
    assert a_client(runbooks=runbooks).get(f"/runbooks/{name}").status_code == 404


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x](Other.md)", '<a href="Other">x</a>'),
        ("[x](Other.md#look)", '<a href="Other#look">x</a>'),
        ("[sizing](../sizing.md#disk)", "sizing (docs/sizing.md)"),
        ("[x](https://example.com/a.md)", '<a href="https://example.com/a.md">x</a>'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
    ],
)
def test_runbooks_refer_to_each_other(text: str, shown: str) -> None:
    assert html_of(text) == f"<p>{shown}</p>\n"


@pytest.mark.parametrize("file", sorted(RUNBOOKS.glob("*.md")), ids=lambda file: file.stem)
def test_every_runbook_that_is_delivered_is_served(file: Path) -> None:
    answer = a_client().get(f"/runbooks/{file.stem}")

    assert answer.status_code == 200
    assert f"<h1>{file.stem}</h1>" in answer.text
    assert all((RUNBOOKS / f"{name}.md").exists() for name in re.findall(r'<a href="(\w+)"', answer.text))
    assert '<a href="..' not in answer.text


def test_the_list_says_what_each_alert_means(runbooks: Path) -> None:
    (runbooks / "DiskFull.md").write_text("# DiskFull\n\n**What it means.** The `disk` is\nfull. Soon.\n")

    text = a_client(runbooks=runbooks).get("/runbooks").text

    assert '<a href="/runbooks/DiskFull"><strong>DiskFull</strong> <span>The disk is full.</span></a>' in text
    assert "secret" not in text


@pytest.mark.parametrize("file", sorted(RUNBOOKS.glob("*.md")), ids=lambda file: file.stem)
def test_every_runbook_has_one_title_and_says_what_it_is_about(file: Path) -> None:
    assert a_client().get(f"/runbooks/{file.stem}").text.count("<h1>") == 1
    assert summary_of(file.read_text(encoding="utf-8"))


def test_a_wide_table_is_scrolled_by_keyboard_too() -> None:
    html = html_of("| a |\n| - |\n| b |\n")

    assert html.startswith('<div class="wide" tabindex="0" role="region" aria-label="Table 1"><table>')
