"""The collector as a process: from the simulator's socket to Redis, in the language of signals and exit statuses."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_driver

from deploy import databases
from nightdesk import frames
from nightdesk.shards import stream_key
from nightdesk.ticks import Event, EventName, Tick, Trade

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(90)]

ROOT = Path(__file__).parents[3]
SHARDS = 8
PATIENCE_S = 45.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return what the condition gives once it is true; the limit is only there so that a failure ends."""
    deadline = time.monotonic() + PATIENCE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.05)
    return value


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


class Stack:
    """A simulator, a Redis, and as many collectors as a test starts."""

    def __init__(self, client: "redis_driver.Redis", redis_url: str, directory: Path) -> None:
        self.client = client
        self.directory = directory
        self.simulator_port = databases.free_port()
        url = f"127.0.0.1:{self.simulator_port}"
        self.environment = {
            **os.environ,
            "FEEDS": "simulator",
            "SIMULATOR_WS_URL": f"ws://{url}",
            "SIMULATOR_REST_URL": f"http://{url}",
            "REDIS_URL": redis_url,
            "SPOOL_DIR": str(directory / "spool"),
            "RECONNECT_BASE_DELAY": "0.1",
        }
        self._running: list[subprocess.Popen[bytes]] = []
        settings = {**os.environ, "SIMULATOR_PORT": str(self.simulator_port), "METRICS_PORT": "0"}
        self._start("services.simulator", settings)
        wait_for(lambda: fetch(self.simulator_port, "/sim/state")[0] == 200, "the simulator")

    def collector(self, **settings: str) -> tuple["subprocess.Popen[bytes]", int]:
        port = databases.free_port()
        return self._start("services.collector", {**self.environment, "METRICS_PORT": str(port), **settings}), port

    def ticks(self) -> list[Tick]:
        """Return everything published so far, stream by stream."""
        entries = [entry for shard in range(SHARDS) for entry in self.client.xrange(stream_key("simulator", shard))]
        return [tick for _, fields in entries for tick in frames.decode(fields[b"f"]).ticks()]

    def events(self) -> list[str]:
        return [tick.name for tick in self.ticks() if isinstance(tick, Event)]

    def stop(self) -> None:
        for one in self._running:
            if one.poll() is None:
                one.kill()
            one.wait()

    def _start(self, module: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        with (self.directory / f"{module}-{len(self._running)}.log").open("wb") as log:
            one = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, env=environment, stdout=log, stderr=log)
        self._running.append(one)
        return one


@pytest.fixture
def stack(redis: "redis_driver.Redis", redis_server: databases.RunningRedis, tmp_path: Path) -> Iterator[Stack]:
    made = Stack(redis, redis_server.url, tmp_path)
    yield made
    made.stop()


def parts(port: int) -> dict[str, dict[str, Any]]:
    _, body = fetch(port, "/health")
    return {part["part"]: part for part in json.loads(body)["parts"]} if body else {}


def collecting(port: int) -> bool:
    part = parts(port).get("feed/simulator", {})
    return bool(part.get("facts", {}).get("ready")) and part["age_s"] is not None


def standby(port: int) -> bool:
    return parts(port).get("feed/simulator", {}).get("facts") == {"standby": True}


def test_ticks_flow_and_health_names_every_part(stack: Stack) -> None:
    _, port = stack.collector()
    wait_for(lambda: collecting(port), "the feed to be ready")
    wait_for(lambda: any(isinstance(tick, Trade) for tick in stack.ticks()), "trades in Redis")

    assert fetch(port, "/health")[0] == 200
    assert set(parts(port)) == {"feed/simulator", "spool/simulator", "redis/simulator"}
    assert fetch(port, "/livez")[0] == fetch(port, "/readyz")[0] == 200
    metrics = fetch(port, "/metrics")[1]
    assert 'nightdesk_feed_connected{feed="simulator"} 1.0' in metrics
    assert "nightdesk_progress_timestamp_seconds" in metrics
    assert "nightdesk_service_info" in metrics


def test_every_shard_hears_that_the_collector_started_and_stopped(stack: Stack) -> None:
    process, port = stack.collector()
    wait_for(lambda: collecting(port), "the feed to be ready")
    process.send_signal(signal.SIGTERM)

    assert process.wait() == 0
    assert stack.events().count(EventName.CONNECTED) == SHARDS
    assert stack.events().count(EventName.DISCONNECTED) == SHARDS


def test_a_second_collector_is_standby_until_the_first_dies(stack: Stack) -> None:
    first, first_port = stack.collector()
    wait_for(lambda: collecting(first_port), "the first collector")
    _, second_port = stack.collector()
    wait_for(lambda: standby(second_port), "the second collector to stand by")
    assert parts(second_port)["feed/simulator"]["status"] == "ok"
    assert fetch(second_port, "/readyz")[0] == fetch(second_port, "/livez")[0] == 200
    first.kill()
    wait_for(lambda: collecting(second_port), "the second collector to take over")

    wait_for(lambda: stack.events().count(EventName.CONNECTED) == 2 * SHARDS, "its word to every shard")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        ids = [tick.trade_id for tick in stack.ticks() if isinstance(tick, Trade) and tick.symbol == symbol]
        assert ids == sorted(set(ids))


def test_a_silent_feed_and_an_absent_redis_are_waited_out(stack: Stack) -> None:
    _, port = stack.collector(
        REDIS_URL=f"redis://127.0.0.1:{databases.free_port()}/0", SIMULATOR_WS_URL="ws://127.0.0.1:9"
    )
    wait_for(lambda: "redis/simulator" in parts(port), "health")

    assert parts(port)["redis/simulator"]["status"] == "degraded"
    assert fetch(port, "/livez")[0] == 200


def test_whatever_is_wrong_in_settings_and_feeds_is_named_at_once(stack: Stack, tmp_path: Path) -> None:
    feeds = tmp_path / "feeds.yaml"
    feeds.write_text((ROOT / "config" / "feeds.yaml").read_text().replace("codec: binance", "codec: bynance"))
    environment = {
        **stack.environment,
        "FEEDS_CONFIG": str(feeds),
        "FEEDS": "simulator,nowhere",
        "DEPTH_LEVELS": "lots",
        "TRANSPORT": "pigeon",
    }
    done = subprocess.run(
        [sys.executable, "-m", "services.collector"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 78
    for named in ("DEPTH_LEVELS", "TRANSPORT", "'nowhere'"):
        assert named in done.stderr
    assert "Traceback" not in done.stderr
