"""The faults by name: one small file each, whose ``inject`` does the harm and says when, and what it may cost.

To add one, write the file and its line here. It gets the stack and the simulator under load; the harness measures the
recovery from ``Injected.at_s`` and then accounts for every trade.
"""

from typing import Final

from tests.chaos.faults import kill_collector, kill_postgres, kill_redis, kill_worker
from tests.chaos.injection import Inject

FAULTS: Final[dict[str, Inject]] = {
    "kill-collector": kill_collector.inject,
    "kill-worker": kill_worker.inject,
    "kill-redis": kill_redis.inject,
    "kill-postgres": kill_postgres.inject,
}
