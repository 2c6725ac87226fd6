"""Faults on demand: what may go wrong, and for how long or how often.

A fault is data. ``tampering`` carries out those that change messages, ``injector`` those that act on sockets, and the
doors (WebSocket handshake, REST) ask the board. None of them touches the market: what a fault withholds stays in the
REST history.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]
CloseCode: TypeAlias = Annotated[int, Field(ge=1000, le=4999)]
KindName: TypeAlias = Literal["trade", "agg_trade", "quote", "depth", "kline"]

FOR_EVER_MS: Final = 2**62

NOT_TO_BE_SENT: Final = frozenset({1004, 1005, 1006, 1015})
"""Close codes that only ever describe what happened, RFC 6455 section 7.4.1."""


class Fault(BaseModel):
    """What every fault has: none lasts longer than ``seconds``, if given, or until the board is cleared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: Seconds | None = None


class SocketFault(Fault):
    """One that acts on the open connections, or on one of them by its id in ``/sim/state``."""

    connection: int | None = None


class MuteSocket(SocketFault):
    """The connections open now stay open and say nothing; pings are answered."""


class SlowReads(SocketFault):
    """The server stops reading what the client sends."""

    seconds: Seconds = 10.0


class Close(SocketFault):
    """The server closes with a code."""

    code: CloseCode = 1001
    reason: Annotated[str, Field(max_length=100, pattern="^[ -~]*$")] = ""

    @model_validator(mode="after")
    def _sendable(self) -> "Close":
        if self.code in NOT_TO_BE_SENT or 1016 <= self.code < 3000:
            raise ValueError(f"code: {self.code} may not be sent in a close frame")
        return self


class Rollover(Close):
    """The end of a connection's 24 hours: closed after ``seconds``, announced by ``serverShutdown`` or not."""

    seconds: Seconds = 10.0
    warn: bool = True


class MuteSymbol(Fault):
    """One symbol falls silent while all else goes on."""

    symbol: str
    kinds: tuple[KindName, ...] | None = None


class MessageFault(Fault):
    """One that changes the next ``count`` messages of a kind, of one symbol or of any."""

    symbol: str | None = None
    kind: KindName = "trade"
    count: Count = 1


class Gap(MessageFault):
    """Messages are withheld: ids are skipped on the wire and found in the REST history."""


class Duplicate(MessageFault):
    """Each message is sent twice."""


class Reorder(MessageFault):
    """Messages of one stream are held and sent last one first."""

    count: Annotated[int, Field(ge=2, le=10_000)] = 2


class Overlap(MessageFault):
    """Messages of one stream are sent, and then all of them again."""

    count: Annotated[int, Field(ge=1, le=10_000)] = 10


class Truncated(MessageFault):
    """Messages break off in the middle."""


class WrongTypes(MessageFault):
    """Messages keep their fields and have nonsense in them."""


class Garbage(MessageFault):
    """Frames that are no JSON at all come before messages; nothing is withheld."""


class AcceptThenClose(Fault):
    """New connections are accepted and closed at once, or after some seconds with answers but no market in them."""

    count: Count | None = None
    after_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    code: CloseCode = 1008


class Refuse(Fault):
    """New connections are reset, or answered with an HTTP status instead of the upgrade."""

    count: Count | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None


class Limited(Fault):
    """REST answers that it was asked too often, with ``Retry-After`` as seconds or as a date."""

    count: Count | None = None
    retry_after_s: Annotated[int, Field(ge=0, le=86_400)] = 5
    form: Literal["seconds", "date"] = "seconds"


class RateLimit(Limited):
    """Binance's REST answers 429, or 418."""

    status: Literal[429, 418] = 429


class TickdbLimit(Limited):
    """TickDB's REST answers code 3001."""

    status: Literal[200, 429] = 429


class Burst(Fault):
    """The market runs ``factor`` times as fast."""

    seconds: Seconds = 10.0
    factor: Annotated[float, Field(gt=0, le=1000)] = 10.0
    symbol: str | None = None


FAULTS: Final[dict[str, type[Fault]]] = {
    "mute_socket": MuteSocket,
    "mute_symbol": MuteSymbol,
    "gap": Gap,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "overlap": Overlap,
    "garbage": Garbage,
    "truncated": Truncated,
    "wrong_types": WrongTypes,
    "slow_reads": SlowReads,
    "close": Close,
    "accept_then_close": AcceptThenClose,
    "refuse": Refuse,
    "rate_limit": RateLimit,
    "tickdb_limit": TickdbLimit,
    "rollover": Rollover,
    "burst": Burst,
}

NAMES: Final = {model: name for name, model in FAULTS.items()}


class FaultError(Exception):
    """A description of a fault that makes none; ``problems`` are pairs of field and message."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" for field, message in problems))
        self.problems = problems


def fault_of(described: object, symbols: frozenset[str]) -> Fault:
    """Return the fault that a mapping with the key ``fault`` describes. Raises FaultError."""
    if not isinstance(described, Mapping):
        raise FaultError([("body", "a fault is an object with the field fault")])
    name = described.get("fault")
    model = FAULTS.get(name) if isinstance(name, str) else None
    if model is None:
        raise FaultError([("fault", f"must be one of {', '.join(FAULTS)}")])
    try:
        fault = model.model_validate({key: value for key, value in described.items() if key != "fault"})
    except ValidationError as error:
        raise FaultError([_problem(one["loc"], one["msg"]) for one in error.errors()]) from error
    symbol = getattr(fault, "symbol", None)
    if symbol is not None and symbol not in symbols:
        raise FaultError([("symbol", f"unknown symbol {symbol!r}; listed are {', '.join(sorted(symbols))}")])
    return fault


def _problem(location: tuple[int | str, ...], message: str) -> tuple[str, str]:
    if location:
        return str(location[0]), message
    field, _, rest = message.removeprefix("Value error, ").partition(": ")
    return field, rest or message


@dataclass(slots=True, eq=False)
class ActiveFault:
    """A fault in force; ``left`` counts what it may still do, None for without limit."""

    fault_id: int
    fault: Fault
    since_ms: int
    until_ms: int | None
    left: int | None

    @property
    def name(self) -> str:
        """The fault's name."""
        return NAMES[type(self.fault)]

    def over(self, now_ms: int) -> bool:
        """Return whether it has run out."""
        return self.left == 0 or (self.until_ms is not None and now_ms >= self.until_ms)

    def use(self) -> None:
        """Count one use."""
        if self.left is not None:
            self.left -= 1

    def as_json(self) -> dict[str, object]:
        """Return the fault as ``/sim/faults`` shows it."""
        described = self.fault.model_dump(exclude_none=True)
        until = None if self.until_ms is None else self.until_ms / 1000
        since = self.since_ms / 1000
        return {"id": self.fault_id, "fault": self.name, **described, "since": since, "until": until, "left": self.left}


F = TypeVar("F", bound=Fault)


class Board:
    """The faults in force."""

    def __init__(self) -> None:
        self._active: dict[int, ActiveFault] = {}
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._active)

    def add(self, fault: Fault, now_ms: int) -> ActiveFault:
        """Put a fault in force."""
        until_ms = None if fault.seconds is None else now_ms + round(fault.seconds * 1000)
        active = ActiveFault(self._next_id, fault, now_ms, until_ms, getattr(fault, "count", None))
        self._active[active.fault_id] = active
        self._next_id += 1
        return active

    def clear(self) -> None:
        """End every fault."""
        self._active.clear()

    def remove(self, fault_id: int) -> None:
        """End one fault, if it is in force."""
        self._active.pop(fault_id, None)

    def sweep(self, now_ms: int) -> None:
        """Forget what has run out."""
        for active in [one for one in self._active.values() if one.over(now_ms)]:
            del self._active[active.fault_id]

    def active(self) -> list[ActiveFault]:
        """Return everything in force, oldest first."""
        return list(self._active.values())

    def use(self, kind: type[F], now_ms: int) -> F | None:
        """Return a fault of a kind that is in force and count the use, or None."""
        for active in self._active.values():
            if isinstance(active.fault, kind) and not active.over(now_ms):
                active.use()
                return active.fault
        return None

    def factor(self, symbol: str, now_ms: int) -> float:
        """Return how many times as fast as usual a symbol's market is to run."""
        product = 1.0
        for active in self._active.values():
            fault = active.fault
            if isinstance(fault, Burst) and fault.symbol in {None, symbol} and not active.over(now_ms):
                product *= fault.factor
        return product
