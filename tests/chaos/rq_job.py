"""A job of RQ on the stack's Redis: put in and run by the harness."""

import os
import subprocess
import sys
from typing import Final

import redis
from rq import Queue
from rq.serializers import JSONSerializer

from tests.chaos.databases import redis_client
from tests.chaos.stacks import SOURCE, Stack

QUEUE: Final = "chaos"
LIMIT_S: Final = 30.0


def double(number: int) -> int:
    """Return twice the number; what the job does."""
    return 2 * number


def run(stack: Stack) -> tuple[str, ...]:
    """Put a job in and let a worker of RQ run it; return what is wrong."""
    with redis_client(stack) as client:
        try:
            job = Queue(QUEUE, connection=client, serializer=JSONSerializer).enqueue(double, 21)
            _work(stack)
            answer = job.return_value(refresh=True)
        except (redis.RedisError, subprocess.SubprocessError) as error:
            return (f"the job of RQ did not run: {error}",)
    return () if answer == 42 else (f"the job of RQ returned {answer!r}, not 42",)


def _work(stack: Stack) -> None:
    """Work until the queue is empty. The address is a variable: a password is no argument."""
    at = stack.redis()
    command = (sys.executable, "-m", "rq.cli", "worker", "--burst", "--quiet", "--serializer")
    subprocess.run(
        [*command, "rq.serializers.JSONSerializer", QUEUE],
        env={"PATH": os.environ.get("PATH", os.defpath), "RQ_REDIS_URL": f"redis://:{at.password}@{at.host}:{at.port}/0"},
        cwd=SOURCE, timeout=LIMIT_S, check=True, capture_output=True,
    )  # fmt: skip
