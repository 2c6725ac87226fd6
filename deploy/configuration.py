"""Check the files of ``config/`` as the services would read them: ``python -m deploy.configuration``."""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import exchange_calendars
from pydantic import ValidationError

from nightdesk.calendars import read_closures
from nightdesk.config_files import Location
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import read_feeds
from nightdesk.schedule_config import Schedule, read_schedule
from services.alerter.policy import read_policy
from services.jobs.digest.config import read_logs
from services.jobs.runner import catalogue


def wrong_jobs(schedule: Schedule) -> Iterator[tuple[Location, str]]:
    """Yield what only those know who have the jobs and the calendars: names that there are not, wrong arguments."""
    calendars = exchange_calendars.get_calendar_names(include_aliases=True)
    for name, entry in schedule.jobs.items():
        if entry.at is not None and entry.at.calendar not in calendars:
            yield ("jobs", name, "at"), f"there is no calendar {entry.at.calendar!r}; use a name such as XNYS or XLON"
        try:
            job = catalogue.load(entry.task(name))
        except ConfigurationError as error:
            yield ("jobs", name, "run"), str(error)
            continue
        try:
            job.Arguments.model_validate(entry.args)
        except ValidationError as error:
            yield from ((("jobs", name, "args", *place), text) for place, text in catalogue.wrong_arguments(error, job))


READERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "feeds.yaml": read_feeds,
    "calendars.yaml": read_closures,
    "alerts.yaml": read_policy,
    "logs.yaml": read_logs,
    "schedule.yaml": partial(read_schedule, also=wrong_jobs),
}


def problems_of(directory: Path) -> list[str]:
    """Return what is wrong in the directory, one text a file; a file that nobody reads is wrong as well."""
    found = [f"{directory / name}: no service reads this file" for name in _unread(directory)]
    for name, read in READERS.items():
        try:
            read(directory / name)
        except ConfigurationError as error:
            found.append(str(error))
    return found


def _unread(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.glob("*.yaml") if file.name not in READERS)


if __name__ == "__main__":
    wrong = problems_of(Path(__file__).resolve().parents[1] / "config")
    print("\n".join(wrong) or "every file of config/ can be read")
    sys.exit(1 if wrong else 0)
