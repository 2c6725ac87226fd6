import asyncio
from http import HTTPStatus

import pytest

from nightdesk.errors import UnavailableError
from nightdesk.problems import FieldProblem, RequestError
from services.api.known import Known, known


async def answered() -> int:
    return 7


async def failing(error: Exception) -> int:
    raise error


async def stuck() -> int:
    await asyncio.Event().wait()
    return 7


REFUSED = RequestError(HTTPStatus.NOT_FOUND, [FieldProblem(field="x", place="path", detail="it is not there")])


def test_what_is_answered_is_known() -> None:
    assert asyncio.run(known(answered(), "the database")) == Known(value=7)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (UnavailableError("the database does not answer"), "the database does not answer"),
        (REFUSED, "the alerter refuses: it is not there"),
    ],
)
def test_what_is_not_answered_is_said(error: Exception, problem: str) -> None:
    assert asyncio.run(known(failing(error), "the alerter")) == Known(problem=problem)


def test_nothing_is_waited_for_for_long() -> None:
    assert asyncio.run(known(stuck(), "the database", within_s=0.01)).problem == (
        "the database did not answer within 0.01 s"
    )


def test_a_mistake_of_ours_is_no_outage() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(known(failing(ZeroDivisionError()), "the database"))


def test_of_what_is_not_known_nothing_is_made() -> None:
    away: Known[int] = Known(problem="away")

    assert away.map(lambda value: value + 1) == Known(problem="away")
    assert Known(value=1).map(lambda value: value + 1) == Known(value=2)
