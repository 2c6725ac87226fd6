"""What comes with a request: JSON of a program, or a form of one of our own pages."""

from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

FORM: Final = "application/x-www-form-urlencoded"
MAX_FIELDS: Final = 10

Model = TypeVar("Model", bound=BaseModel)


def is_form(request: Request) -> bool:
    """Return whether a page's form was sent."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


async def form_of(request: Request) -> dict[str, str]:
    """Return a form's fields."""
    async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


async def json_of(request: Request, model: type[Model]) -> Model:
    """Return the JSON body, for which an empty object stands in when there is none.

    Raises RequestValidationError that names the fields at fault.
    """
    try:
        return model.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(found) from error


def described(model: type[BaseModel], *, required: bool) -> dict[str, Any]:
    """Return how a route describes the JSON that it takes."""
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": model.model_json_schema()}}}
    }
