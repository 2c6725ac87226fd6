"""A channel: a named way to a person. What every kind of channel offers, and what it says when it cannot deliver."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from nightdesk.errors import NightdeskError, RateLimitedError, UnavailableError
from services.alerter.messages import Kind, Message

EVERY_KIND = frozenset(Kind)


class Reason(StrEnum):
    """Why a delivery failed: the closed set of labels in metrics."""

    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    UNEXPECTED_ANSWER = "unexpected_answer"
    FAILURE = "failure"


class PermanentError(NightdeskError):
    """The channel will not take this, now or later; only a human can mend it.

    ``status`` is HTTP's, where there is one.
    """

    def __init__(self, reason: Reason, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status


class TransientError(UnavailableError):
    """The channel may take it later."""

    def __init__(self, reason: Reason, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.reason = reason
        self.status = status


class LimitedError(RateLimitedError):
    """The channel asks for a pause of ``retry_after_s`` seconds."""

    reason = Reason.RATE_LIMITED

    def __init__(self, text: str, retry_after_s: float, status: int | None = None) -> None:
        super().__init__(text, retry_after_s)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The channel took it: the HTTP status where there is one, and what to ask about it later."""

    status: int | None = None
    receipt: str = ""


class Options(BaseModel):
    """What ``config/alerts.yaml`` says of a channel of any kind.

    Fields that are secrets hold the *name of the variable* that holds the secret, never the secret.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    kind: str = Field(description="what kind of channel it is")
    per_minute: float = Field(30.0, gt=0, le=600, description="messages a minute at most")


class Channel(Protocol):
    """One configured channel."""

    takes: frozenset[Kind]
    """The kinds of message that mean something to it; others are not sent to it."""

    def send(self, message: Message) -> Delivered:
        """Deliver one message; blocks for as long as an outbound call may take.

        Raises PermanentError, LimitedError or TransientError.
        """


@runtime_checkable
class Receipted(Protocol):
    """A channel that can say later whether a person saw a message."""

    def is_acknowledged(self, receipt: str) -> bool | None:
        """Return whether a person acknowledged it; None once the receipt is expired or unknown.

        Raises PermanentError, LimitedError or TransientError.
        """

    def cancel(self, receipt: str) -> None:
        """Stop calling the person about this message; raises as ``is_acknowledged`` does."""
