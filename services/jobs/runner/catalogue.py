"""Which jobs there are: every file of ``services/jobs`` with ``Arguments`` and ``run`` in it."""

import importlib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from nightdesk.errors import ConfigurationError
from nightdesk.runs import Json
from services.jobs.runner.job import Arguments, JobFile

HERE: Final = Path(__file__).resolve().parents[1]
NO_JOBS: Final = frozenset({"__init__", "__main__", "app", "hand", "settings"})
"""Files of the service itself."""


def names() -> list[str]:
    """Return the jobs' names, in order."""
    return sorted(file.stem for file in HERE.glob("*.py") if file.stem not in NO_JOBS)


def load(task: str) -> JobFile:
    """Return a job's file; raises ConfigurationError when there is none, or it is no job."""
    if task not in names():
        raise ConfigurationError(f"there is no job {task!r}: no file services/jobs/{task}.py; there are {_listed()}")
    module: Any = importlib.import_module(f"services.jobs.{task}")
    if not (hasattr(module, "Arguments") and callable(getattr(module, "run", None))):
        raise ConfigurationError(f"services/jobs/{task}.py is no job: it needs a class Arguments and a function run")
    job: JobFile = module
    return job


def arguments(job: JobFile, args: Json) -> Arguments:
    """Return what a job takes; raises ConfigurationError naming every wrong argument."""
    try:
        return job.Arguments.model_validate(dict(args))
    except ValidationError as error:
        raise ConfigurationError("\n".join(text for _, text in wrong_arguments(error, job))) from error


def wrong_arguments(error: ValidationError, job: JobFile) -> list[tuple[tuple[str | int, ...], str]]:
    """Return what is wrong, each with its place among the arguments."""
    found = []
    for one in error.errors(include_url=False, include_input=False):
        name = ".".join(str(step) for step in one["loc"])
        field = job.Arguments.model_fields.get(str(one["loc"][0])) if one["loc"] else None
        meaning = f" ({field.description})" if field is not None and field.description else ""
        known = (
            f"; it takes {', '.join(job.Arguments.model_fields) or 'none'}" if one["type"] == "extra_forbidden" else ""
        )
        found.append((one["loc"], f"{name}: {one['msg'].removeprefix('Value error, ')}{meaning}{known}"))
    return found


def _listed() -> str:
    return ", ".join(names())
