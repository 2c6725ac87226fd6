"""A storm: critical alerts, several to a group, that fire and end at random, each for long enough to be seen."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Final

from tests.alerting.exporter import Exporter, series

RULES: Final[Mapping[str, str]] = {"FeedBroken": "feed_broken", "SymbolBroken": "symbol_broken"}
"""Each rule with the metric that makes it fire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How many alerts there are, and how long each fires and is gone; seconds, from and to."""

    feeds: int = 3
    symbols: int = 5
    fires_s: tuple[float, float] = (1.5, 8.0)
    gone_s: tuple[float, float] = (4.0, 12.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An alert that begins or ends, so many seconds after the storm began."""

    at_s: float
    series: str
    fires: bool


def changes(weather: Weather, random: Random) -> Iterator[Change]:
    """Yield what happens in the storm, in order, without an end."""
    ahead = [_next(name, weather, random, at_s=0.0, fires=False) for name in names(weather)]
    while True:
        first = min(range(len(ahead)), key=lambda place: ahead[place].at_s)
        yield ahead[first]
        one = ahead[first]
        ahead[first] = _next(one.series, weather, random, at_s=one.at_s, fires=one.fires)


def names(weather: Weather) -> list[str]:
    """Return the series of every alert."""
    return [
        series(metric, {"feed": f"feed{feed}", "symbol": f"symbol{symbol}"})
        for metric in RULES.values()
        for feed in range(weather.feeds)
        for symbol in range(weather.symbols)
    ]


def rule_files(severity: str = "critical") -> dict[str, Any]:
    """Return the rules that the storm makes fire, and the watchdog."""
    watchdog = {"alert": "Watchdog", "expr": "vector(time())", "labels": {"severity": "info"}}
    rules = [
        {
            "alert": name,
            "expr": f"{metric} == 1",
            "labels": {"severity": severity},
            "annotations": {"summary": "{{ $labels.symbol }} of {{ $labels.feed }}: " + name},
        }
        for name, metric in RULES.items()
    ]
    return {"rules.yaml": {"groups": [{"name": "storm", "rules": [watchdog, *rules]}]}}


class Storm:
    """Plays changes to an exporter, between entering and leaving it; then all is calm."""

    def __init__(self, exporter: Exporter, coming: Iterable[Change]) -> None:
        self._exporter = exporter
        self._coming = coming
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._play, name="storm", daemon=True)

    def __enter__(self) -> "Storm":
        self._thread.start()
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        self._exporter.replace({})

    def _play(self) -> None:
        firing: set[str] = set()
        began_s = time.monotonic()
        for change in self._coming:
            if self._over.wait(max(0.0, began_s + change.at_s - time.monotonic())):
                return
            (firing.add if change.fires else firing.discard)(change.series)
            self._exporter.replace(dict.fromkeys(firing, 1.0))


def _next(name: str, weather: Weather, random: Random, *, at_s: float, fires: bool) -> Change:
    """Return when an alert changes that fires, or does not, since a moment."""
    spans: Sequence[float] = weather.fires_s if fires else weather.gone_s
    return Change(at_s=at_s + random.uniform(spans[0], spans[1]), series=name, fires=not fires)
