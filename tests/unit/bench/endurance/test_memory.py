import os
from typing import Any

from bench.endurance.memory import Memory


class OneProcess:
    """A desk of this process alone."""

    on = "here"

    def main_processes(self) -> dict[str, list[int]]:
        return {"worker": [os.getpid()]}

    def address(self, service: str) -> tuple[str, int]:
        raise NotImplementedError

    def database(self) -> Any:
        raise NotImplementedError

    def redis(self) -> Any:
        raise NotImplementedError


def test_every_process_of_a_desk_is_looked_at() -> None:
    memory = Memory(OneProcess())
    memory.start()
    memory.stop()

    mine = next(one for one in memory.series() if one.process_id == os.getpid())

    assert mine.service == "worker"
    assert mine.private_mb[0] > 1.0
    assert len(mine.times_s) == len(mine.private_mb) == len(mine.shared_mb)
