"""The simulator's control over HTTP, as far as the harness needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests

TIMEOUT_S: Final = (3.05, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client's account: when it came (Unix seconds) and the first and last trade id sent to it, by symbol."""

    since_s: float
    closed_s: float | None
    first: Mapping[str, int]
    last: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What the exchange did: the last trade id of every symbol, and who listened, oldest first."""

    last: Mapping[str, int]
    connections: tuple[Connection, ...]

    def first_listener(self, symbol: str) -> int:
        """Return the first trade id that was ever sent to anyone."""
        return min(one.first[symbol] for one in self.connections if symbol in one.first)

    @property
    def symbols(self) -> list[str]:
        """The symbols whose trades somebody listened to."""
        return sorted({symbol for one in self.connections for symbol in one.first})

    def resumed_at(self, symbol: str, after_s: float) -> int | None:
        """Return the first trade id sent to the first client that came after a moment; None when none did."""
        later = [one for one in self.connections if one.since_s >= after_s and symbol in one.first]
        return min(later, key=lambda one: one.since_s).first[symbol] if later else None


class Simulator:
    """One running simulator."""

    def __init__(self, url: str) -> None:
        self._url = url

    def market(self) -> Market:
        """Return what the exchange did so far."""
        answer = requests.get(f"{self._url}/sim/state", timeout=TIMEOUT_S)
        answer.raise_for_status()
        return market_of(answer.json())

    def set_rates(self, *, trades_per_s: float, quotes_per_s: float, depth_per_s: float) -> None:
        """Set the totals over all pairs, the same at every moment."""
        self._post("rate", trades_per_s=trades_per_s, quotes_per_s=quotes_per_s, depth_per_s=depth_per_s, shape="flat")

    def start(self) -> None:
        """Let the market move."""
        self._post("start")

    def stop(self) -> None:
        """Freeze the market: no id is given from now on."""
        self._post("stop")

    def fault(self, name: str, **parameters: float | str) -> None:
        """Let the exchange misbehave."""
        self._post("faults", fault=name, **parameters)

    def _post(self, path: str, **body: float | str) -> None:
        requests.post(f"{self._url}/sim/{path}", json=body, timeout=TIMEOUT_S).raise_for_status()


def market_of(state: Mapping[str, Any]) -> Market:
    """Read ``/sim/state``."""
    return Market(
        last={symbol: int(one["last_trade_id"]) for symbol, one in state["symbols"].items()},
        connections=tuple(sorted(map(_connection_of, state["connections"]), key=lambda one: one.since_s)),
    )


def _connection_of(one: Mapping[str, Any]) -> Connection:
    return Connection(
        since_s=float(one["since"]),
        closed_s=None if one["closed"] is None else float(one["closed"]),
        first=one["first_trade_id"],
        last=one["last_trade_id"],
    )
