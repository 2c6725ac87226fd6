"""What every codec needs to read a message: checked field types, and one way to refuse.

The bounds are part of the types, so that whatever passes the decoder fits a frame's columns.
"""

from collections.abc import Callable
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from nightdesk.errors import CodecError
from services.collector.codec import Reason

T = TypeVar("T")

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
