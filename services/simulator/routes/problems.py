"""Errors as ``application/problem+json`` (RFC 9457) that name the field."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class ProblemError(Exception):
    """Something the caller has to mend; ``field`` is what is wrong, "" when it is no field."""

    def __init__(self, status: int, detail: str, field: str = "") -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field


def problem(status: int, title: str, detail: str, errors: list[dict[str, str]]) -> JSONResponse:
    """Return the response that says what is wrong."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "errors": errors}
    return JSONResponse(body, status, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Make every refusal of the control interface a problem."""

    @app.exception_handler(ProblemError)
    async def _problem(_request: Request, error: ProblemError) -> JSONResponse:
        errors = [{"field": error.field, "message": error.detail}] if error.field else []
        return problem(error.status, "The request cannot be carried out", error.detail, errors)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": _field(one["loc"]), "message": str(one["msg"])} for one in error.errors()]
        detail = "; ".join(f"{one['field']}: {one['message']}" for one in errors)
        return problem(422, "The request is not valid", detail, errors)


def _field(location: tuple[object, ...]) -> str:
    inner = [str(part) for part in location if part not in {"body", "query", "path"}]
    return ".".join(inner) or "body"
