"""The faults by name: one small file each, whose ``inject`` does the harm and says when, and what it may cost.

To add one, write the file and its line here. It gets the stack and the simulator under load; the harness measures the
recovery from ``Injected.at_s`` and then accounts for every trade.
"""

from typing import Final

from tests.chaos.faults import (
    accept_then_close,
    burst,
    clock_back,
    conflation,
    duplicate,
    failing_partition,
    kill_collector,
    kill_everything,
    kill_postgres,
    kill_redis,
    kill_worker,
    mute_socket,
    mute_symbol,
    overlap,
    poison_frame,
    postgres_away,
    postgres_refuses,
    redis_away,
    redis_away_an_hour,
    redis_flushed,
    redis_forgets_all,
    redis_forgets_tail,
    redis_full,
    reorder,
    restart_everything,
    rollover_unwarned,
    rollover_warned,
    scale_workers,
    second_collector,
    second_workers,
    spool_full,
    worker_stopped,
    worker_stopped_in_copy,
)
from tests.chaos.injection import Inject

FAULTS: Final[dict[str, Inject]] = {
    "kill-collector": kill_collector.inject,
    "kill-worker": kill_worker.inject,
    "kill-redis": kill_redis.inject,
    "kill-postgres": kill_postgres.inject,
    "redis-away": redis_away.inject,
    "postgres-away": postgres_away.inject,
    "worker-stopped": worker_stopped.inject,
    "worker-stopped-in-copy": worker_stopped_in_copy.inject,
    "redis-forgets-tail": redis_forgets_tail.inject,
    "redis-forgets-all": redis_forgets_all.inject,
    "redis-flushed": redis_flushed.inject,
    "second-collector": second_collector.inject,
    "second-workers": second_workers.inject,
    "scale-workers": scale_workers.inject,
    "redis-full": redis_full.inject,
    "spool-full": spool_full.inject,
    "postgres-refuses": postgres_refuses.inject,
    "failing-partition": failing_partition.inject,
    "restart-everything": restart_everything.inject,
    "duplicate": duplicate.inject,
    "reorder": reorder.inject,
    "overlap": overlap.inject,
    "rollover-warned": rollover_warned.inject,
    "rollover-unwarned": rollover_unwarned.inject,
    "mute-socket": mute_socket.inject,
    "mute-symbol": mute_symbol.inject,
    "accept-then-close": accept_then_close.inject,
    "clock-back": clock_back.inject,
    "poison-frame": poison_frame.inject,
    "burst": burst.inject,
    "conflation": conflation.inject,
}
"""What ``make chaos`` runs."""

LONG: Final[dict[str, Inject]] = {
    "kill-everything": kill_everything.inject,
    "redis-away-an-hour": redis_away_an_hour.inject,
}
"""What ``make chaos-long`` runs."""

QUICK: Final = (
    "kill-collector",
    "kill-worker",
    "kill-redis",
    "kill-postgres",
    "redis-forgets-all",
    "worker-stopped",
    "rollover-unwarned",
    "poison-frame",
)
"""What ``--quick`` runs, for a CI that has a few minutes."""
