"""The faults by name: one small file each, whose ``inject`` does the harm and says when, and what it may cost.

To add one, write the file and its line here. It gets the stack and the simulator under load; the harness measures the
recovery from ``Injected.at_s`` and then accounts for every trade.
"""

from typing import Final

from tests.chaos.faults import (
    accept_then_close,
    duplicate,
    kill_collector,
    kill_postgres,
    kill_redis,
    kill_worker,
    mute_socket,
    mute_symbol,
    overlap,
    reorder,
    rollover_unwarned,
    rollover_warned,
)
from tests.chaos.injection import Inject

FAULTS: Final[dict[str, Inject]] = {
    "kill-collector": kill_collector.inject,
    "kill-worker": kill_worker.inject,
    "kill-redis": kill_redis.inject,
    "kill-postgres": kill_postgres.inject,
    "duplicate": duplicate.inject,
    "reorder": reorder.inject,
    "overlap": overlap.inject,
    "rollover-warned": rollover_warned.inject,
    "rollover-unwarned": rollover_unwarned.inject,
    "mute-socket": mute_socket.inject,
    "mute-symbol": mute_symbol.inject,
    "accept-then-close": accept_then_close.inject,
}
"""What ``make chaos`` runs."""

LONG: Final[dict[str, Inject]] = {}
"""What ``make chaos-long`` runs."""

QUICK: Final = ("kill-collector", "kill-worker", "kill-redis", "kill-postgres")
"""What ``--quick`` runs, for a CI that has a few minutes."""
