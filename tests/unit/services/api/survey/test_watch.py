import asyncio
from collections.abc import AsyncIterator

from structlog.testing import capture_logs

from services.api.survey.survey import Survey
from services.api.survey.watch import watch
from tests.unit.services.api.desk import a_survey


async def times(count: int) -> AsyncIterator[None]:
    for _ in range(count):
        yield


def watched(surveys: list[Survey]) -> tuple[list[tuple[object, object]], int]:
    """Return the changes that were logged and how often progress was said."""
    moves: list[None] = []
    waiting = iter(surveys)

    async def survey() -> Survey:
        return next(waiting)

    with capture_logs() as logs:
        asyncio.run(watch(survey=survey, moved=lambda: moves.append(None), ticks=times(len(surveys))))
    return [(one["was"], one["status"]) for one in logs], len(moves)


def test_only_a_change_is_logged() -> None:
    good, bad = a_survey(), a_survey(database_problem="the database does not answer")

    changes, moves = watched([good, good, bad, bad, good])

    assert changes == [(None, "ok"), ("ok", "down"), ("down", "ok")]
    assert moves == 5
