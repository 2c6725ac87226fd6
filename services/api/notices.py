"""Errors as pages: a browser gets in words what a program gets as a problem document."""

from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from nightdesk.problems import FieldProblem, Problem
from services.api.access import wants_page
from services.api.layout import page

TITLES: Final = {
    400: "Not understood",
    401: "Log in first",
    403: "Not allowed",
    404: "Not here",
    405: "Not that way",
    422: "Not understood",
    429: "Too many wrong tokens",
    500: "Something went wrong",
    503: "Not now",
}
OF_THE_BODY: Final = frozenset({"content-length", "content-type"})
"""Headers of a problem document that a page has in its own way."""


def shown(request: Request, answer: JSONResponse) -> Response:
    """Return the answer as a page where a browser asks for one."""
    if not wants_page(request):
        return answer
    problem = Problem.model_validate_json(bytes(answer.body))
    notice = page(
        request,
        "problem.html",
        problem.status,
        title=TITLES.get(problem.status, problem.title),
        problem=problem,
        sentences=[_said(one) for one in problem.errors] or [problem.detail],
    )
    notice.headers.update({name: value for name, value in answer.headers.items() if name not in OF_THE_BODY})
    return notice


def _said(one: FieldProblem) -> str:
    """Return what is wrong with a field; of a path, which has no names, its own words say enough."""
    return one.detail if one.place == "path" else f"{one.field}: {one.detail}"
