"""Another service as the api asks it: briefly, and with the token that it wants."""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from nightdesk.errors import UnavailableError
from nightdesk.problems import FieldProblem, RequestError
from services.api.fetch import Answer, Question, ask

ANSWER_S: Final = 2.0
REFUSED: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})

Model = TypeVar("Model", bound=BaseModel)
Ask: TypeAlias = Callable[[Question], Awaitable[Answer]]


async def briefly(question: Question) -> Answer:
    """Ask over the network; raises UnavailableError without an answer within two seconds."""
    return await ask(question, timeout_s=ANSWER_S)


class Neighbour:
    """Asks one service, which has a name; without an address there is none."""

    def __init__(self, *, name: str, url: str, token: str | None, ask: Ask = briefly) -> None:
        self._name = name
        self._address = urlsplit(url)
        self._token = token
        self._ask = ask

    async def get(self, model: type[Model], path: str, query: Mapping[str, object] | None = None) -> Model:
        """Return what stands at a path; raises as ``send`` does. What is None is not asked for."""
        wanted = {name: _written(value) for name, value in (query or {}).items() if value is not None}
        return await self.send(model, "GET", f"{path}?{urlencode(wanted)}" if wanted else path)

    async def send(self, model: type[Model], method: str, path: str, body: BaseModel | None = None) -> Model:
        """Return the answer to a request.

        Raises RequestError with the service's own words for what it refuses, and UnavailableError when it does not
        answer, or not as it should.
        """
        answer = await self._answer(method, path, None if body is None else body.model_dump_json().encode())
        if answer.status in REFUSED:
            raise self._refused(answer)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise UnavailableError(f"the {self._name} answers {answer.status}")
        try:
            return model.model_validate_json(answer.body)
        except ValidationError as error:
            raise UnavailableError(f"the {self._name}'s answer cannot be read") from error

    async def _answer(self, method: str, path: str, body: bytes | None) -> Answer:
        if not self._address.hostname:
            raise UnavailableError(f"no {self._name} runs here")
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        question = Question(
            host=self._address.hostname,
            port=self._address.port or 80,
            method=method,
            path=path,
            headers=headers,
            body=body,
        )
        try:
            return await self._ask(question)
        except UnavailableError as error:
            raise UnavailableError(f"the {self._name} does not answer: {error}") from error

    def _refused(self, answer: Answer) -> RequestError:
        try:
            errors = [FieldProblem.model_validate(one) for one in json.loads(answer.body)["errors"]]
        except (ValueError, KeyError, TypeError) as error:
            raise UnavailableError(f"the {self._name} answers {answer.status} and cannot be read") from error
        return RequestError(HTTPStatus(answer.status), errors)


def _written(value: Any) -> str:  # noqa: ANN401  whatever a query holds
    return str(value).lower() if isinstance(value, bool) else str(value)
