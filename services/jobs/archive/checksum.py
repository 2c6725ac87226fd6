"""One number for a set of rows: the same in whatever order, and another after any change. Pure.

A row's value is the sum of its 64-bit words, each times an odd number of its own place, stirred; the rows' values are
added up. So a change in one word always shows, sums of parts give the sum of the whole, and rows that come twice
count twice. Two such sums side by side make 128 bits. It protects against accidents, not against an adversary.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from services.jobs.archive.columns import Array, Lists, Rows, Values, length

_MASK: Final = 2**64 - 1
_LANES: Final = ("first", "second")


@dataclass(frozen=True, slots=True)
class Checksum:
    """The sum of some rows, and how many they are."""

    rows: int = 0
    first: int = 0
    second: int = 0

    def __add__(self, other: "Checksum") -> "Checksum":
        return Checksum(
            self.rows + other.rows, self.first + other.first & _MASK, self.second + other.second & _MASK
        )  # fmt: skip

    @property
    def text(self) -> str:
        """As it is written down: 32 hexadecimal digits."""
        return f"{self.first:016x}{self.second:016x}"

    @staticmethod
    def read(rows: int, text: str) -> "Checksum":
        """Return what was written down."""
        return Checksum(rows, int(text[:16], 16), int(text[16:], 16))


def checksum(rows: Rows) -> Checksum:
    """Return the sum of these rows."""
    first, second = (int(_stirred(_words(lane, rows)).sum(dtype=np.uint64)) for lane in _LANES)
    return Checksum(length(rows), first, second)


def _words(lane: str, rows: Rows) -> Array:
    total: Array = np.full(length(rows), _keys(lane, "row", 1)[0])
    for name, column in rows.items():
        if isinstance(column, Lists):
            total += _of_lists(lane, name, column)
        else:
            total += _of_values(lane, name, column)
    return total


def _of_values(lane: str, name: str, column: Values) -> Array:
    key, null_key = _keys(lane, name, 2)
    words: Array = _bits(column.numbers) * key
    if column.null is not None:
        words += column.null * null_key
    return words


def _of_lists(lane: str, name: str, column: Lists) -> Array:
    counts = column.counts
    longest = int(counts.max(initial=0))
    keys = _keys(lane, name, longest + 1)
    ends = np.cumsum(counts)
    places = np.arange(len(column.numbers)) - np.repeat(ends - counts, counts)
    running = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_bits(column.numbers) * keys[1:][places])])
    total: Array = running[ends] - running[ends - counts] + counts.astype(np.uint64) * keys[0]
    return total


def _bits(numbers: Array) -> Array:
    wide = numbers if numbers.dtype == np.float64 else numbers.astype(np.int64)
    return np.ascontiguousarray(wide).view(np.uint64)


def _stirred(words: Array) -> Array:
    """The end of splitmix64, which maps 64 bits to 64 bits one to one: https://prng.di.unimi.it/splitmix64.c."""
    words = (words ^ words >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ words >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    stirred: Array = words ^ words >> np.uint64(31)
    return stirred


@lru_cache(maxsize=256)
def _keys(lane: str, name: str, count: int) -> Array:
    """Odd numbers that are the same for ever: they are part of what is written down."""
    digests = (hashlib.blake2b(f"{lane} {name} {place}".encode(), digest_size=8).digest() for place in range(count))
    return np.array([int.from_bytes(digest, "big") | 1 for digest in digests], dtype=np.uint64)
