"""RQ's queue, as the scheduler uses it: numbers of runs go in, and nothing comes back."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.serializers import JSONSerializer

from nightdesk.errors import UnavailableError
from nightdesk.runs import HORSE, QUEUE, Open, queue_id

KILL_MARGIN_S: Final = 15.0
"""A job that ignores its own time limit is ended by RQ so much later."""

SILENT_S: Final = 45.0
"""A worker says every fifteen seconds at most that it is there."""

FAILED_KEPT_S: Final = 60
"""RQ's own memory of failures; the rows have it all."""


class RunQueue:
    """Gives runs to RQ. Every method raises UnavailableError when Redis does not answer or takes nothing."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._queue = Queue(QUEUE, connection=redis, serializer=JSONSerializer)

    def send(self, runs: Sequence[Open]) -> None:
        """Put the runs into the queue; one that is there already is there twice, which its claim makes harmless."""
        wanted = [
            Queue.prepare_data(
                HORSE,
                args=[one.run_id],
                timeout=int(one.timeout_s + KILL_MARGIN_S),
                job_id=queue_id(one.job, one.scheduled_for),
                result_ttl=0,
                failure_ttl=FAILED_KEPT_S,
                description=f"run {one.run_id} of {one.job}",
            )
            for one in runs
        ]
        try:
            self._queue.enqueue_many(wanted)
        except RedisError as error:
            raise UnavailableError(f"Redis: {error}") from error

    def waiting(self) -> frozenset[str]:
        """Return the ids in the queue."""
        try:
            return frozenset(self._queue.get_job_ids())
        except RedisError as error:
            raise UnavailableError(f"Redis: {error}") from error

    def workers(self) -> int:
        """Return how many workers there are, busy or not: one that was killed is known to RQ for a while."""
        lately = datetime.now(UTC) - timedelta(seconds=SILENT_S)
        try:
            known = Worker.all(connection=self._redis, queue=self._queue, serializer=JSONSerializer)
        except RedisError as error:
            raise UnavailableError(f"Redis: {error}") from error
        return sum(one.last_heartbeat is not None and one.last_heartbeat > lately for one in known)
