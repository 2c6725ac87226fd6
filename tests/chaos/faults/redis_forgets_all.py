"""Redis comes back empty: the spool sends again all that is not committed."""

from tests.chaos.forgetting import forgotten, remember
from tests.chaos.injection import Injected
from tests.chaos.simulator import Simulator
from tests.chaos.stacks import Stack, suspend


def inject(stack: Stack, simulator: Simulator) -> Injected:
    """Delete its file under it and kill it."""
    remember(stack)
    (process_id,) = stack.process_ids("redis")
    suspend(process_id)
    stack.in_redis_data("rm -rf [!.]*")
    at_s = stack.kill("redis")
    return Injected(at_s=at_s, wrong=forgotten(stack))
