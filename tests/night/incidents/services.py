"""Services that end, hang, or end again and again."""

import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Final

from tests.night.incidents.incident import Harm, Strike
from tests.night.scene import Scene
from tests.night.stack import ALERTER

DOWN_S: Final = 15.0
"""``threshold:service_down:seconds``."""

CRASH_LOOP_STARTS: Final = 4
CRASH_LOOP_WITHIN_S: Final = 900.0
APART_S: Final = 12.0
"""From an answer to the next end, so that each start is scraped and evaluated: what ends sooner is down."""

MOST_ENDS: Final = 5
_SPAWNED: Final = re.compile(r"(?P<at>\S+ \S+),(?P<ms>\d+) INFO spawned: '(?P<name>[^']+)' with pid")


def killed(name: str) -> Strike:
    """SIGKILL a service; its keeper starts it again. The condition is the new start."""

    def strike(scene: Scene) -> Harm:
        before = scene.stack.kill(name)
        return Harm(condition_s=scene.stack.restarted(name, before))

    return strike


def stopped(name: str) -> Strike:
    """Stop a service, and start it once it was told."""

    def strike(scene: Scene) -> Harm:
        scene.stack.supervisor.stop_program(name)
        stopped_s = time.time()

        def start() -> None:
            scene.stack.supervisor.start_program(name)
            scene.stack.until_it_serves(name)

        return Harm(condition_s=stopped_s + DOWN_S, mend=start)

    return strike


def hanging(name: str) -> Strike:
    """SIGSTOP a service: it is there, and answers nothing."""

    def strike(scene: Scene) -> Harm:
        process_id = scene.stack.kill(name, signal.SIGSTOP)
        hung_s = time.time()
        return Harm(condition_s=hung_s + DOWN_S, mend=lambda: os.kill(process_id, signal.SIGCONT))

    return strike


def crash_looping(name: str) -> Strike:
    """SIGKILL a service again and again, until it was started too often within a quarter of an hour."""

    def strike(scene: Scene) -> Harm:
        for ends in range(1, MOST_ENDS + 1):
            before = scene.stack.kill(name)
            scene.stack.restarted(name, before)
            scene.stack.until_it_serves(name)
            looping_s = looping_since(starts(_supervisors_log(scene), name))
            if looping_s is not None and ends > 1:
                return Harm(condition_s=looping_s)
            scene.pause(APART_S)
        raise AssertionError(f"{name} was ended {MOST_ENDS} times, and that is not too often")

    return strike


def away_while_a_disk_fills(scene: Scene) -> Harm:
    """SIGKILL the alerter and keep it down; meanwhile a disk runs full and is emptied. Then start it again."""
    scene.moments.note(ALERTER, scene.stack.hold_down(ALERTER))
    try:
        scene.pause(2.0)
        condition_s = scene.understudy.disk("archive", 0.03)
        scene.pause(19.0)
        scene.understudy.disk("archive", 0.6)
        scene.pause(10.0)
    finally:
        scene.stack.supervisor.start_program(ALERTER)
    return Harm(condition_s=condition_s)


def alerter_away(scene: Scene) -> Harm:
    """Look on while the alerter is away."""
    scene.wait_for(lambda: scene.moments.get(ALERTER) is not None, 30.0)
    return Harm(condition_s=(scene.moments.get(ALERTER) or time.time()) + DOWN_S)


def starts(log: str, name: str) -> Iterator[float]:
    """Yield when a program was started, Unix seconds, by the log of what starts it."""
    for found in _SPAWNED.finditer(log):
        if found["name"] == name:
            yield time.mktime(time.strptime(found["at"], "%Y-%m-%d %H:%M:%S")) + int(found["ms"]) / 1000


def looping_since(starts_s: Iterator[float]) -> float | None:
    """Return the start with which there were too many within the time, Unix seconds; None when there were not."""
    seen: list[float] = []
    for start_s in starts_s:
        seen.append(start_s)
        if sum(start_s - one < CRASH_LOOP_WITHIN_S for one in seen) >= CRASH_LOOP_STARTS:
            return start_s
    return None


def _supervisors_log(scene: Scene) -> str:
    return (scene.stack.layout.logs / "supervisord.log").read_text(encoding="utf-8")
