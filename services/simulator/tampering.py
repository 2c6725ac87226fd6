"""Messages changed on their way out, as the faults in force say."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.simulator.faults import (
    ActiveFault,
    Board,
    Duplicate,
    Fault,
    Gap,
    Garbage,
    MessageFault,
    MuteSymbol,
    Overlap,
    Reorder,
    Truncated,
    WrongTypes,
)

NOISE: Final = '}{"not json\\'


@dataclass(frozen=True, slots=True)
class Piece:
    """One message as it will go out: with or without the front and back of its wrapper.

    ``trade_id`` is set while a client can still read the trade in it.
    """

    text: str
    head: bool = True
    tail: bool = True
    trade_id: int | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What is published: texts of one kind of one symbol; ``first_id`` is the first text's trade id, if they have."""

    topic: str
    symbol: str
    kind: str
    texts: Sequence[str]
    first_id: int | None = None

    def pieces(self) -> list[Piece]:
        """Return the messages one by one."""
        first = self.first_id
        return [Piece(t, trade_id=None if first is None else first + place) for place, t in enumerate(self.texts)]


@dataclass(slots=True)
class _Held:
    topic: str
    pieces: list[Piece]


class Tampering:
    """Changes messages as the board says; remembers what it holds back for later."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._held: dict[int, _Held] = {}

    def apply(self, sending: Sending, now_ms: int) -> list[Piece] | None:
        """Return the messages to send instead, or None to send them as they are."""
        concerned = [one for one in self._board.active() if _concerns(one, sending, now_ms)]
        if not concerned and not self._held:
            return None
        pieces = self._released(sending.topic, now_ms) + sending.pieces()
        for active in concerned:
            collects = COLLECTED.get(type(active.fault))
            if collects is not None:
                pieces = self._collect(active, sending.topic, pieces, passing=collects)
            else:
                pieces = [new for piece in pieces for new in _changed(active, piece)]
        return pieces

    def _collect(self, active: ActiveFault, topic: str, pieces: list[Piece], *, passing: bool) -> list[Piece]:
        """Hold the next messages of one stream, and at the last of them let all go: in reverse, or once more."""
        held = self._held.setdefault(active.fault_id, _Held(topic, []))
        if held.topic != topic or not active.left:
            return pieces
        taken, rest = pieces[: active.left], pieces[active.left :]
        held.pieces += taken
        active.left -= len(taken)
        before = taken if passing else []
        if active.left:
            return before
        del self._held[active.fault_id]
        return [*before, *(held.pieces if passing else reversed(held.pieces)), *rest]

    def _released(self, topic: str, now_ms: int) -> list[Piece]:
        """Let go what a fault held that ended before it had all it wanted."""
        going = {one.fault_id for one in self._board.active() if not one.over(now_ms)}
        released: list[Piece] = []
        for fault_id, held in list(self._held.items()):
            if fault_id not in going and held.topic == topic:
                released += held.pieces
                del self._held[fault_id]
        return released


def _concerns(active: ActiveFault, sending: Sending, now_ms: int) -> bool:
    fault = active.fault
    if active.over(now_ms):
        return False
    if isinstance(fault, MuteSymbol):
        return fault.symbol == sending.symbol and (fault.kinds is None or sending.kind in fault.kinds)
    if isinstance(fault, MessageFault):
        return fault.symbol in {None, sending.symbol} and fault.kind == sending.kind
    return False


def _changed(active: ActiveFault, piece: Piece) -> list[Piece]:
    if active.left == 0:
        return [piece]
    active.use()
    return CHANGES[type(active.fault)](piece)


def nonsense(text: str) -> str:
    """Return a JSON object with the same fields, none of them of its type."""
    return json.dumps({key: _nonsense(value) for key, value in json.loads(text).items()}, separators=(",", ":"))


def _nonsense(value: object) -> object:
    if isinstance(value, dict):
        return [value]
    return {"was": value} if isinstance(value, str | list) else "NaN"


CHANGES: Final[dict[type[Fault], Callable[[Piece], list[Piece]]]] = {
    MuteSymbol: lambda _piece: [],
    Gap: lambda _piece: [],
    Duplicate: lambda piece: [piece, piece],
    Garbage: lambda piece: [Piece(NOISE, head=False, tail=False), piece],
    Truncated: lambda piece: [Piece(piece.text[: len(piece.text) // 2], tail=False)],
    WrongTypes: lambda piece: [replace(piece, text=nonsense(piece.text), trade_id=None)],
}
"""What becomes of one message."""

COLLECTED: Final[dict[type[Fault], bool]] = {Reorder: False, Overlap: True}
"""Faults that need several messages, and whether these pass while they are collected."""
