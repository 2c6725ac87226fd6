"""One fault after the other on a running stack: load, harm, recovery, the end of the market, the account."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from nightdesk.errors import UnavailableError
from tests.chaos.evidence import FEED, Evidence, Rows
from tests.chaos.ids import NONE, Ids, above, ids_of
from tests.chaos.injection import Inject, Injected, losable
from tests.chaos.memory import Memory, grown, growth_findings, growths_mb
from tests.chaos.observer import Observer
from tests.chaos.simulator import Market, Simulator
from tests.chaos.stacks import Stack
from tests.chaos.verification import (
    Account,
    Totals,
    bar_findings,
    findings,
    quarantine_findings,
    repeat_findings,
    totals,
    unordered_findings,
)

FLOW_LIMIT_S: Final = 60.0
DRAIN_LIMIT_S: Final = 90.0
AFTERMATH_LIMIT_S: Final = 60.0
LOOK_S: Final = 0.05
QUIET_S: Final = 0.5
BAR_FINDINGS_SHOWN: Final = 5

Check: TypeAlias = Callable[[Simulator, Evidence], list[str]]
"""Looks at the exchange and at the database, both at rest, and says in words what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How fast the market is, totals over all symbols, and for how long before a fault and after its recovery."""

    trades_per_s: float = 5000.0
    quotes_per_s: float = 500.0
    depth_per_s: float = 50.0
    before_s: float = 4.0
    after_s: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a fault did; ``recovery_s`` is None when nothing was committed again, ``dropped`` are admission's."""

    fault: str
    on: str
    totals: Totals
    recovery_s: float | None
    peak_mb: float
    dropped: int
    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()
    goes_on: bool = True
    """Whether the stack can take another fault."""

    def as_json(self) -> dict[str, object]:
        """Return the row of ``build/chaos.json``."""
        sums = self.totals
        return {
            "on": self.on,
            "fault": self.fault,
            "sent": sums.sent,
            "stored": sums.stored,
            "ledgered": sums.ledgered,
            "lost": sums.lost,
            "duplicates": sums.duplicates,
            "recovery_s": None if self.recovery_s is None else round(self.recovery_s, 2),
            "peak_mb": round(self.peak_mb, 1),
        }


class Harness:
    """Faults on one running stack, one after the other; each is accounted for from where the last account ended.

    ``checks`` are asked once the market stopped and everything is drained.
    """

    def __init__(self, stack: Stack, load: Load, checks: Sequence[Check] = ()) -> None:
        self._stack = stack
        self._load = load
        self._checks = checks
        self._simulator = Simulator(stack.simulator_url())
        self._evidence = Evidence(stack)
        self._memory = Memory(stack)
        self._observer = Observer(stack, FEED)
        self._accounted: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self._dropped = 0
        self._quarantined = 0
        self._since_s = 0.0
        """A whole minute; no trade of this fault is older."""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch memory and the streams while the block runs."""
        self._memory.start()
        self._observer.start()
        try:
            yield
        finally:
            self._memory.stop()
            self._observer.stop()

    def run(self, fault: str, inject: Inject) -> Outcome:
        """Let a fault strike under load and account for every trade. Raises UnavailableError when nothing flows."""
        self._flow()
        self._memory.take_peak_mb()
        time.sleep(self._load.before_s)
        held = self._memory.held_mb()
        injected = inject(self._stack, self._simulator)
        recovery_s, wrong = self._recover(injected)
        time.sleep(self._load.after_s)
        market, drained = self._end_market()
        growths = growths_mb(held, self._memory.held_mb())
        peak_mb = self._memory.take_peak_mb()
        accounts = self._accounts(market, injected)
        dropped = self._newly_dropped()
        return Outcome(
            fault=fault,
            on=self._stack.on,
            totals=totals(accounts),
            recovery_s=recovery_s,
            peak_mb=peak_mb,
            dropped=dropped,
            findings=(
                *wrong,
                *([] if drained else [f"not everything was committed {DRAIN_LIMIT_S:.0f} s after the market stopped"]),
                *(one for account in accounts for one in findings(account)),
                *growth_findings(growths),
                *repeat_findings(injected.repeated, dropped),
                *self._other_findings(injected, market),
            ),
            notes=(*injected.notes, grown(growths)),
            goes_on=drained and recovery_s is not None,
        )

    def final_findings(self) -> list[str]:
        """Return what is wrong over all faults: bars of any time, processes that grew since they were first calm."""
        return [*self._bar_findings(0.0), *growth_findings(self._memory.growths_mb(), since="since it began")]

    # -- load and waiting --------------------------------------------------------------------------------------

    def _flow(self) -> None:
        """Let the market move and wait until its trades are committed."""
        load = self._load
        self._simulator.set_rates(
            trades_per_s=load.trades_per_s, quotes_per_s=load.quotes_per_s, depth_per_s=load.depth_per_s
        )
        self._simulator.start()
        started_s = time.time()
        if not self._wait(lambda: self._evidence.newest_s() > started_s, FLOW_LIMIT_S):
            raise UnavailableError(f"no trade was committed {FLOW_LIMIT_S:.0f} s after the market started")

    def _recovery_s(self, at_s: float, limit_s: float) -> float | None:
        """Wait until a trade received after a moment is committed, one of every symbol: of every consumer, then."""
        recovered = self._wait(lambda: self._evidence.newest_s() > at_s, limit_s)
        return time.time() - at_s if recovered else None

    def _is_drained(self, market: Market) -> bool:
        marks = self._evidence.marks()
        return all(marks.get(symbol, 0) >= market.last[symbol] for symbol in market.symbols)

    def _wait(self, happened: Callable[[], bool], limit_s: float) -> bool:
        """Ask until it happened, or time is up; a database that does not answer has not said yes."""
        deadline_s = time.monotonic() + limit_s
        while time.monotonic() < deadline_s:
            with contextlib.suppress(UnavailableError):
                if happened():
                    return True
            time.sleep(LOOK_S)
        return False

    def _recover(self, injected: Injected) -> tuple[float | None, list[str]]:
        """Wait for the recovery and do what comes after it; return how long it took and what is wrong."""
        limit_s = injected.recovery_limit_s
        recovery_s = self._recovery_s(injected.at_s, limit_s)
        wrong = [*injected.wrong, *injected.then()]
        if recovery_s is None:
            wrong.append(f"nothing received after the fault was committed within {limit_s:.0f} s")
        elif self._recovery_s(time.time(), AFTERMATH_LIMIT_S) is None:
            wrong.append(f"nothing received after its end was committed within {AFTERMATH_LIMIT_S:.0f} s")
        return recovery_s, wrong

    def _end_market(self) -> tuple[Market, bool]:
        """Stop the market and every fault of the exchange; return it, and whether all of it was committed in time."""
        self._simulator.clear()
        self._simulator.stop()
        market = self._simulator.market()
        return market, self._wait(lambda: self._is_drained(market), DRAIN_LIMIT_S)

    # -- the account -------------------------------------------------------------------------------------------

    def _accounts(self, market: Market, injected: Injected) -> list[Account]:
        floors = self._floors(market)
        stored, ledgered = self._evidence.stored(floors, self._since_s), self._evidence.ledgered()
        windows = losable(injected, market, self._rates(market))
        return [
            self._account(
                symbol,
                ids_of([(floor + 1, market.last[symbol])]),
                stored.get(symbol, Rows()),
                above(ledgered.get(symbol, NONE), floor),
                windows.get(symbol, NONE),
            )
            for symbol, floor in floors.items()
        ]

    def _floors(self, market: Market) -> dict[str, int]:
        """The last id of each symbol that is accounted for, or the one before the first that anyone heard."""
        return {one: self._accounted.get(one, market.first_listener(one) - 1) for one in market.symbols}

    def _account(self, symbol: str, sent: Ids, rows: Rows, ledgered: Ids, window: Ids) -> Account:
        before, self._rows[symbol] = self._rows.get(symbol, 0), rows.rows_before + rows.rows
        return Account(
            symbol=symbol,
            sent=sent,
            stored=rows.ids,
            ledgered=ledgered,
            duplicates=rows.duplicates,
            disturbed=abs(rows.rows_before - before) + rows.strays,
            losable=window,
        )

    def _rates(self, market: Market) -> Mapping[str, float]:
        symbols = market.symbols
        return dict.fromkeys(symbols, self._load.trades_per_s / len(symbols))

    def _newly_dropped(self) -> int:
        before, self._dropped = self._dropped, self._evidence.dropped()
        return self._dropped - before

    def _other_findings(self, injected: Injected, market: Market) -> list[str]:
        floors = self._floors(market)
        self._accounted = {symbol: market.last[symbol] for symbol in floors}
        since_s, self._since_s = self._since_s, 60.0 * (time.time() // 60 - 1)
        return [
            *self._bar_findings(since_s),
            *unordered_findings(self._evidence.unordered(floors, since_s), injected.received_late),
            *self._quarantine_findings(injected.quarantined),
            *self._observer.order.findings(disordered=injected.disordered, receipts=not injected.receipts_overlap),
            *(one for check in self._checks for one in check(self._simulator, self._evidence)),
        ]

    def _bar_findings(self, since_s: float) -> list[str]:
        found = bar_findings(self._evidence.folded_bars(since_s), self._evidence.stored_bars(since_s))
        return found[:BAR_FINDINGS_SHOWN]

    def _quarantine_findings(self, expected: int) -> list[str]:
        held = self._evidence.quarantined()
        before, self._quarantined = self._quarantined, sum(held.values())
        return quarantine_findings(self._quarantined - before, expected, held)
