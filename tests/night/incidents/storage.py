"""Storage: databases that are away, gaps, a buffer that is full."""

import time
from typing import Final

import redis

from nightdesk.ticks import Kind
from tests.night.configuration import THRESHOLDS
from tests.night.incidents.incident import Harm, Strike
from tests.night.scene import Scene

STALLED_S: Final = 60.0
"""``threshold:storage_stalled:seconds``."""

GAP_OPEN_S: Final = THRESHOLDS["threshold:gap_open:seconds"]
SMALL_BYTES: Final = 64_000_000
FULL: Final = 0.97
"""Above ``threshold:buffer_full:ratio``, and not so full that nothing can be written: what the desk itself needs for a
moment is a hundredth of it."""

FILLER: Final = "filler"
PIECE_BYTES: Final = 200_000
SETTLED_S: Final = 0.5

WITHHELD: Final = 20
GAP_LIMIT_S: Final = 30.0
GIVE_UP: Final = """
UPDATE gaps SET state = 'unfillable', updated_at = now()
WHERE gap_id = (SELECT max(gap_id) FROM gaps WHERE kind = %s AND state = 'open')
"""


def stopped(database: str) -> Strike:
    """Stop a database; nothing can be committed until it is started again."""

    def strike(scene: Scene) -> Harm:
        stopped_s = time.time()
        scene.stack.supervisor.stop_program(database)
        return Harm(condition_s=stopped_s + STALLED_S, mend=lambda: scene.stack.supervisor.start_program(database))

    return strike


def withheld_trades(scene: Scene) -> Harm:
    """The exchange keeps some trades to itself."""
    at_s = time.time()
    scene.simulator.fault("gap", symbol="BTCUSDT", kind="trade", count=WITHHELD)
    return Harm(condition_s=at_s + GAP_OPEN_S)


def unfillable(scene: Scene) -> Harm:
    """A gap of trades is given up, as what fills gaps would do."""
    with scene.stack.database() as connection:
        scene.wait_for(lambda: connection.execute(GIVE_UP, [int(Kind.TRADE)]).rowcount == 1, GAP_LIMIT_S)
    return Harm(condition_s=time.time())


def full_redis(scene: Scene) -> Harm:
    """Fill Redis, whose memory is made small for it, almost to its limit."""
    with scene.stack.redis() as client:
        limit = int(client.config_get("maxmemory")["maxmemory"])
        client.config_set("maxmemory", SMALL_BYTES)
        # In pieces, and until it stays so: what is on its way counts for a moment as well.
        while _used(client) < FULL * SMALL_BYTES:
            while _used(client) < FULL * SMALL_BYTES:
                client.rpush(FILLER, b"x" * PIECE_BYTES)
            scene.pause(SETTLED_S)
        return Harm(condition_s=time.time(), mend=lambda: _restore(scene, limit))


def _used(client: "redis.Redis") -> int:
    return int(dict(client.info("memory"))["used_memory"])


def _restore(scene: Scene, limit: int) -> None:
    with scene.stack.redis() as client:
        client.delete(FILLER)
        client.config_set("maxmemory", limit)
