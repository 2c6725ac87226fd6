"""What the api answers: every field with its unit."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.health import Status

FeedName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="feed", examples=["simulator"])]
SymbolName = Annotated[
    str,
    Field(
        pattern=r"^[^\s\x00-\x20\x7f-\xa0,{}]{1,64}$", description="symbol as the feed writes it", examples=["BTCUSDT"]
    ),
]


class KindName(StrEnum):
    """The kinds of ticks that are kept."""

    TRADE = "trade"
    AGG_TRADE = "agg_trade"
    QUOTE = "quote"
    DEPTH = "depth"
    KLINE = "kline"


class Interval(StrEnum):
    """The lengths of a bar; each is a whole number of minutes and begins at a whole multiple of itself in UTC."""

    M1 = "1m"
    M5 = "5m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def minutes(self) -> int:
        """The length in minutes."""
        return int(self[:-1]) * {"m": 1, "h": 60, "d": 1440}[self[-1]]


class GapState(StrEnum):
    """How far a gap has come."""

    OPEN = "open"
    FILLING = "filling"
    FILLED = "filled"
    UNFILLABLE = "unfillable"


class Format(StrEnum):
    """How bars are written."""

    JSON = "json"
    CSV = "csv"


class PartState(BaseModel):
    """One part: what it is, how it is, and how fresh."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "part": "feed/simulator", "status": "ok", "detail": "connected, 5 symbols, 1,204 messages/s", "age_s": 0.2,
        "threshold_s": 30.0, "facts": {"connects": 1},
    }]})  # fmt: skip

    part: str = Field(description="name of the part")
    status: Status = Field(description="ok, degraded or down")
    detail: str = Field(description="one readable line")
    age_s: float | None = Field(None, description="seconds since the part last did what it is for")
    threshold_s: float | None = Field(None, description="seconds from which that is too long")
    facts: dict[str, float | int | str | bool | None] = Field(default_factory=dict, description="its numbers")


class BottleneckState(BaseModel):
    """What holds the others up, judged by rates and by what waits."""

    part: str | None = Field(description="the part, or null when nothing piles up", examples=["database"])
    feed: str | None = Field(description="the feed that is held up most", examples=["simulator"])
    detail: str = Field(description="one readable line")


class HealthState(BaseModel):
    """The whole at a glance; the worst part decides."""

    service: str = Field(description="always `api`", examples=["api"])
    status: Status = Field(description="ok, degraded or down; down answers 503")
    at: datetime = Field(description="when the parts were asked (UTC)")
    bottleneck: BottleneckState
    parts: list[PartState] = Field(description="every part, the worst first")


class Symbol(BaseModel):
    """One symbol of one feed."""

    feed: str = Field(examples=["simulator"])
    symbol: str = Field(examples=["BTCUSDT"])
    shard: int = Field(description="the shard that carries it", examples=[3])
    kinds: list[KindName] = Field(description="the kinds that have arrived")
    last_received_at: datetime | None = Field(description="when the newest tick was received (UTC)")


class Symbols(BaseModel):
    """The symbols that ticks were stored of."""

    symbols: list[Symbol]


class LatestTick(BaseModel):
    """The last tick of one symbol and kind; only the fields of its kind are present."""

    feed: str = Field(examples=["simulator"])
    symbol: str = Field(examples=["BTCUSDT"])
    kind: KindName
    time: datetime = Field(description="the exchange's time, else when it was received (UTC)")
    received_at: datetime = Field(description="when the collector received it (UTC)")
    sequence: int | None = Field(None, description="the exchange's id or sequence number")
    price: float | None = Field(None, description="price of a trade")
    size: float | None = Field(None, description="size of a trade in base units")
    side: str | None = Field(None, description="the taker's side: buy or sell", examples=["buy"])
    bid_price: float | None = Field(None, description="best bid")
    bid_size: float | None = Field(None, description="size at the best bid")
    ask_price: float | None = Field(None, description="best ask")
    ask_size: float | None = Field(None, description="size at the best ask")
    spread: float | None = Field(None, description="best ask less best bid")
    pressure_ratio: float | None = Field(None, description="bid size over ask size of the top five levels")


class LatestTicks(BaseModel):
    """The last ticks."""

    ticks: list[LatestTick]


class Bar(BaseModel):
    """Open, high, low, close of an interval; there is no bar for an interval without trades."""

    time: datetime = Field(description="when the bar begins (UTC)")
    open: float
    high: float
    low: float
    close: float
    volume: float = Field(description="base units traded")
    buy_volume: float = Field(description="of it, what takers bought")
    quote_volume: float = Field(description="sum of price times size")
    trades: int = Field(description="number of trades")
    closed: bool = Field(description="false while the interval still runs")


class Bars(BaseModel):
    """Bars of one symbol, oldest first."""

    feed: str = Field(examples=["simulator"])
    symbol: str = Field(examples=["BTCUSDT"])
    interval: Interval
    bars: list[Bar]
    more: bool = Field(
        description="whether the range holds older bars; ask again with `to` set to the first bar's time"
    )


class Gap(BaseModel):
    """Something that was not received, and what became of it."""

    gap_id: int = Field(examples=[17])
    feed: str = Field(examples=["simulator"])
    symbol: str = Field(examples=["BTCUSDT"])
    kind: KindName
    from_id: int | None = Field(description="first missing id; null where the exchange sends none")
    to_id: int | None = Field(description="last missing id")
    from_time: datetime | None = Field(description="the last moment before the gap (UTC)")
    to_time: datetime | None = Field(description="the first moment after it (UTC)")
    missing_ids: int | None = Field(description="how many ids are still missing")
    missing: list[tuple[int, int]] = Field(description="the missing ranges, both ends included; the first twenty")
    cause: str = Field(description="why, in one line", examples=["disconnected: closed by the exchange (1006)"])
    state: GapState
    source: str = Field(
        description="what of the exchange filled it, as far as it is", examples=["binance historicalTrades"]
    )
    quality: str = Field(
        description="trades: one by one; aggregated; bars: only candles, in klines", examples=["trades"]
    )
    reason: str = Field(description="why it cannot be filled, or not yet")
    tries: int = Field(description="how often it was tried to fill it")
    opened_at: datetime = Field(description="when it was found (UTC)")
    updated_at: datetime | None = Field(description="when it last changed (UTC)")


class Gaps(BaseModel):
    """A page of the gap ledger, newest first."""

    gaps: list[Gap]
    next: int | None = Field(description="`before` of the next page; null on the last one")
