"""What the proxy asks before it lets somebody through to what has no gate of its own."""

from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.api.access import own_path, refusal, wants_page

router = APIRouter(include_in_schema=False)

WANTED: Final = "x-forwarded-uri"
BY: Final = "x-forwarded-method"


@router.get("/gate")
async def gate(request: Request) -> Response:
    """Answer 204 to whoever brings the token or a session; send browsers to the login, and refuse programs."""
    if request.app.state.gate.admits(request):
        return Response(status_code=HTTPStatus.NO_CONTENT)
    if wants_page(request) and request.headers.get(BY, "GET") == "GET":
        wanted = own_path(unquote(request.headers.get(WANTED, "/").partition("?")[0]))
        return RedirectResponse(f"/login?{urlencode({'next': wanted})}", HTTPStatus.SEE_OTHER)
    raise refusal()
