"""A simulator in a thread of its own, on a port of its own."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from prometheus_client import CollectorRegistry

from nightdesk import settings
from services.simulator.app import server
from services.simulator.settings import SimulatorSettings

TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Running:
    """Where a simulator answers."""

    port: int

    @property
    def rest(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.rest + path, headers=headers, timeout=TIMEOUT_S)

    def post(self, path: str, body: object) -> requests.Response:
        return requests.post(self.rest + path, json=body, timeout=TIMEOUT_S)

    def state(self) -> Any:
        return self.get("/sim/state").json()

    def fault(self, name: str, **fields: object) -> None:
        self.post("/sim/faults", {"fault": name, **fields}).raise_for_status()

    def clear_faults(self) -> None:
        requests.delete(self.rest + "/sim/faults", timeout=TIMEOUT_S).raise_for_status()

    def until(self, holds: Any, within_s: float = TIMEOUT_S) -> Any:
        """Wait for what ``holds`` returns once it is true."""
        deadline = time.monotonic() + within_s
        while True:
            found = holds()
            if found or time.monotonic() > deadline:
                assert found
                return found
            time.sleep(0.02)


@contextmanager
def simulator(wall_ms: Callable[[], int] | None = None, **environ: str) -> Iterator[Running]:
    """Run a simulator with the settings of an environment, by a clock of its own if there is one."""
    chosen = {"SIMULATOR_HOST": "127.0.0.1", "SIMULATOR_PORT": "0", "SIMULATOR_SHAPE": "flat", **environ}
    serving = server(settings.load(SimulatorSettings, chosen), CollectorRegistry(), wall_ms=wall_ms)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not serving.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield Running(serving.servers[0].sockets[0].getsockname()[1])
    serving.should_exit = True
    thread.join(15)
    assert not thread.is_alive()
