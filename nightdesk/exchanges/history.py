"""What an exchange's REST interface knows of the past: what to ask, what it costs, and how to read the answers. Pure.

One file an exchange, each with a class of the shape ``History``; ``nightdesk.exchanges.histories`` lists them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, NoReturn, Protocol, TypeAlias, TypeVar

import msgspec

from nightdesk.admission import Interval
from nightdesk.errors import ExchangeError
from nightdesk.ticks import AggTrade, Kind, Trade

T = TypeVar("T")

MINUTE_NS: Final = 60 * 10**9
NS_PER_MS: Final = 10**6

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Ms: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**63 // NS_PER_MS)]
Price: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1e18)]
Size: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e18)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question: where it is asked, and what it costs in the exchange's own weight."""

    url: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the exchange has of a run of ids: ``ticks`` rising, and ``covered``, the ids it spoke of.

    An id that is covered and has no tick is one the exchange does not have. ``covered`` is None when it had nothing to
    say, which may only mean that its history is behind its stream.
    """

    ticks: Sequence[Trade | AggTrade]
    covered: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """The exchange's own one-minute candle, in its own digits; None where it does not say."""

    open_ns: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal | None = None
    trades: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody traded: some exchanges send a flat candle for such a minute, some none."""
        return not self.volume and not self.trades


class History(Protocol):
    """One exchange's past.

    ``sources`` names, by kind, where ticks are found by their ids; a kind that is not in it has none. ``time_source``
    names where trades are found by their time, ``candle_source`` where candles are from, of which ``candles_a_page`` is
    the most that one answer holds.
    """

    sources: Mapping[Kind, str]
    time_source: str
    candle_source: str
    candles_a_page: int

    def headers(self, api_key: str) -> Mapping[str, str]:
        """Return what is to be sent along with every request."""

    def limited(self, body: bytes) -> bool:
        """Whether an answer says, whatever its status, that too much was asked for."""

    def knows_not(self, error: ExchangeError) -> bool:
        """Whether a refusal means that the exchange has no such symbol."""

    def used(self, headers: Mapping[str, str]) -> float | None:
        """Return the weight that the exchange says it has counted in this minute, None where it does not say."""

    def ticks(self, kind: Kind, symbol: str, wanted: Interval) -> Request | None:
        """Ask for the ticks of these ids, or as many of them as one answer holds; None where nothing answers that."""

    def read_ticks(self, kind: Kind, symbol: str, body: bytes, wanted: Interval, received_ns: int) -> Page:
        """Read the answer to ``ticks``; raises UnavailableError or ExchangeError."""

    def around(self, symbol: str, from_ns: int, to_ns: int) -> Request | None:
        """Ask which trades happened in a stretch of time, or None where nothing answers that."""

    def read_around(self, symbol: str, body: bytes, received_ns: int) -> Sequence[Trade]:
        """Read the answer to ``around``: trades in order of time, with ids only where they may be relied on.

        The first is the oldest that the exchange still tells of, or lies at the beginning of the stretch.
        """

    def candles(self, symbol: str, from_ns: int, to_ns: int) -> Request:
        """Ask for the one-minute candles that open from ``from_ns`` up to, not including, ``to_ns``."""

    def read_candles(self, body: bytes) -> Sequence[Candle]:
        """Read the answer to ``candles``, the oldest first; raises UnavailableError or ExchangeError."""


def decoder(shape: type[T] | Any) -> Callable[[bytes], Any]:  # noqa: ANN401  unions are no types to a checker
    """Return a reader of JSON into ``shape``, numbers as text among them; it raises ExchangeError."""
    decode = msgspec.json.Decoder(shape, strict=False).decode

    def read(body: bytes) -> Any:  # noqa: ANN401  what the shape says
        try:
            return decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            unreadable(error)

    return read


def unreadable(error: Exception) -> NoReturn:
    """Raise what an answer means that is not what the exchange documents."""
    raise ExchangeError(f"an answer that cannot be read: {str(error)[:200]}") from error


def covered(ids: Sequence[int], wanted: Interval, *, rising: bool) -> Interval | None:
    """Return the ids that a page spoke of: from where it was asked to begin to the last it had room for."""
    if not ids:
        return None
    low, high = wanted
    return (low, max(low, ids[-1])) if rising else (min(high, ids[0]), high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Minutes to ask for in one request: from ``from_ns`` up to, not including, ``to_ns``."""

    from_ns: int
    to_ns: int


def stretches(from_ns: int, to_ns: int, minutes: int) -> list[Stretch]:
    """Return whole minutes that cover a span of time, at most ``minutes`` a stretch."""
    begin = from_ns - from_ns % MINUTE_NS
    step = minutes * MINUTE_NS
    return [Stretch(from_ns=at, to_ns=min(at + step, to_ns)) for at in range(begin, to_ns, step)]
