"""Faults on demand: what may go wrong, and how messages are tampered with on their way out.

Nothing here touches the market: what a fault withholds stays in the REST history.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """One message as it will go out: with or without the front and back of its wrapper.

    ``trade_id`` is set while a client can still read the trade in it.
    """

    text: str
    head: bool = True
    tail: bool = True
    trade_id: int | None = None


class Tampering:
    """Changes messages as the active faults say."""

    def apply(self, kind: str, symbol: str, texts: Sequence[str], first_id: int | None) -> list[Piece] | None:
        """Return the messages to send instead, or None to send them as they are."""
        return None
