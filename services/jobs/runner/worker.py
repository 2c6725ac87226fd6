"""RQ's worker, as the desk runs it: a process a run, stopped gently, back soon after Redis was away."""

import os
import signal
import sys

import structlog
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.executions import Execution
from rq.job import Job

log = structlog.get_logger()

HORSE: tuple[str, ...] = ("-m", "services.jobs.runner.horse")


class RunWorker(Worker):
    """Starts the process of each run by its module's name, so that no password is in its arguments."""

    max_connection_wait_time = 5
    """RQ doubles its pause up to a minute while Redis is away; the run that waits would be late by as much."""

    def fork_work_horse(self, job: Job, queue: Queue) -> None:  # noqa: ARG002  RQ's own signature
        """Start the process of a run, in a process group of its own."""
        environment = {
            **os.environ,
            "RQ_WORKER_ID": self.name,
            "RQ_JOB_ID": job.id,
            "RQ_EXECUTION_ID": self.execution.id if self.execution is not None else "",
        }
        self._horse_pid = os.posix_spawn(sys.executable, [sys.executable, *HORSE], environment, setpgroup=0)

    def handle_warm_shutdown_request(self) -> None:
        """Let the run under way go back: its process writes that down and ends."""
        if self.horse_pid:
            self.kill_horse(signal.SIGTERM)

    def maintain_heartbeats(self, job: Job, execution: Execution) -> None:
        """Say that the run goes on; while Redis is away, it goes on all the same: its row knows."""
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as error:
            log.warning("redis.away", error=str(error))

    def procline(self, message: str) -> None:
        """Leave the process's title alone."""
