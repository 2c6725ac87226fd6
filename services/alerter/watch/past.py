"""From the samples of ``ALERTS`` to episodes. Pure; Unix seconds.

A silence ends an episode only if rules were evaluated in it: a Prometheus that was away wrote no samples of what went
on. When they were is told by the samples of the watchdog, which always fires. What is pending after it fired goes on:
a restarted Prometheus counts the time anew that a condition has to hold.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final, NamedTuple, TypeAlias

from services.alerter.alerts import NAME, Episode

_NEVER: Final = float("inf")

LabelPairs: TypeAlias = tuple[tuple[str, str], ...]
"""Labels that can be a key."""


class Run(NamedTuple):
    """Samples without a long step between them: the first, the last, and the first that was firing."""

    first_s: float
    last_s: float
    fired_s: float


class Past:
    """Takes samples piece by piece and keeps of them only where they begin and end."""

    def __init__(self, *, watchdog: str, apart_s: Callable[[str], float]) -> None:
        """``apart_s`` returns, by a rule's name, how long a silence of its series has to be for an end."""
        self._watchdog = watchdog
        self._apart_s = apart_s
        self._evaluated: list[float] = []
        self._runs: dict[LabelPairs, list[Run]] = {}

    def add(self, labels: Mapping[str, str], times: Iterable[float], *, is_firing: bool) -> None:
        """Take the samples of one series, in any order."""
        name = labels.get(NAME, "")
        if name == self._watchdog:
            self._evaluated += times
            return
        found = self._runs.setdefault(tuple(sorted(labels.items())), [])
        found += _runs(times, self._apart_s(name), is_firing=is_firing)

    def episodes(self, until_s: float) -> list[Episode]:
        """Return what fired until then, of which the last samples are here."""
        evaluations = Evaluations(self._evaluated, self._apart_s(self._watchdog))
        return [
            episode
            for labels, runs in self._runs.items()
            for episode in self._of(dict(labels), runs, evaluations, until_s)
        ]

    def _of(
        self, labels: Mapping[str, str], runs: Iterable[Run], evaluations: "Evaluations", until_s: float
    ) -> Iterator[Episode]:
        apart_s = self._apart_s(labels.get(NAME, ""))

        def is_apart(last_s: float, first_s: float) -> bool:
            return evaluations.covered_s(last_s, first_s) >= apart_s

        for run in _joined(runs, is_apart):
            if run.fired_s < _NEVER:
                is_over = is_apart(run.last_s, until_s)
                yield Episode(labels=labels, started_s=run.fired_s, last_s=run.last_s, is_over=is_over, apart_s=apart_s)


class Evaluations:
    """When rules were evaluated; steps of ``apart_s`` or more are times in which they were not."""

    def __init__(self, times: Iterable[float], apart_s: float) -> None:
        self._times = sorted(set(times))
        self._apart_s = apart_s
        steps = (self._short(later - earlier) for earlier, later in pairwise(self._times))
        self._covered = list(accumulate(steps, initial=0.0))

    def covered_s(self, start_s: float, end_s: float) -> float:
        """Return for how long between two moments rules were evaluated."""
        first, last = bisect_right(self._times, start_s), bisect_left(self._times, end_s) - 1
        if first > last:
            return self._short(end_s - start_s)
        head_s, tail_s = self._short(self._times[first] - start_s), self._short(end_s - self._times[last])
        return head_s + self._covered[last] - self._covered[first] + tail_s

    def _short(self, step_s: float) -> float:
        return step_s if step_s < self._apart_s else 0.0


def _runs(times: Iterable[float], apart_s: float, *, is_firing: bool) -> Iterator[Run]:
    """Yield the runs of moments in which no two neighbours are ``apart_s`` or more apart."""
    ordered: Sequence[float] = sorted(set(times))
    edges = [place for place, (one, next_) in enumerate(pairwise(ordered), start=1) if next_ - one >= apart_s]
    for begin, end in pairwise([0, *edges, len(ordered)]):
        if begin < end:
            yield Run(ordered[begin], ordered[end - 1], ordered[begin] if is_firing else _NEVER)


def _joined(runs: Iterable[Run], is_apart: Callable[[float, float], bool]) -> Iterator[Run]:
    """Yield the runs with those put together that are not apart."""
    whole: Run | None = None
    for run in sorted(runs):
        if whole is not None and is_apart(whole.last_s, run.first_s):
            yield whole
            whole = None
        whole = run if whole is None else _both(whole, run)
    if whole is not None:
        yield whole


def _both(one: Run, other: Run) -> Run:
    return Run(one.first_s, max(one.last_s, other.last_s), min(one.fired_s, other.fired_s))
