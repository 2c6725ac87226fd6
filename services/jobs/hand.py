"""A job by hand: ``python -m services.jobs.hand backfill_gaps '{"symbol": "BTCUSDT"}'``; ``make run`` calls it.

It is a run like any other, written down and claimed, but done here, with a bar that says how far it is.
"""

import argparse
import json
import os
import random
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

from tqdm import tqdm

from nightdesk import logs
from nightdesk.errors import ConfigurationError, NightdeskError
from nightdesk.runs import Claimed, Ending, Json, Origin, Request, State
from nightdesk.schedule_config import Entry, read_schedule
from nightdesk.settings import load
from nightdesk.store.runs import RunRows
from services.jobs.runner import catalogue
from services.jobs.runner.desks import connected, desk_of, worker_name
from services.jobs.runner.job import Progress
from services.jobs.runner.performing import Tail, attempt
from services.jobs.settings import JobsSettings


class Bar:
    """Draws how far a job is, on a terminal's error output; elsewhere nothing."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None

    def show(self, done: float, total: float, what: str) -> None:
        """Take how far it is."""
        bar = self._bar or tqdm(disable=None, file=sys.stderr, unit_scale=True)
        bar.total, bar.n = total, done
        bar.set_description(what)
        self._bar = bar

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Do the job; print its result; 0 when it succeeded."""
    options = _parser().parse_args(arguments)
    settings = load(JobsSettings, environ)
    tail = Tail()
    with redirect_stdout(sys.stderr):  # the result alone is printed where a program may read it
        quiet = settings.model_copy(update={"log_level": "warning", "log_format": "console"})
        logs.configure("jobs", quiet, keep=tail.keep)
    entry, task = _entry(settings, options.job)
    job = catalogue.load(task)
    args = {**entry.args, **_args(options.args)}
    checked = catalogue.arguments(job, args)
    rows, worker = RunRows(lambda: connected(settings, "hand")), worker_name()
    claimed = _claimed(rows, _request(options.job, task, entry, args), worker)
    bar = Bar()

    def work(progress: Progress) -> Json:
        def both(done: float, total: float, what: str) -> None:
            bar.show(done, total, what)
            progress(done, total, what)

        return job.run(desk_of(claimed, settings, environ, both, by_hand=True), checked)

    ending = attempt(claimed, work, rows=rows, worker=worker, tail=tail, random=random.random())  # noqa: S311  jitter
    bar.close()
    rows.close()
    logs.flush()
    return _said(claimed, ending)


def _said(claimed: Claimed, ending: Ending) -> int:
    if ending.result is not None:
        print(json.dumps(ending.result, indent=2, default=str))  # noqa: T201  a command
    if ending.state is State.SUCCEEDED:
        return 0
    print(f"run {claimed.run_id} of {claimed.job} {ending.state.value}: {ending.error}", file=sys.stderr)  # noqa: T201
    return 1


def _claimed(rows: RunRows, wanted: Request, worker: str) -> Claimed:
    now = rows.now()
    run_id = rows.request(wanted, state=State.QUEUED, now=now)
    claimed = rows.claim(run_id, worker, rows.now())
    if claimed is None:
        raise ConfigurationError(f"run {run_id} was taken by a worker; GET /runs/{run_id} says how it goes")
    return claimed


def _entry(settings: JobsSettings, name: str) -> tuple[Entry, str]:
    """Return the schedule's entry of this name and its job's file; a file that it has not gets the defaults."""
    entry = read_schedule(settings.schedule_config).jobs.get(name)
    if entry is None:
        return Entry.model_validate({"on": "request"}), name
    return entry, entry.task(name)


def _request(job: str, task: str, entry: Entry, args: Json) -> Request:
    return Request(
        job=job,
        task=task,
        args=args,
        idempotency_key=None,
        origin=Origin.HAND,
        grace_s=entry.grace,
        max_age_s=entry.max_age,
        timeout_s=entry.timeout,
        attempts_allowed=1,
        backoff_s=entry.retry.backoff,
    )


def _args(text: str) -> dict[str, object]:
    """Return the arguments; raises ConfigurationError when the text is no JSON object."""
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigurationError(f"ARGS is no JSON: {error}; write for example ARGS='{{\"days\": 3}}'") from error
    if not isinstance(found, dict):
        raise ConfigurationError("ARGS is no JSON object; write for example ARGS='{\"days\": 3}'")
    return {name: value for name, value in found.items() if value != ""}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.jobs.hand", description="Do a job now, and wait for it.")
    parser.add_argument("job", help="an entry of the schedule, or a file of services/jobs")
    parser.add_argument("args", nargs="?", default="", help="a JSON object, over what the schedule says")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], os.environ))
    except NightdeskError as error:
        print(logs.redacted(str(error)), file=sys.stderr)  # noqa: T201  a command
        sys.exit(2)
