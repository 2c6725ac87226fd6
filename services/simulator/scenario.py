"""A scenario: faults at given seconds after the start, from a YAML file.

- at_s: 30
  fault: gap
  symbol: BTCUSDT
  count: 5
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from nightdesk.errors import ConfigurationError
from services.simulator.faults import Fault, FaultError, fault_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One fault and when it happens, in seconds after the start."""

    at_s: float
    fault: Fault


def read(path: Path, symbols: frozenset[str]) -> list[Entry]:
    """Return the scenario of a file. Raises ConfigurationError that names every wrong entry at once."""
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"SIMULATOR_SCENARIO: cannot read {path}: {error}") from error
    return entries(described, symbols, str(path))


def entries(described: object, symbols: frozenset[str], name: str) -> list[Entry]:
    """Return the entries of a decoded scenario in order of time. Raises ConfigurationError."""
    if not isinstance(described, list):
        raise ConfigurationError(f"{name}: a scenario is a list of entries with at_s and fault")
    found: list[Entry] = []
    problems: list[str] = []
    for place, one in enumerate(described, start=1):
        try:
            found.append(_entry(one, symbols))
        except FaultError as error:
            problems += [f"  entry {place}: {field}: {message}" for field, message in error.problems]
    if problems:
        raise ConfigurationError("\n".join([f"{name}: the scenario is wrong:", *problems]))
    return sorted(found, key=lambda entry: entry.at_s)


def _entry(described: object, symbols: frozenset[str]) -> Entry:
    if not isinstance(described, dict):
        raise FaultError([("entry", "must be a mapping with at_s and fault")])
    at_s = described.get("at_s")
    if isinstance(at_s, bool) or not isinstance(at_s, int | float) or not 0 <= at_s < 10**9:
        raise FaultError([("at_s", "must be seconds after the start, 0 or more")])
    return Entry(float(at_s), fault_of({k: v for k, v in described.items() if k != "at_s"}, symbols))


class Scenario:
    """Plays its entries as time passes."""

    def __init__(self, planned: Sequence[Entry], *, begins_ms: int, inject: Callable[[Fault, int], object]) -> None:
        self._waiting = list(planned)
        self._begins_ms = begins_ms
        self._inject = inject

    def play(self, now_ms: int) -> None:
        """Inject what is due."""
        while self._waiting and now_ms >= self._begins_ms + self._waiting[0].at_s * 1000:
            self._inject(self._waiting.pop(0).fault, now_ms)
