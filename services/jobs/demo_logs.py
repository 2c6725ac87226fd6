"""Write a day of six services' logs, made up, and the week before it, so that there is something to compare it with.

They are text, below LOG_DIR in ``demo``, and ``config/logs.yaml`` says how they are read. The same seed writes the same
lines, which are loaded once however often they are written.
"""

from datetime import UTC, date, timedelta
from pathlib import Path

from pydantic import Field

from nightdesk.errors import ConfigurationError
from nightdesk.runs import Json
from services.jobs.digest.demo import SERVICES, Wish, lines_of
from services.jobs.runner import job
from services.jobs.runner.job import Desk


class Arguments(job.Arguments):
    """How much of it."""

    day: date | None = Field(None, description="UTC day with what is new; without one, yesterday")
    days: int = Field(8, ge=1, le=60, description="days that are written, that day the last of them")
    lines: int = Field(3000, ge=100, le=1_000_000, description="lines a service and day, roughly")
    malformed: float = Field(
        0.002, ge=0, le=1, description="share of lines that are cut short, binary or no lines at all"
    )
    seed: int = Field(7, ge=0, description="another one writes other lines, which are added")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Write them; raises ConfigurationError when there is no LOG_DIR."""
    if desk.settings.log_dir is None:
        raise ConfigurationError("LOG_DIR is not set: there is nowhere to write logs; set it to a directory")
    directory = desk.settings.log_dir / "demo"
    directory.mkdir(parents=True, exist_ok=True)
    last = arguments.day or desk.scheduled_for.astimezone(UTC).date() - timedelta(days=1)
    wish = Wish(lines=arguments.lines, malformed=arguments.malformed, seed=arguments.seed)
    written = 0
    for done, before in enumerate(reversed(range(arguments.days)), 1):
        day = last - timedelta(days=before)
        written += sum(_write(directory, service, day, before, wish) for service in SERVICES)
        desk.progress(done, arguments.days, "days")
    return {
        "directory": str(directory),
        "from": (last - timedelta(days=arguments.days - 1)).isoformat(),
        "to": last.isoformat(),
        "lines": written,
        "page": f"/reports/logs/{last}",
    }


def _write(directory: Path, service: str, day: date, before: int, wish: Wish) -> int:
    """Write one file, which is there whole or not at all; return its lines."""
    lines = list(lines_of(service, day, before, wish))
    draft = directory / f".{service}-{day}.draft"
    draft.write_bytes(b"".join(lines))
    draft.replace(directory / f"{service}-{day}.log")
    return len(lines)
