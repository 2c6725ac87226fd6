"""Is it alive? Three levels, each a function of now.

The transport answers pings (``transport``), the channel says something (``Channel``), and each symbol speaks as often
as it usually does while its market is open (``Symbols``).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Final

HEARTBEATS: Final = 3
"""So many promised heartbeats may be missed before a channel counts as mute."""

HEARD_AGAIN: Final = 2
"""In so many looks a silent symbol has to be heard: a snapshot after a new connection makes one tick of a mute one."""

NS: Final = 1_000_000_000


class Channel:
    """Whether a connection that is open says anything."""

    def __init__(self, *, heartbeat_s: float | None, silence_s: float, opened_ns: int) -> None:
        self.limit_s = HEARTBEATS * heartbeat_s if heartbeat_s else silence_s
        self.promised = heartbeat_s is not None
        self._heard = 0
        self._quiet_from_ns = opened_ns

    def mute_s(self, now_ns: int, heard: int, *, excused: bool) -> float | None:
        """Return the seconds of a silence that is too long, else None.

        ``heard`` counts the messages heard so far; ``excused`` says that silence means nothing now.
        """
        if excused or heard != self._heard:
            self._heard, self._quiet_from_ns = heard, now_ns
        silence_s = (now_ns - self._quiet_from_ns) / NS
        return silence_s if silence_s > self.limit_s else None


class Usual:
    """What gaps between a symbol's ticks usually are: the smoothed mean and deviation of RFC 6298, in seconds."""

    __slots__ = ("_deviation_s", "_mean_s")

    def __init__(self) -> None:
        self._mean_s: float | None = None
        self._deviation_s = 0.0

    def learn(self, gap_s: float) -> None:
        """Take one gap into account."""
        if self._mean_s is None:
            self._mean_s, self._deviation_s = gap_s, gap_s / 2
            return
        self._deviation_s += (abs(gap_s - self._mean_s) - self._deviation_s) / 4
        self._mean_s += (gap_s - self._mean_s) / 8

    @property
    def gap_s(self) -> float | None:
        """The mean plus four deviations; None before two ticks were seen."""
        return None if self._mean_s is None else self._mean_s + 4 * self._deviation_s


@dataclass(slots=True)
class _Watched:
    usual: Usual = field(default_factory=Usual)
    mark: int = 0
    heard_ns: int | None = None
    waits_from_ns: int = 0
    again: int = 0


class Symbols:
    """Which symbols are silent for longer than they usually are."""

    def __init__(self, symbols: Iterable[str], *, floor_s: float, factor: float) -> None:
        self._floor_s = floor_s
        self._factor = factor
        self._watched = {symbol: _Watched() for symbol in symbols}
        self.silent: dict[str, float] = {}
        """Seconds of silence by symbol."""

    def restart(self, now_ns: int) -> None:
        """Begin a connection: no gap reaches back over it."""
        for one in self._watched.values():
            one.heard_ns, one.waits_from_ns = None, now_ns

    def look(
        self, now_ns: int, mark_of: Callable[[str], int], is_open: Callable[[str], bool]
    ) -> tuple[list[str], list[str]]:
        """Return the symbols that fell silent and those that speak again, or need not, since the last look.

        ``mark_of`` gives a number that changes whenever the symbol is heard. Call it about once a second. A symbol
        that was never heard is never called silent: its market may be thin.
        """
        fell, spoke = [], []
        for symbol, one in self._watched.items():
            heard = _hear(one, mark_of(symbol), now_ns)
            if not is_open(symbol):
                # A gap over a closed market teaches nothing, and waiting begins anew when it opens.
                one.heard_ns, one.waits_from_ns = None, now_ns
                one.again = HEARD_AGAIN
            elif heard:
                one.again += 1
            age_s = (now_ns - one.waits_from_ns) / NS
            if age_s > self.limit_s(symbol):
                one.again = 0
                if symbol not in self.silent:
                    fell.append(symbol)
                self.silent[symbol] = age_s
            elif symbol in self.silent and one.again >= HEARD_AGAIN:
                del self.silent[symbol]
                spoke.append(symbol)
        return fell, spoke

    def limit_s(self, symbol: str) -> float:
        """Return the longest silence of a symbol that is nothing special, infinite before it is known."""
        gap_s = self._watched[symbol].usual.gap_s
        return inf if gap_s is None else max(self._floor_s, self._factor * gap_s)


def _hear(one: _Watched, mark: int, now_ns: int) -> bool:
    """Note whether the symbol was heard since the last look, and after what gap."""
    if mark == one.mark:
        return False
    if one.heard_ns is not None:
        one.usual.learn((now_ns - one.heard_ns) / NS)
    one.mark, one.heard_ns, one.waits_from_ns = mark, now_ns, now_ns
    return True
