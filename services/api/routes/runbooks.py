"""The runbooks as pages: what an alert means and what to do about it."""

import re
from itertools import count
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markdown_it import MarkdownIt
from starlette.exceptions import HTTPException

from services.api.access import for_pages
from services.api.layout import page
from services.api.templates import Html

router = APIRouter(include_in_schema=False)

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}")
_TO_ANOTHER: Final = re.compile(r'(<a href="[A-Za-z0-9]+)\.md(["#])')
"""Runbooks refer to each other as files do."""

_ELSEWHERE: Final = re.compile(r'<a href="\.\./([A-Za-z0-9/_-]+\.md)(?:#[^"]*)?">(.*?)</a>')
"""What else they refer to is in the source and not served."""


_TITLE: Final = re.compile(r"\A# .*\n")
"""A page has its title already."""

_TABLE: Final = re.compile(r"<table>.*?</table>", re.DOTALL)
_SUMMARY: Final = re.compile(r"^\*\*What it means\.\*\* (?P<words>.*?\.)(?:\s|$)", re.MULTILINE | re.DOTALL)


@router.get("/runbooks", dependencies=[Depends(for_pages)])
def runbooks(request: Request) -> Response:
    """List the runbooks, each with what it is about."""
    directory: Path = request.app.state.runbooks
    files = [file for file in sorted(directory.glob("*.md")) if _NAME.fullmatch(file.stem)]
    listed = [(file.stem, summary_of(file.read_text(encoding="utf-8"))) for file in files]
    return page(request, "runbooks.html", runbooks=listed)


@router.get("/runbooks/{name}", dependencies=[Depends(for_pages)])
async def runbook(request: Request, name: str) -> Response:
    """Show the runbook of an alert."""
    directory: Path = request.app.state.runbooks
    file = directory / f"{name}.md"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise HTTPException(404)
    text = _TITLE.sub("", file.read_text(encoding="utf-8"))
    return page(request, "runbook.html", name=name, text=html_of(text))


def html_of(text: str) -> Html:
    """Return Markdown as HTML; HTML in it is shown, not used. What is wide can be scrolled, by keyboard too."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    linked = _ELSEWHERE.sub(r"\2 (docs/\1)", _TO_ANOTHER.sub(r"\1\2", made))
    numbers = count(1)
    return Html(_TABLE.sub(lambda table: _scrolled(table[0], next(numbers)), linked))


def summary_of(text: str) -> str:
    """Return the first sentence of what a runbook's alert means."""
    found = _SUMMARY.search(text)
    return " ".join(found["words"].replace("`", "").split()) if found else ""


def _scrolled(table: str, number: int) -> str:
    return f'<div class="wide" tabindex="0" role="region" aria-label="Table {number}">{table}</div>'
