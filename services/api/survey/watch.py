"""Survey the desk for ever, and say when its state changes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import structlog

from nightdesk.health import Status
from services.api.survey.survey import Survey
from services.api.survey.verdict import Verdict, line, verdict

log = structlog.get_logger()

EVERY_S: Final = 5.0


async def ticking() -> AsyncIterator[None]:
    """Yield at once and then every few seconds."""
    while True:
        yield
        await asyncio.sleep(EVERY_S)


async def watch(
    *, survey: Callable[[], Awaitable[Survey]], moved: Callable[[], None], ticks: AsyncIterator[None]
) -> None:
    """Make a survey every tick, so that rates are known when somebody asks; log when the state is another one."""
    last: Status | None = None
    async for _ in ticks:
        found = verdict(await survey())
        moved()
        if found.status is not last:
            _say(found, last)
            last = found.status


def _say(found: Verdict, last: Status | None) -> None:
    lines = [line(part) for part in found.parts if part.status is not Status.OK]
    log.info("health.changed", status=found.status.value, was=last and last.value, parts=lines)
