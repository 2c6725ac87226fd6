"""Errors as ``application/problem+json`` (RFC 9457) that name the field."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class ProblemError(Exception):
    """Something the caller has to mend; ``errors`` are pairs of field and message."""

    def __init__(self, status: int, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors))
        self.status = status
        self.errors = errors


def problem(status: int, title: str, detail: str, errors: list[dict[str, str]]) -> JSONResponse:
    """Return the response that says what is wrong."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": errors}
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make every refusal of the control interface a problem."""

    @app.exception_handler(ProblemError)
    async def _problem(_request: Request, error: ProblemError) -> JSONResponse:
        errors = [{"field": field, "message": message} for field, message in error.errors]
        return problem(error.status, "The request cannot be carried out", str(error), errors)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": _field(one["loc"]), "message": str(one["msg"])} for one in error.errors()]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
        return problem(422, "The request is not valid", detail, errors)


def _field(location: tuple[object, ...]) -> str:
    """Return the field's name; what follows it are the branches of a union and places in a list."""
    inner = [str(part) for part in location if part not in {"body", "query", "path"}]
    return inner[0] if inner else "body"
