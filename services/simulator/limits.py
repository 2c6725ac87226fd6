"""Rate limits as exchanges keep them: weight a minute with 429 and then 418, attempts and messages in a window."""

from collections import deque
from dataclasses import dataclass
from typing import Final

MINUTE_S: Final = 60.0
REFUSALS_BEFORE_BAN: Final = 20
"""How often a client may ignore 429 within a minute before it is banned; Binance does not say its number."""
FIRST_BAN_S: Final = 120.0
LONGEST_BAN_S: Final = 3 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says to a request: 0 to go on or the HTTP status to refuse with, and what was used so far."""

    status: int
    used: int
    retry_after_s: float = 0.0


@dataclass(slots=True)
class _Account:
    minute: int = -1
    used: int = 0
    refused: int = 0
    bans: int = 0
    banned_until_s: float = 0.0


class Weights:
    """The weight one address has used in the running minute."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._accounts: dict[str, _Account] = {}

    def spend(self, address: str, weight: int, now_s: float) -> Verdict:
        """Charge a request; refuse it with 429 above the limit and with 418 once that was ignored too often."""
        account = self._accounts.setdefault(address, _Account())
        if now_s < account.banned_until_s:
            return Verdict(418, account.used, account.banned_until_s - now_s)
        minute = int(now_s // MINUTE_S)
        if account.minute != minute:
            account.minute, account.used, account.refused = minute, 0, 0
        account.used += weight
        if self.limit == 0 or account.used <= self.limit:
            return Verdict(0, account.used)
        account.refused += 1
        if account.refused > REFUSALS_BEFORE_BAN:
            account.bans += 1
            ban_s = min(LONGEST_BAN_S, FIRST_BAN_S * 2 ** (account.bans - 1))
            account.banned_until_s = now_s + ban_s
            return Verdict(418, account.used, ban_s)
        return Verdict(429, account.used, MINUTE_S - now_s % MINUTE_S)


class SlidingWindow:
    """At most ``limit`` events in any ``span_s`` seconds; a limit of 0 is none."""

    def __init__(self, limit: int, span_s: float) -> None:
        self._limit = limit
        self._span_s = span_s
        self._times: deque[float] = deque()

    def admits(self, now_s: float) -> bool:
        """Count one event; return whether it is within the limit."""
        while self._times and self._times[0] <= now_s - self._span_s:
            self._times.popleft()
        if self._limit and len(self._times) >= self._limit:
            return False
        if self._limit:
            self._times.append(now_s)
        return True

    def wait_s(self, now_s: float) -> float:
        """Return how long until the next event is within the limit."""
        return max(0.0, self._times[0] + self._span_s - now_s) if self._times else 0.0


class Windows:
    """One sliding window for each address."""

    def __init__(self, limit: int, span_s: float) -> None:
        self._limit = limit
        self._span_s = span_s
        self._windows: dict[str, SlidingWindow] = {}

    def admits(self, address: str, now_s: float) -> bool:
        """Count one event of an address; return whether it is within the limit."""
        window = self._windows.setdefault(address, SlidingWindow(self._limit, self._span_s))
        return window.admits(now_s)

    def wait_s(self, address: str, now_s: float) -> float:
        """Return how long an address has to wait."""
        return self._windows[address].wait_s(now_s) if address in self._windows else 0.0
