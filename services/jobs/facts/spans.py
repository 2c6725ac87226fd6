"""Stretches of time as pairs of Unix seconds, the end not included. Pure."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Span: TypeAlias = tuple[float, float]


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return what at least one covers, disjoint and rising."""
    found: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def common(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return what both cover."""
    rest = joined(others)
    cut = ((max(begin, low), min(end, high)) for begin, end in joined(some) for low, high in rest)
    return [(begin, end) for begin, end in cut if begin < end]


def without(some: Iterable[Span], removed: Iterable[Span]) -> list[Span]:
    """Return what the first cover and the others do not."""
    left = joined(some)
    for low, high in joined(removed):
        left = [
            piece
            for begin, end in left
            for piece in ((begin, min(end, low)), (max(begin, high), end))
            if piece[0] < piece[1]
        ]
    return left


def length_s(spans: Sequence[Span]) -> float:
    """Return how long disjoint spans are together, seconds."""
    return sum(end - begin for begin, end in spans)
