"""What a job is given, and what it is.

A job is a file ``services/jobs/<name>.py`` with two names in it: ``Arguments``, a model of what it takes, and
``run(desk, arguments)``, which does the work and returns its result, JSON. Its effects are at least once, so that
whatever it does, it can do again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from nightdesk.clock import Clock
from nightdesk.errors import NightdeskError
from nightdesk.feeds_config import FeedConfig
from nightdesk.outbound import Call
from nightdesk.runs import Json
from nightdesk.store.database import Connection
from services.jobs.settings import JobsSettings

Progress: TypeAlias = Callable[[float, float, str], None]
"""Say how far a job is: done, of how much in all, and of what, as in ``(120, 400, "trades of BTCUSDT")``."""

Notify: TypeAlias = Callable[[str, str, str, Mapping[str, str], str], int]
"""Tell the person: level (info, warning, critical), title, text, labelled lines, a key that makes it once a day.

The labelled line ``job`` is added. Returns the alert's number; raises UnavailableError when no alerter answers.
"""


class Arguments(BaseModel):
    """What a job takes; a model of its own says what more. Every field has a default and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class FindingError(NightdeskError):
    """The job did its work, and what it found is that something is wrong: trying again would find the same.

    ``result`` is kept as the run's.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, text: str, result: Json) -> None:
        super().__init__(text)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a job may use. Times are aware, in UTC.

    ``scheduled_for`` is the time the run is for, however late it runs: what day is closed follows from it, not from the
    clock. ``connect`` returns a new connection as the writer, in autocommit, whose name shows in ``pg_stat_activity``.
    ``call`` does one bounded HTTP call. ``by_hand`` is whether a person waits for it.
    """

    run_id: int
    job: str
    scheduled_for: datetime
    attempt: int
    by_hand: bool
    settings: JobsSettings
    feeds: Mapping[str, FeedConfig]
    clock: Clock
    random: Callable[[], float]
    connect: Callable[[str], Connection]
    call: Call
    progress: Progress
    notify: Notify


class JobFile(Protocol):
    """The two names in a job's file."""

    Arguments: type[Arguments]

    @staticmethod
    def run(desk: Desk, arguments: Any) -> Json:  # noqa: ANN401  each job's own model
        """Do the work."""
