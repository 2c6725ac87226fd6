"""The simulator's control over HTTP, as far as the harness needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from nightdesk.errors import UnavailableError
from tests.chaos.ids import Ids, ids_of, without

TIMEOUT_S: Final = (3.05, 15.0)
RATES: Final = ("trades_per_s", "quotes_per_s", "depth_per_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A client's account: when it came (Unix seconds) and which trade ids were sent to it, by symbol."""

    since_s: float
    closed_s: float | None
    first: Mapping[str, int]
    last: Mapping[str, int]
    sent: Mapping[str, Ids]
    messages: Mapping[str, int] = field(default_factory=dict)
    """How many went out, by kind."""


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

    @property
    def listening(self) -> Connection:
        """The connection that is open now, the newest of several. Raises UnavailableError without one."""
        for one in reversed(self.connections):
            if one.closed_s is None:
                return one
        raise UnavailableError("nobody is connected to the exchange")

    @property
    def trades(self) -> int:
        """A number that rises with every trade of any symbol."""
        return sum(self.last.values())

    def since(self, moment_s: float) -> list[Connection]:
        """Return the connections that came after a moment, oldest first."""
        return [one for one in self.connections if one.since_s > moment_s]

    def closed_s(self, connection: Connection) -> float | None:
        """Return when a connection ended, None while it is open."""
        return next(one.closed_s for one in self.connections if one.since_s == connection.since_s)

    def withheld(self, symbol: str) -> Ids:
        """Return the trade ids since the first listener that were sent to nobody."""
        sent = [run for one in self.connections for run in one.sent.get(symbol, ())]
        return without(((self.first_listener(symbol), self.last[symbol]),), ids_of(sent))

    def resumed_at(self, symbol: str, cut: Connection) -> int | None:
        """Return the first trade id sent to the next client that heard the symbol; None when there is none."""
        later = [one for one in self.connections if one.since_s > cut.since_s and symbol in one.first]
        return min(later, key=lambda one: one.since_s).first[symbol] if later else None


class Simulator:
    """One running simulator."""

    def __init__(self, url: str) -> None:
        self._url = url

    def market(self) -> Market:
        """Return what the exchange did so far."""
        return market_of(self._get("state"))

    def symbols(self) -> list[str]:
        """Return the symbols somebody listened to."""
        return self.market().symbols

    def book(self, symbol: str) -> dict[str, Any]:
        """Return the true book."""
        return dict(self._get(f"book/{symbol}"))

    def in_force(self) -> list[str]:
        """Return the faults that are not over, by name."""
        return [one["fault"] for one in self._get("faults")["faults"]]

    def clear(self) -> None:
        """End every fault."""
        requests.delete(f"{self._url}/sim/faults", timeout=TIMEOUT_S).raise_for_status()

    def set_rates(self, *, trades_per_s: float | str, quotes_per_s: float, depth_per_s: float) -> None:
        """Set the totals over all pairs, the same at every moment; trades ``max`` is as fast as clients take them."""
        self._post("rate", trades_per_s=trades_per_s, quotes_per_s=quotes_per_s, depth_per_s=depth_per_s, shape="flat")

    def rates(self) -> dict[str, float]:
        """Return the totals over all pairs, as ``set_rates`` takes them."""
        heard = set(self.symbols())
        found = [one["rates"] for symbol, one in self._get("state")["symbols"].items() if symbol in heard]
        return {name: sum(float(one[name]) for one in found) for name in RATES}

    def start(self) -> None:
        """Let the market move."""
        self._post("start")

    def stop(self) -> None:
        """Freeze the market: no id is given from now on."""
        self._post("stop")

    def fault(self, name: str, **parameters: float | str) -> None:
        """Let the exchange misbehave."""
        self._post("faults", fault=name, **parameters)

    def _get(self, path: str) -> Any:
        answer = requests.get(f"{self._url}/sim/{path}", timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

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
        sent={symbol: ids_of((low, high) for low, high in runs) for symbol, runs in one["trade_ids"].items()},
        messages=one.get("messages", {}),
    )
