"""Was every trade that was sent stored exactly once, or ledgered where that is allowed? Pure: sets in, findings out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from tests.chaos.ids import NONE, Ids, common, number_of, readable, without


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of the trades of one symbol.

    ``sent`` is what the exchange sent since the last account, ``stored`` and ``ledgered`` what the database says of
    ids above the last account's, ``duplicates`` the rows beyond the first of an id, ``disturbed`` the rows that came or
    went among the ids of earlier accounts. Only ids in ``losable`` may be in the ledger.
    """

    symbol: str
    sent: Ids
    stored: Ids
    ledgered: Ids = NONE
    duplicates: int = 0
    disturbed: int = 0
    losable: Ids = NONE

    @property
    def lost(self) -> Ids:
        """What was sent and is neither stored nor known to be missing."""
        return without(without(self.sent, self.stored), self.ledgered)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The accounts of all symbols, added up."""

    sent: int
    stored: int
    ledgered: int
    lost: int
    duplicates: int


class Bar(NamedTuple):
    """A bar's figures, as stored or as folded from the stored trades."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    buy_volume: float
    quote_volume: float
    trades: int


class BarKey(NamedTuple):
    """Which bar: ``minute`` is its start in Unix minutes."""

    symbol: str
    minute: int


class Unordered(NamedTuple):
    """How many trades of a symbol were received before the one with the next lower id, and the first of them."""

    symbol: str
    first: int
    rows: int


SUMS: Final = frozenset({"volume", "buy_volume", "quote_volume"})
SUM_TOLERANCE: Final = 1e-9
"""Two sums of the same doubles in different orders differ by less than this share."""


def totals(accounts: Iterable[Account]) -> Totals:
    """Add accounts up."""
    every = list(accounts)
    return Totals(
        sent=sum(number_of(one.sent) for one in every),
        stored=sum(number_of(one.stored) for one in every),
        ledgered=sum(number_of(one.ledgered) for one in every),
        lost=sum(number_of(one.lost) for one in every),
        duplicates=sum(one.duplicates for one in every),
    )


def findings(account: Account) -> list[str]:
    """Return every way in which an account is wrong, in words that name the ids; nothing when it is right."""
    wrong = {
        "sent, neither stored nor ledgered": account.lost,
        "stored, never sent": without(account.stored, account.sent),
        "ledgered, never sent": without(account.ledgered, account.sent),
        "stored and ledgered": common(account.stored, account.ledgered),
        "ledgered where nothing may be lost": without(account.ledgered, account.losable),
    }
    found = [f"{account.symbol}: {what}: {readable(ids)}" for what, ids in wrong.items() if ids]
    if account.duplicates:
        found.append(f"{account.symbol}: {account.duplicates} rows repeat an id")
    if account.disturbed:
        found.append(f"{account.symbol}: {account.disturbed} rows came or went among ids accounted for before")
    return found


def repeat_findings(repeated: int | None, dropped: int) -> list[str]:
    """Return whether admission dropped other than what the exchange repeated; None: it may have been any number."""
    if repeated in {None, dropped}:
        return []
    return [f"{dropped} trades were dropped as repeats, the exchange repeated {repeated}"]


def quarantine_findings(new: int, expected: int, reasons: Iterable[str]) -> list[str]:
    """Return whether the quarantine got other than what a fault put there; ``reasons`` are all that it holds."""
    return [] if new == expected else [f"{new} rows came into the quarantine, not {expected}: {'; '.join(reasons)}"]


def unordered_findings(found: Iterable[Unordered], expected: int) -> list[str]:
    """Return which trades lie out of order, unless they are no more than the fault explains."""
    every = list(found)
    if sum(one.rows for one in every) <= expected:
        return []
    return [
        f"{one.symbol}: {one.rows} trades were received before the one with the next lower id, the first {one.first}"
        for one in every
    ]


def bar_findings(folded: Mapping[BarKey, Bar], stored: Mapping[BarKey, Bar]) -> list[str]:
    """Return where the stored bars are not the fold of the stored trades."""
    found = []
    for key in sorted(folded.keys() | stored.keys()):
        made, kept = folded.get(key), stored.get(key)
        if made is None or kept is None:
            found.append(f"{key.symbol}: bar of minute {key.minute}: {'no trades' if made is None else 'not stored'}")
        else:
            found += [f"{key.symbol}: bar of minute {key.minute}: {one}" for one in _differences(made, kept)]
    return found


def _differences(made: Bar, kept: Bar) -> list[str]:
    return [
        f"{name} is {there}, the trades make {ours}"
        for name, ours, there in zip(Bar._fields, made, kept, strict=True)
        if (abs(ours - there) > SUM_TOLERANCE * max(1.0, abs(ours)) if name in SUMS else ours != there)
    ]
