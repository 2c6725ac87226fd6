"""A day of six services' logs, made up: busy at the open and the close, with bursts of errors. Pure.

The same seed, day and service give the same lines.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, TypeAlias

Random: TypeAlias = random.Random

HOURS: Final = (2, 2, 2, 2, 2, 2, 3, 4, 5, 5, 5, 6, 8, 18, 30, 16, 10, 9, 11, 20, 28, 8, 3, 2)
"""How busy each hour of UTC is: New York opens within the fourteenth and closes within the twenty-first."""

SLOTS: Final[Mapping[str, Callable[[Random], object]]] = {
    "account": lambda random: f"ACC-{random.randint(10, 99)}",
    "batch": lambda random: random.randint(100, 999),
    "code": lambda random: random.choice((1001, 1006, 1012)),
    "count": lambda random: random.randint(1, 900),
    "few": lambda random: random.randint(3, 60),
    "ms": lambda random: int(random.lognormvariate(3.2, 0.7)) + 1,
    "order": lambda random: f"ORD-{random.randint(100_000, 999_999)}",
    "partner": lambda random: f"CP-{random.randint(1, 40)}",
    "percent": lambda random: f"{random.uniform(80, 99):.1f}",
    "pin": lambda random: random.randint(1000, 9999),
    "port": lambda random: random.choice((6379, 6380)),
    "price": lambda random: f"{random.uniform(20, 900):.2f}",
    "symbol": lambda random: random.choice(("AAPL", "MSFT", "NVDA", "TSLA", "SPY", "BTCUSDT", "ETHUSDT")),
    "trade": lambda random: f"T-{random.randint(10_000, 99_999)}",
    "try": lambda random: random.randint(1, 3),
    "user": lambda random: random.choice(("amara", "bo", "chen", "desk-3", "svc-reporting")),
    "where": lambda random: f"203.0.113.{random.randint(2, 250)}",
}
"""What stands in braces in a text."""


class _Slots(dict[str, object]):
    """Makes what a text asks for."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random

    def __missing__(self, name: str) -> object:
        return SLOTS[name](self._random)


def _today(days_before: int) -> bool:
    return days_before == 0


def _earlier(days_before: int) -> bool:
    return days_before > 0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of line: of how many in a thousand of its service's, on which days, and in which hour all of them come.

    ``days`` is told the distance to the day that was asked for: 0 is that day, 1 the one before.
    """

    level: str
    text: str
    per_mille: float
    days: Callable[[int], bool] = lambda _: True
    hour: int | None = None


BROKER_AWAY: Final = "Request failed: POST https://broker.example/v2/orders 503 after {ms} ms (attempt {try}/3)"

SERVICES: Final[Mapping[str, Sequence[Kind]]] = {
    "trade-engine": (
        Kind("INFO", "Order {order} filled: {count} {symbol} @ {price}", 700),
        Kind("DEBUG", "Book of {symbol} matched in {ms} us", 280),
        Kind("WARNING", "Slow match: {order} took {count} ms", 14),
        Kind("ERROR", "Order {order} rejected: price {price} outside the band", 5),
    ),
    "order-gateway": (
        Kind("INFO", "Request succeeded: POST https://broker.example/v2/orders 201 in {ms} ms", 850),
        Kind("INFO", "Session of {user} opened from {where}", 120),
        Kind("WARNING", "Client {user} is limited to {few} orders a second", 20),
        Kind("ERROR", BROKER_AWAY, 6),
        Kind("ERROR", BROKER_AWAY, 90, days=_today, hour=14),
    ),
    "risk-service": (
        Kind("INFO", "Limits of account {account} checked in {ms} ms", 930),
        Kind("WARNING", "Exposure of {account} at {percent} % of its limit", 60),
        Kind("ERROR", "Position of {account} is stale by {few} s", 3),
        Kind("ERROR", "Margin model gave no number for {account}, '{symbol}'", 7, days=_today, hour=13),
    ),
    "market-data-feed": (
        Kind("INFO", "Request succeeded: GET https://data.example/snapshot/{symbol} 200 in {ms} ms", 500),
        Kind("DEBUG", "{count} updates of {symbol} applied", 470),
        Kind("WARNING", "Connection lost: wss://data.example/stream closed with {code}", 4),
        Kind("INFO", "Connected: wss://data.example/stream", 4),
        Kind("ERROR", "Request failed: GET https://data.example/snapshot/{symbol} timed out after 15 s", 7),
    ),
    "settlement-service": (
        Kind("INFO", "Trade {trade} settled with {partner}", 960),
        Kind("WARNING", "Confirmation of {trade} is late by {few} min", 25),
        Kind("ERROR", "Settlement of {trade} failed: account {partner} is unknown", 8),
        Kind("ERROR", "Acknowledgement of batch {batch} is overdue", 5, days=_earlier, hour=22),
        Kind("CRITICAL", "Ledger is out of balance by {price} USD", 1, days=_today, hour=21),
    ),
    "auth-service": (
        Kind("INFO", "Token issued to '{user}' for {few} min", 940),
        Kind("WARNING", "Login of '{user}' from {where} refused: password={pin}", 50),
        Kind("ERROR", "Key store 10.0.3.7:{port} did not answer within {few} s", 4),
    ),
}
"""What each says, roughly as often as such services do. The passwords are there so that nobody finds them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: lines a service and day, the part of them that is malformed, and the seed."""

    lines: int
    malformed: float
    seed: int


def lines_of(service: str, day: date, days_before: int, wish: Wish) -> Iterator[bytes]:
    """Yield a service's lines of a day in the order of their times, each with its end."""
    chance = Random(f"{wish.seed} {service} {day}")
    yield _line(day, 1, service, "INFO", f"Started, version 4.{chance.randint(0, 9)}")
    for second, kind in sorted(_moments(service, days_before, wish, chance), key=lambda one: one[0]):
        line = _line(day, second, service, kind.level, kind.text.format_map(_Slots(chance)))
        yield _spoilt(line, chance) if chance.random() < wish.malformed else line


def _moments(service: str, days_before: int, wish: Wish, chance: Random) -> Iterator[tuple[int, Kind]]:
    for kind in SERVICES[service]:
        if not kind.days(days_before):
            continue
        for _ in range(round(wish.lines * kind.per_mille / 1000 * chance.uniform(0.85, 1.15))):
            hour = chance.choices(range(24), HOURS)[0] if kind.hour is None else kind.hour
            yield hour * 3600 + chance.randrange(2, 3600), kind


def _line(day: date, second: int, service: str, level: str, text: str) -> bytes:
    moment = datetime.combine(day, time()) + timedelta(seconds=second)
    return f"{moment:%Y-%m-%d %H:%M:%S} [{level}] {service}: {text}\n".encode()


def _spoilt(line: bytes, chance: Random) -> bytes:
    """Return what becomes of a line when a disk is full, a process dies or two write at once."""
    kind = chance.randrange(4)
    if kind == 0:
        return line[: chance.randint(1, 22)] + b"\n"
    if kind == 1:
        return chance.randbytes(40).replace(b"\n", b"") + b"\n"
    if kind == 2:
        return b"    at " + line[20:]
    return line[:4] + b"\xff\xfe" + line[4:]
