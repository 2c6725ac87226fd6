"""What may be recorded: an instrument, a trader, an order. Pure."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.orders.fields import Lower, Moment, Positive, words

MAX_SYMBOL = 64
MAX_NAME = 100
MAX_REFERENCE = 100
MAX_REASON = 500


class Side(StrEnum):
    """Which way an order goes."""

    BUY = "buy"
    SELL = "sell"


class Status(StrEnum):
    """What became of an order."""

    EXECUTED = "executed"
    PENDING = "pending"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TraderKind(StrEnum):
    """Who trades."""

    STRATEGY = "strategy"
    ACCOUNT = "account"


class Recorded(BaseModel):
    """A row as it is given; what is left out stays as it was recorded before."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NewInstrument(Recorded):
    """What is traded; the same symbol again is the same instrument."""

    symbol: Annotated[str, words(MAX_SYMBOL)] = Field(description="what orders call it", examples=["AAPL"])
    name: Annotated[str, words(MAX_NAME, empty=True)] | None = Field(None, description="what people call it")
    sector: Annotated[str, words(MAX_NAME, empty=True)] | None = Field(
        None, description="what it is summed up with", examples=["Technology"]
    )


class NewTrader(Recorded):
    """A strategy or an account; the same name again is the same trader."""

    name: Annotated[str, words(MAX_NAME)] = Field(description="what orders call it", examples=["momentum"])
    kind: Annotated[TraderKind, Lower] | None = Field(
        None, description="strategy or account; account where none is given"
    )


class NewOrder(Recorded):
    """An order; the same reference again is the same order, and what became of it since."""

    reference: Annotated[str, words(MAX_REFERENCE)] = Field(
        description="the order's name where it comes from", examples=["A-000123"]
    )
    symbol: Annotated[str, words(MAX_SYMBOL)] = Field(description="symbol of a recorded instrument", examples=["AAPL"])
    trader: Annotated[str, words(MAX_NAME)] = Field(description="name of a recorded trader", examples=["momentum"])
    side: Annotated[Side, Lower] = Field(description="buy or sell")
    quantity: Positive = Field(description="units ordered; a string keeps every digit on its way")
    price: Positive = Field(description="price of a unit; a string keeps every digit on its way")
    status: Annotated[Status, Lower] = Field(description="executed, pending, cancelled or failed")
    ordered_at: Moment = Field(description="when it was ordered (ISO 8601; UTC where no zone is given)")
    reason: Annotated[str, words(MAX_REASON, empty=True)] | None = Field(
        None, description="why it failed or was cancelled"
    )


class Kept(BaseModel):
    """When a row was recorded."""

    recorded_at: datetime = Field(description="when it was first recorded, of an order when it last changed (UTC)")


class Counts(BaseModel):
    """What a batch came to; all of it is recorded, or nothing."""

    received: int = Field(description="rows that were given", examples=[120])
    added: int = Field(description="of them, new ones", examples=[100])
    changed: int = Field(description="of them, known ones that differ from what was recorded", examples=[15])
    unchanged: int = Field(description="of them, known ones that do not", examples=[5])
