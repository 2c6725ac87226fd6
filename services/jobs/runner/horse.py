"""The process of one run. RQ's worker starts it anew for each: ``python -m services.jobs.runner.horse``.

It is started, not forked: a fork would take over locks that the worker's threads hold at that moment, and every library
that a job ever needed would be the worker's to carry. What it needs to know comes in the environment, secrets in files.
"""

import logging
import os
import random
import sys
from collections.abc import Mapping
from typing import Final

import structlog
from rq import Queue
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from nightdesk import logs, streams
from nightdesk.errors import ConfigurationError
from nightdesk.runs import QUEUE, Json
from nightdesk.settings import load
from nightdesk.store.runs import RunRows
from services.jobs.runner import catalogue
from services.jobs.runner.desks import connected, desk_of, worker_name
from services.jobs.runner.job import Progress
from services.jobs.runner.performing import Tail, attempt
from services.jobs.settings import JobsSettings

log = structlog.get_logger()

SERVICE: Final = "jobs"


def perform(run_id: int) -> None:
    """Claim a run and do it; what RQ calls. A run that another worker has, or that is over, is left alone."""
    try:
        do(run_id, os.environ)
    finally:
        logs.flush()  # RQ ends the process without a word


def do(run_id: int, environ: Mapping[str, str]) -> None:
    """Claim a run and do it, with settings from these variables; raises UnavailableError when it cannot be claimed."""
    settings = load(JobsSettings, environ)
    tail = Tail()
    logs.configure(SERVICE, settings, keep=tail.keep)
    rows = RunRows(lambda: connected(settings, "run"))
    worker = worker_name()
    claimed = rows.claim(run_id, worker, rows.now())
    if claimed is None:
        log.info("run.not_to_claim", run_id=run_id)
        return
    structlog.contextvars.bind_contextvars(run_id=run_id, job=claimed.job)

    def work(progress: Progress) -> Json:
        job = catalogue.load(claimed.task)
        desk = desk_of(claimed, settings, environ, progress, by_hand=False)
        return job.run(desk, catalogue.arguments(job, claimed.args))

    attempt(claimed, work, rows=rows, worker=worker, tail=tail, random=random.random())  # noqa: S311  jitter
    rows.close()


def main(environ: Mapping[str, str]) -> None:
    """Be the horse of the RQ worker that the environment names; ends the process."""
    from services.jobs.runner.worker import RunWorker  # noqa: PLC0415  it starts this module

    settings = load(JobsSettings, environ)
    logging.getLogger("rq.worker").setLevel(logging.WARNING)  # the run's own lines say it all
    password = settings.redis_password.get_secret_value() if settings.redis_password else None
    redis = streams.connect(settings.redis_url, password)
    worker = RunWorker.find_by_key(f"rq:worker:{environ['RQ_WORKER_ID']}", connection=redis, serializer=JSONSerializer)
    if worker is None:
        raise ConfigurationError(f"Redis knows no worker {environ['RQ_WORKER_ID']}")
    job = Job.fetch(environ["RQ_JOB_ID"], connection=redis, serializer=JSONSerializer)
    queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)
    execution = Execution.fetch(environ["RQ_EXECUTION_ID"], job.id, connection=redis)
    execution._job = job  # noqa: SLF001  as RQ's own spawned horses do
    worker.execution = execution
    worker.main_work_horse(job, queue)


if __name__ == "__main__":
    main(os.environ)
    sys.exit(0)
