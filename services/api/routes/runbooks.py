"""The runbooks as pages: what an alert means and what to do about it."""

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from markdown_it import MarkdownIt
from starlette.exceptions import HTTPException

from services.api.access import for_pages
from services.api.templates import Html, fill, shown

router = APIRouter(include_in_schema=False)

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}")
_TO_ANOTHER: Final = re.compile(r'(<a href="[A-Za-z0-9]+)\.md(["#])')
"""Runbooks refer to each other as files do."""

_ELSEWHERE: Final = re.compile(r'<a href="\.\./([A-Za-z0-9/_-]+\.md)(?:#[^"]*)?">(.*?)</a>')
"""What else they refer to is in the source and not served."""


@router.get("/runbooks/{name}", dependencies=[Depends(for_pages)])
async def runbook(request: Request, name: str) -> Response:
    """Show the runbook of an alert."""
    directory: Path = request.app.state.runbooks
    file = directory / f"{name}.md"
    if not _NAME.fullmatch(name) or not file.is_file():
        raise HTTPException(404)
    body = fill("parts/runbook.html", text=html_of(file.read_text(encoding="utf-8")))
    return shown(fill("notice.html", title=f"Runbook {name}", body=body))


def html_of(text: str) -> Html:
    """Return Markdown as HTML; HTML in it is shown, not used."""
    made = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return Html(_ELSEWHERE.sub(r"\2 (docs/\1)", _TO_ANOTHER.sub(r"\1\2", made)))
