"""What every codec needs to read a message: checked field types, and one way to refuse.

The bounds are part of the types, so that whatever passes the decoder fits a frame's columns.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from nightdesk.errors import CodecError
from nightdesk.ticks import NO_TIME
from services.collector.codec import Reason

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_NS_PER_S: Final = 1_000_000_000

MAX_INT64: Final = 2**63 - 1
NS_PER_MS: Final = 1_000_000

Id: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT64)]
Ms: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT64 // NS_PER_MS)]
"""Unix milliseconds that still fit 64 bits as nanoseconds."""

Price: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1e18)]
Size: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
MaybePrice: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
"""A price, or 0 where the exchange says that there is none."""

Level: TypeAlias = tuple[Price, Size]

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def refusal(error: Exception) -> CodecError:
    """Return the rejection that a decoder's error stands for."""
    shape = isinstance(error, msgspec.ValidationError)
    return CodecError(Reason.WRONG_SHAPE if shape else Reason.NOT_JSON, str(error)[:200])


def reader(shape: type[T]) -> Callable[[bytes], T]:
    """Return a decoder of JSON text into ``shape``; numbers may be strings, as exchanges send them.

    It raises one of ``UNREADABLE``: a codec translates once, at its border, and not on every call.
    """
    return msgspec.json.Decoder(shape, strict=False).decode


def time_ns(text: str) -> int:
    """Return an ISO 8601 time, such as ``2021-04-17T16:43:37.075687Z``, as Unix nanoseconds, exact to the last digit.

    A time before 1970 is how exchanges say that there is none. Raises ``msgspec.ValidationError`` for anything else.
    """
    whole, fraction = text[:19], text[20:-1]
    if text[19:] == "Z":
        return _whole_ns(whole)
    if text[19:20] != "." or text[-1] != "Z" or not fraction.isdecimal():
        raise msgspec.ValidationError(f"no time in UTC: {text[:40]!r}")
    seconds_ns = _whole_ns(whole)
    return seconds_ns and seconds_ns + int(fraction[:9].ljust(9, "0"))


@lru_cache(maxsize=256)
def _whole_ns(text: str) -> int:
    try:
        since = datetime.fromisoformat(text).replace(tzinfo=UTC) - _EPOCH
    except ValueError as error:
        raise msgspec.ValidationError(f"no time: {text!r}") from error
    seconds = since // _SECOND
    return seconds * _NS_PER_S if 0 < seconds < MAX_INT64 // _NS_PER_S else NO_TIME
