"""``make alerter-load``: ``python -m tests.alerting.load [--seconds 600] [--alerts 5000]``.

So many alerts fire at once, first all in one group, then each in a group of its own, then all of them flap; in the
middle of each, something else breaks. The policy is the one that is shipped, with two channels and the page's steps a
few minutes apart.
"""

import argparse
import json
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Final

import yaml

from bench.desk.processes import usage
from tests.alerting.exporter import Exporter, series
from tests.alerting.processes import ROOT, Alerter, Prometheus, running, within
from tests.channel_server import ChannelServer, Received, ok

REPORT: Final = ROOT / "build" / "alerter-load.json"
POLICY: Final = ROOT / "config" / "alerts.yaml"
COLUMNS: Final = (
    "phase",
    "alerts",
    "seconds",
    "told",
    "messages",
    "per_minute",
    "first_s",
    "other_s",
    "cpu",
    "mb_begin",
    "mb_most",
    "mb_end",
    "grew_mb",
    "file_mb",
    "poll_ms",
)
PATHS: Final = ("/slack", "/hook")
PER_MINUTE: Final = 30.0
BURST: Final = 3
"""What a channel may take at once after a quiet time."""

FLAP_S: Final = 20.0
"""How long each flapping alert fires and is gone by turns: longer than it takes to be over."""

MESSAGES_LIMIT: Final = 100
"""Of a phase, over both channels: the steps of the page within ten minutes, at most five messages each."""

GROWTH_LIMIT_MB: Final = 20.0
LOOK_S: Final = 1.0
FIRST_LIMIT_S: Final = 120.0
"""For whatever is waited for while alerts fire."""

OVER_LIMIT_S: Final = 300.0
MB: Final = 1e6


@dataclass(slots=True, kw_only=True)
class Phase:
    """What one phase took. Delays are in seconds, ``cpu`` in cores, ``poll_ms`` the mean of its polls."""

    phase: str
    alerts: int
    seconds: float = 0.0
    told: int = 0
    """How many alerts the webhook was told of when they began, each time they did."""

    fired: int = 0
    """How often alerts began by Prometheus's own word: one that scrapes late ends them, and begins them anew."""

    fired_most: int = 0
    """How often the one did that began most often."""

    messages: int = 0
    """Over both channels."""

    per_minute: int = 0
    """The most that one channel got within a minute."""

    first_s: float | None = None
    """From the beginning to the first message."""

    other_s: float | None = None
    """From when something else broke to the message that says so."""

    cpu: float = 0.0
    file_mb: float = 0.0
    poll_ms: float = 0.0
    mb: list[float] = field(default_factory=list)
    """Memory of its own, once a second."""

    known_at: int = 0
    """How many of those were before all alerts, or the end of all, were known."""

    @property
    def mb_begin(self) -> float:
        """Memory at the beginning."""
        return self.mb[0]

    @property
    def mb_most(self) -> float:
        """The most that it was."""
        return max(self.mb)

    @property
    def mb_end(self) -> float:
        """Memory at the end."""
        return self.mb[-1]

    @property
    def grew_mb(self) -> float:
        """What memory grew by from the first quarter of the time in which all were known to the last."""
        known = self.mb[self.known_at :] or self.mb
        quarter = max(1, len(known) // 4)
        return round(statistics.median(known[-quarter:]) - statistics.median(known[:quarter]), 1)

    def as_json(self) -> dict[str, Any]:
        """Return the row of the report."""
        figures = {name: getattr(self, name) for name in COLUMNS}
        return {**figures, "mb": self.mb}


class Meter:
    """Looks at the alerter once a second, between entering and leaving; then the phase has the figures."""

    def __init__(self, scene: "Scene", phase: Phase) -> None:
        self._scene = scene
        self.phase = phase
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="meter", daemon=True)

    def __enter__(self) -> "Meter":
        self._began_s = time.time()
        self._cpu_s = self._scene.cpu_s()
        self._polls = self._scene.polls()
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        phase, scene = self.phase, self._scene
        phase.seconds = round(time.time() - self._began_s, 1)
        arrived = [scene.arrived(path, self._began_s) for path in PATHS]
        phase.told = sum(map(told, arrived[PATHS.index("/hook")]))
        phase.messages = sum(map(len, arrived))
        phase.per_minute = max(most_within(60.0, [one.wall_s for one in came]) for came in arrived)
        phase.cpu = round((scene.cpu_s() - self._cpu_s) / phase.seconds, 3)
        count, spent_s = (now - before for now, before in zip(scene.polls(), self._polls, strict=True))
        phase.poll_ms = round(1000 * spent_s / count, 1) if count else 0.0
        phase.file_mb = round(scene.file_bytes() / MB, 1)

    def _watch(self) -> None:
        while True:
            self.phase.mb.append(round(self._scene.memory_bytes() / MB, 1))
            if self._over.wait(LOOK_S):
                return


class Scene:
    """A Prometheus that is told what fires, an alerter, and channels that take everything at once."""

    def __init__(self, directory: Path, alerts: int, policy: str, *, every: str = "5s") -> None:
        self.alerts = alerts
        self.exporter = Exporter()
        self.server = ChannelServer()
        self.server.script("/hook", ok(b""))
        self.prometheus = Prometheus(
            directory / "prometheus", {"test": self.exporter.address}, rule_files(), every=every
        )
        environ = {
            "SLACK_WEBHOOK_URL": f"{self.server.url}/slack",
            "WEBHOOK_URL": f"{self.server.url}/hook",
            "WEBHOOK_SECRET": "secret-of-the-hook",
        }
        self.alerter = Alerter(directory / "alerter", self.prometheus.url, policy, environ)
        self._stack = ExitStack()

    def __enter__(self) -> "Scene":
        self._stack.enter_context(self.exporter)
        self._stack.enter_context(self.server)
        self._stack.enter_context(running(self.prometheus, self.alerter))
        self.prometheus.begin()
        self.alerter.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fire(self, *metrics: str, other: bool = False) -> float:
        """Let all alerts of these metrics fire, and no others but perhaps the other one; return when."""
        names = [series(metric, {"number": f"{number:05}"}) for metric in metrics for number in range(self.alerts)]
        self.exporter.replace(dict.fromkeys([*names, *(["other_broken"] if other else [])], 1.0))
        return time.time()

    def firing(self) -> int:
        """Return how many alerts fire by the alerter's word."""
        return int(self.alerter.health()["alerts"]["facts"]["firing"])

    def arrived(self, path: str, since_s: float) -> list[Received]:
        """Return what came to a channel since a moment, Unix seconds."""
        return [one for one in self.server.requests(path) if one.wall_s >= since_s]

    def first_s(self, since_s: float, word: str) -> float | None:
        """Return how long after a moment the first message with this word came; None when there was none in time."""
        until_s = time.monotonic() + FIRST_LIMIT_S
        while time.monotonic() < until_s:
            came = [one for path in PATHS for one in self.arrived(path, since_s) if word.encode() in one.body]
            if came:
                return round(min(one.wall_s for one in came) - since_s, 2)
            time.sleep(0.05)
        return None

    def await_told(self, since_s: float, count: int) -> None:
        """Wait until so many have been told since a moment and nothing waits, or for long: then that is found out."""
        until_s = time.monotonic() + FIRST_LIMIT_S
        while time.monotonic() < until_s:
            waits = self.alerter.health()["outbox"]["facts"]["waiting"]
            if not waits and sum(map(told, self.arrived("/hook", since_s))) >= count:
                return
            time.sleep(LOOK_S)

    def fired(self, since_s: float) -> tuple[int, int]:
        """Return how often alerts began since a moment, in all and the one that did most often, as Prometheus has it.

        Each time that it begins, an alert has a time of its own in ``ALERTS_FOR_STATE``.
        """
        now_s = time.time()
        times = f'1 + changes(ALERTS_FOR_STATE{{alertname!="Watchdog"}}[{now_s - since_s:.0f}s])'
        most, in_all = (self.prometheus.query(f"{how}({times})", now_s) for how in ("max", "sum"))
        return int(in_all[0]["value"][1]), int(most[0]["value"][1])

    def cpu_s(self) -> float:
        """Return the CPU seconds that the alerter has taken."""
        used = usage(self.alerter.pid)
        return 0.0 if used is None else used.cpu_s

    def memory_bytes(self) -> int:
        """Return the memory that the alerter holds for itself."""
        used = usage(self.alerter.pid)
        return 0 if used is None else used.private_bytes

    def polls(self) -> tuple[float, float]:
        """Return how many polls there were and how long all of them took, in seconds."""
        name = "nightdesk_watch_poll_seconds"
        return self.alerter.metric(f"{name}_count"), self.alerter.metric(f"{name}_sum")

    def file_bytes(self) -> int:
        """Return what the state takes on disk."""
        return sum(one.stat().st_size for one in self.alerter.state.iterdir())


def standing(scene: Scene, name: str, metric: str, word: str, seconds: float) -> Phase:
    """Let all alerts fire for so long, or until all have been told, and something else break in the middle."""
    with Meter(scene, Phase(phase=name, alerts=scene.alerts)) as meter:
        began_s = scene.fire(metric)
        meter.phase.first_s = scene.first_s(began_s, word)
        within(FIRST_LIMIT_S, lambda: scene.firing() >= scene.alerts, "all of them fire")
        meter.phase.known_at = len(meter.phase.mb)
        _sleep_until(began_s + seconds / 2)
        meter.phase.other_s = scene.first_s(scene.fire(metric, other=True), "OtherBroken")
        _sleep_until(began_s + seconds)
        scene.await_told(began_s, scene.alerts + 1)
        meter.phase.fired, meter.phase.fired_most = scene.fired(began_s)
    return meter.phase


def calm(scene: Scene, name: str, seconds: float) -> Phase:
    """Let all end, and look for so long at what stays."""
    with Meter(scene, Phase(phase=name, alerts=0)) as meter:
        scene.fire()
        within(OVER_LIMIT_S, lambda: scene.firing() == 0, "all is over")
        meter.phase.known_at = len(meter.phase.mb)
        time.sleep(seconds)
    return meter.phase


def flapping(scene: Scene, name: str, metric: str, seconds: float) -> Phase:
    """Let all alerts fire and end by turns, and something else break in the middle."""
    with Meter(scene, Phase(phase=name, alerts=scene.alerts)) as meter:
        began_s = time.time()
        is_other = False
        while time.time() < began_s + seconds:
            at_s = scene.fire(metric, other=is_other)
            if is_other and meter.phase.other_s is None:
                meter.phase.other_s = scene.first_s(at_s, "OtherBroken")
            time.sleep(FLAP_S)
            scene.fire(other=is_other)
            time.sleep(FLAP_S)
            is_other = time.time() > began_s + seconds / 2
    return meter.phase


def rule_files() -> dict[str, Any]:
    """Return rules for alerts of one group, for alerts of a group each, and for another one."""
    rules: list[dict[str, Any]] = [{"alert": "Watchdog", "expr": "vector(time())", "labels": {"severity": "info"}}]
    for name, metric, labels in (
        ("ManyBroken", "many_broken", {}),
        ("EachBroken", "each_broken", {"apart": "{{ $labels.number }}"}),
        ("OtherBroken", "other_broken", {}),
    ):
        words = {
            "summary": name + " {{ $labels.number }}",
            "description": "What {{ $labels.number }} means is said in a sentence or two, with the value {{ $value }}.",
            "last_good": "BTCUSDT at 50000",
            "runbook_url": f"docs/runbooks/{name}.md",
        }
        severity = {"severity": "critical"}
        rules.append({"alert": name, "expr": f"{metric} == 1", "labels": {**severity, **labels}, "annotations": words})
    return {"rules.yaml": {"groups": [{"name": "load", "rules": rules}]}}


def policy(**changes: object) -> str:
    """Return the policy that is shipped, with two channels, groups by ``apart`` as well, and these changes.

    What flapped counts as going on for two minutes, not fifteen: all has to be over before the end.
    """
    shipped = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    steps = [{"channels": ["slack", "hook"]}, {"after": "2m", "channels": ["hook"]}]
    ours = {
        "channels": {name: {"kind": kind, "per_minute": PER_MINUTE} for name, kind in KINDS.items()},
        "page": {**shipped["page"], "steps": steps, "repeat": "3m"},
        "routes": [],
        "group_by": [*shipped["group_by"], "apart"],
        "digest": {**shipped["digest"], "channels": ["slack"]},
        "flapping": {**shipped["flapping"], "hold": "2m"},
    }
    return str(yaml.safe_dump({**shipped, **ours, **changes}))


KINDS: Final = {"slack": "slack", "hook": "webhook"}


def most_within(span_s: float, times: Sequence[float]) -> int:
    """Return how many of these moments, in order, lie within some span of this length at most."""
    most = first = 0
    for last, at_s in enumerate(times):
        while at_s - times[first] >= span_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def told(received: Received) -> int:
    """Return how many alerts a webhook's message says have begun."""
    said = received.json
    return len(said["alerts"]) + int(said["more_alerts"]) if said["kind"] == "firing" else 0


def findings(phases: Sequence[Phase]) -> list[str]:
    """Return what is wrong, in words."""
    return [line for one in phases for line in _wrong(one)]


def _wrong(one: Phase) -> Iterator[str]:
    if one.per_minute > PER_MINUTE + BURST:
        yield f"{one.phase}: {one.per_minute} messages within a minute over one channel"
    if one.messages > MESSAGES_LIMIT:
        yield f"{one.phase}: {one.messages} messages"
    if one.grew_mb > GROWTH_LIMIT_MB:
        yield f"{one.phase}: memory grew by {one.grew_mb} MB"
    if one.alerts and one.other_s is None:
        yield f"{one.phase}: what else broke was not told"
    if one.alerts and one.told < one.alerts:
        yield f"{one.phase}: {one.told} of {one.alerts} were told"


def run(directory: Path, alerts: int, seconds: float) -> list[Phase]:
    """Do all of it."""
    with Scene(directory, alerts, policy()) as scene:
        quiet_s = min(30.0, seconds / 4)
        return [
            calm(scene, "before", quiet_s),
            standing(scene, "one group", "many_broken", "ManyBroken", seconds),
            calm(scene, "after it", quiet_s),
            standing(scene, "a group each", "each_broken", "EachBroken", seconds),
            calm(scene, "after them", quiet_s),
            flapping(scene, "flapping", "each_broken", seconds / 2),
            calm(scene, "after that", quiet_s),
        ]


def table(phases: Sequence[Phase]) -> str:
    """Return the phases as a table."""
    lines = [COLUMNS, *(tuple(_text(getattr(one, name)) for name in COLUMNS) for one in phases)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def _text(value: object) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _sleep_until(at_s: float) -> None:
    time.sleep(max(0.0, at_s - time.time()))


def main(arguments: Sequence[str]) -> int:
    """Run, print and write the report; 0 when nothing is wrong."""
    options = _options(arguments)
    with tempfile.TemporaryDirectory(prefix="nightdesk-load-") as directory:
        phases = run(Path(directory), options.alerts, options.seconds)
    wrong = findings(phases)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    report = {"phases": [one.as_json() for one in phases], "findings": wrong}
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(phases))
    for line in wrong:
        print(line)
    return 1 if wrong else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.alerting.load", description="Let thousands of alerts fire.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long they fire, in each shape")
    parser.add_argument("--alerts", type=int, default=5000, help="at once")
    return parser.parse_args(arguments)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Leave through the ``finally`` clauses: no process may stay behind."""
    raise SystemExit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(main(sys.argv[1:]))
