"""The page behind an acknowledge link: whoever holds the link may use it, without a login.

Programs that preview links fetch them, so that looking changes nothing: the page has a button. The token is a secret:
no log has it.
"""

import re
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from nightdesk.alerting import Acknowledged, Link
from nightdesk.errors import UnavailableError
from nightdesk.problems import RequestError
from services.api.alerts_page import about_link, after_link
from services.api.neighbour import Neighbour
from services.api.templates import Html, fill, shown

router = APIRouter(prefix="/ack", include_in_schema=False)

USELESS: Final = "This link does not work"
_TOKEN: Final = re.compile(r"[0-9a-f-]{1,80}")


@router.get("/{token}")
async def look(request: Request, token: str) -> Response:
    """Say what the link is about."""
    alerter: Neighbour = request.app.state.alerter
    if not _TOKEN.fullmatch(token):
        return _useless("It is no acknowledge link.")
    try:
        link = await alerter.get(Link, f"/ack/{token}")
    except RequestError as error:
        return _useless(_why(error))
    except UnavailableError:
        return _away()
    return _answer(link.title, about_link(link, token))


@router.post("/{token}")
async def use(request: Request, token: str) -> Response:
    """Acknowledge what the link is about, and say how it is now."""
    alerter: Neighbour = request.app.state.alerter
    if not _TOKEN.fullmatch(token):
        return _useless("It is no acknowledge link.")
    try:
        done = await alerter.send(Acknowledged, "POST", f"/ack/{token}")
        link = await alerter.get(Link, f"/ack/{token}")
    except RequestError as error:
        return _useless(_why(error))
    except UnavailableError:
        return _away()
    return _answer(link.title, after_link(link, done.alerts))


def _why(error: RequestError) -> str:
    return "; ".join(one.detail for one in error.errors).capitalize() + "."


def _useless(why: str) -> Response:
    return _answer(USELESS, fill("parts/paragraph.html", text=why), HTTPStatus.NOT_FOUND)


def _away() -> Response:
    text = "The alerter does not answer, so that nothing could be acknowledged. Try again in a minute."
    return _answer("Not now", fill("parts/warning.html", text=text), HTTPStatus.SERVICE_UNAVAILABLE)


def _answer(title: str, body: Html, status: int = HTTPStatus.OK) -> Response:
    answer = shown(fill("notice.html", title=title, body=body), status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
