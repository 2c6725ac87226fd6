"""Let the week happen: every incident in a thread of its own, at its time, until it was told and mended."""

import math
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import requests

from tests.night import hours
from tests.night.incidents import Incident
from tests.night.incidents.incident import Harm
from tests.night.judging import Case
from tests.night.person import Person
from tests.night.quiet import Quiet
from tests.night.scene import AbortedError, Scene

JITTER_S: Final = 2.0
"""Scrapes and evaluations come every five seconds: an incident meets another moment of theirs in every run."""

AFTERMATH_S: Final = 45.0
"""So long after it was mended an incident may still be told: it was on its way."""

PATIENCE_S: Final = 15.0
HOURS_AT_S: Final = 884.0
"""Before Prometheus is taken away."""

LEAST_SCRAPES: Final = 120
"""Of 170 or so, since the alerter is away for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What the week was: cases to judge, and what went wrong with the test itself or with the market's hours."""

    cases: Sequence[Case]
    problems: Sequence[str]
    scrapes: int


class Running:
    """One week."""

    def __init__(self, scene: Scene, incidents: Sequence[Incident], quiets: Sequence[Quiet], seed: int) -> None:
        self._scene = scene
        self._incidents = incidents
        self._quiets = quiets
        self._jitter = random.Random(seed)
        self._problems: list[str] = []
        self._scrapes = 0

    def run(self) -> Happened:
        """Let all of it happen and return what did."""
        parts: list[Callable[[], Case | None]] = [
            self._part(one, self._jitter.uniform(0, JITTER_S)) for one in self._incidents
        ]
        parts += [self._quiet(one) for one in self._quiets]
        parts.append(self._look_at_hours)
        with Person(self._scene, self._incidents) as person, ThreadPoolExecutor(len(parts)) as pool:
            futures = [pool.submit(part) for part in parts]
            try:
                cases = [case for case in map(_result, futures) if case is not None]
            finally:
                self._scene.ends.set()
        seen = person.acknowledged_s
        return Happened(
            cases=[replace(case, acknowledged_s=seen.get(case.name)) for case in cases],
            problems=self._problems,
            scrapes=self._scrapes,
        )

    def _part(self, incident: Incident, jitter_s: float) -> Callable[[], Case | None]:
        return lambda: self._incident(incident, incident.at_s + jitter_s)

    def _incident(self, incident: Incident, at_s: float) -> Case | None:
        scene = self._scene
        scene.until(at_s)
        struck_s = time.time()
        scene.say(f"{incident.name}: strikes")
        try:
            harm = incident.strike(scene)
        except AbortedError:
            raise
        except Exception as error:  # noqa: BLE001  whatever goes wrong with one, the week goes on
            self._wrong(f"{incident.name}: could not be made: {type(error).__name__}: {error}")
            return _case(incident, struck_s, Harm(condition_s=time.time()), time.time() + AFTERMATH_S)
        try:
            self._await(incident, struck_s, harm)
        finally:
            self._mend(incident, harm)
        return _case(incident, struck_s, harm, math.inf if incident.stays else time.time() + AFTERMATH_S)

    def _await(self, incident: Incident, struck_s: float, harm: Harm) -> None:
        limit_s = harm.condition_s + incident.limit_s + PATIENCE_S - time.time()
        told = self._scene.wait_told(incident.words, from_s=struck_s, limit_s=limit_s)
        if told is None:
            self._scene.say(f"{incident.name}: NOT TOLD")
            return
        self._scene.say(f"{incident.name}: told after {told.at_s - harm.condition_s:.1f} s on {told.channel}")
        self._scene.pause(incident.hold_s)

    def _mend(self, incident: Incident, harm: Harm) -> None:
        try:
            harm.mend()
        except AbortedError:
            raise
        except Exception as error:  # noqa: BLE001  whatever goes wrong with one, the week goes on
            self._wrong(f"{incident.name}: could not be mended: {type(error).__name__}: {error}")

    def _quiet(self, quiet: Quiet) -> Callable[[], Case | None]:
        def act() -> None:
            self._scene.until(quiet.from_s)
            self._scene.say(f"to stay quiet: {quiet.name}")
            try:
                quiet.act(self._scene)
            except AbortedError:
                raise
            except Exception as error:  # noqa: BLE001  whatever goes wrong with one, the week goes on
                self._wrong(f"{quiet.name}: could not be made: {type(error).__name__}: {error}")

        return act

    def _look_at_hours(self) -> None:
        """Compare what Prometheus was told of New York's hours with what they are."""
        scene = self._scene
        scene.until(HOURS_AT_S)
        try:
            (series,) = scene.stack.ask_prometheus(f'market_open{{calendar="XNYS"}}[{int(scene.passed_s())}s]')
        except (requests.RequestException, ValueError) as error:
            self._wrong(f"New York's hours cannot be looked at: {error}")
            return
        samples = [(scene.clock.passed_s(float(at_s)), float(value) == 1.0) for at_s, value in series["values"]]
        self._scrapes = len(samples)
        if len(samples) < LEAST_SCRAPES:
            self._wrong(f"Prometheus was told of New York's hours {len(samples)} times only")
        for line in hours.wrong_hours(scene.clock.week, samples):
            self._wrong(line)

    def _wrong(self, line: str) -> None:
        self._scene.say(line)
        self._problems.append(line)


def _case(incident: Incident, struck_s: float, harm: Harm, until_s: float) -> Case:
    return Case(
        name=incident.name,
        expected=incident.expected,
        words=incident.words,
        also=incident.also,
        struck_s=struck_s,
        condition_s=harm.condition_s,
        until_s=until_s,
        limit_s=incident.limit_s,
        is_digested=incident.is_digested,
    )


def _result(future: "Future[Case | None]") -> Case | None:
    return future.result()
