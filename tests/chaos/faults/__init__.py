"""The faults by name: one small file each, whose ``inject`` does the harm."""

from typing import Final

from tests.chaos.faults import kill_collector, kill_postgres, kill_redis, kill_worker
from tests.chaos.injection import Inject

FAULTS: Final[dict[str, Inject]] = {
    "kill-collector": kill_collector.inject,
    "kill-worker": kill_worker.inject,
    "kill-redis": kill_redis.inject,
    "kill-postgres": kill_postgres.inject,
}
