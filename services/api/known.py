"""What a page shows of parts that may be down: each is known, or it is said why not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from nightdesk.errors import UnavailableError
from nightdesk.problems import RequestError

PATIENCE_S: Final = 3.0
"""A page comes this late at worst, whatever is down."""

Value = TypeVar("Value")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known(Generic[Value]):
    """A value, or why there is none."""

    value: Value | None = None
    problem: str = ""

    def map(self, made: "Callable[[Value], Other]") -> "Known[Other]":
        """Return what is made of the value, where there is one."""
        return Known(value=None if self.value is None else made(self.value), problem=self.problem)


async def known(asking: Awaitable[Value], what: str, within_s: float = PATIENCE_S) -> Known[Value]:
    """Return what is answered in time; ``what`` is asked is named where nothing is."""
    try:
        return Known(value=await asyncio.wait_for(asking, within_s))
    except UnavailableError as error:
        return Known(problem=str(error))
    except RequestError as error:
        return Known(problem=f"{what} refuses: {'; '.join(one.detail for one in error.errors)}")
    except TimeoutError:
        return Known(problem=f"{what} did not answer within {within_s:g} s")
