"""Errors as problem documents (RFC 9457), which name the field at fault."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from nightdesk.errors import UnavailableError

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_S: Final = 5
METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
Handler: TypeAlias = Callable[[Request, Exception], JSONResponse]
Shown: TypeAlias = Callable[[Request, JSONResponse], Response]

CONTENT: Final[dict[str, Any]] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="name of the parameter", examples=["limit"])
    place: str = Field(description="where it was given", examples=["query"])
    detail: str = Field(description="what is wrong with it", examples=["Input should be less than or equal to 5000"])


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: str = Field("about:blank", description="kind of problem; about:blank means as `title` says")
    title: str = Field(description="the status in words", examples=["Unprocessable Content"])
    status: int = Field(description="the HTTP status", examples=[422])
    detail: str = Field(description="one readable line", examples=["limit: Input should be less than or equal to 5000"])
    errors: list[FieldProblem] = Field(default_factory=list, description="the fields at fault, all at once")


class RequestError(Exception):
    """A request that cannot be answered as asked; ``errors`` name the fields."""

    def __init__(self, status: HTTPStatus, errors: Sequence[FieldProblem]) -> None:
        super().__init__(status.phrase)
        self.status = status
        self.errors = list(errors)


def wrong_field(status: HTTPStatus, field: str, detail: str) -> RequestError:
    """Return the error for one query parameter."""
    return RequestError(status, [FieldProblem(field=field, place="query", detail=detail)])


def problem(
    status: int,
    detail: str,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return a problem document."""
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    body = Problem(type="about:blank", title=title, status=status, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status, dict(headers or {}), media_type=MEDIA_TYPE)


def install(app: FastAPI, shown: Shown = lambda _request, answer: answer) -> None:
    """Answer every error of the application with a problem document, as ``shown`` shows it to who asked."""
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, _showing(handler, shown))


def _showing(handler: Handler, shown: Shown) -> Callable[[Request, Exception], Response]:
    return lambda request, error: shown(request, handler(request, error))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    found = [_field(one) for one in error.errors()] if isinstance(error, RequestValidationError) else []
    return problem(422, _listed(found), found)


def _unanswerable(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestError):
        raise error
    return problem(error.status, _listed(error.errors), error.errors)


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    detail, headers = str(error.detail), dict(error.headers or {})
    if error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"there is no {request.url.path}; /docs lists what there is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.url.path} does not answer {request.method}"
        headers["Allow"] = ", ".join(_allowed(request))
    return problem(error.status_code, detail, headers=headers)


def _allowed(request: Request) -> Iterator[str]:
    """Yield the methods that a path answers (RFC 9110, 15.5.6); a route knows its own only, and a path has several."""
    for method in METHODS:
        scope = {**request.scope, "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            yield method


def _unavailable(_request: Request, error: Exception) -> JSONResponse:
    return problem(503, str(error), headers={"Retry-After": str(RETRY_AFTER_S)})


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The route's template: the path itself may be a secret, as an acknowledge link's is.
    route = getattr(request.scope.get("route"), "path", "none")
    log.error("request.failed", route=route, kind=type(error).__name__, exc_info=error)
    return problem(500, "something unexpected happened; the log says what")


def _field(error: Mapping[str, Any]) -> FieldProblem:
    place, *names = (str(word) for word in error["loc"])
    return FieldProblem(
        field=".".join(names) or place, place=place, detail=str(error["msg"]).removeprefix("Value error, ")
    )


def _listed(errors: Sequence[FieldProblem]) -> str:
    return "; ".join(f"{one.field}: {one.detail}" for one in errors)


HANDLERS: Final[dict[type[Exception], Handler]] = {
    RequestValidationError: _invalid,
    RequestError: _unanswerable,
    HTTPException: _http,
    UnavailableError: _unavailable,
    Exception: _unexpected,
}


def responses(why: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return how a route describes its errors, by status: why each is given."""
    return {status: {"description": text, "content": CONTENT} for status, text in why.items()}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a description of an HTTP interface that knows what a problem document is."""
    schemas = schema.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    model = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update({**model.pop("$defs"), "Problem": model})
    return schema
