"""Which known file is this one? By how it begins: it stays itself when it is renamed, moved or compressed. Pure.

A file that has fewer than ``HEAD_BYTES`` is known by what it has, and by more as it grows. One that holds nothing but
what another begins with is a copy of it, and is not read.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import Final

from nightdesk.plain_json import storable

HEAD_BYTES: Final = 1024
"""A file is known by so many of its first bytes, or by fewer as long as it has no more."""

COMPRESSED: Final = ".gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file as it was when it was looked at; ``stored_bytes`` is its size on the disk."""

    source: str
    path: Path
    stored_bytes: int
    modified_ns: int

    @property
    def name(self) -> str:
        """Return its path as PostgreSQL keeps it: on the disk a name may be any bytes."""
        return storable(str(self.path))

    @property
    def is_compressed(self) -> bool:
        """Return whether it is read uncompressed; nobody adds to such a file."""
        return self.path.name.endswith(COMPRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A row of ``log_files``."""

    log_file_id: int
    path: str
    head_bytes: int
    head_sha256: str
    offset: int
    last_us: int | None
    stored_bytes: int | None
    modified_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file and its first bytes; ``is_final`` is whether nobody adds to it any more."""

    found: Found
    head: bytes
    is_final: bool

    @property
    def is_recognisable(self) -> bool:
        """Return whether there is enough of it to be told from others: a whole line, or all that it will ever have.

        A compressed file of nothing is never anything.
        """
        return bool(self.head) and (self.is_final or len(self.head) == HEAD_BYTES or b"\n" in self.head)


def digest(head: bytes) -> str:
    """Return what names a file that begins so."""
    return sha256(head).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A file and the row that is its own; a new file has none."""

    candidate: Candidate
    known: Known | None


class Register:
    """The known files, by how they begin."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._by_head = {(one.head_bytes, one.head_sha256): one for one in known}
        self._lengths = sorted({length for length, _ in self._by_head}, reverse=True)

    def of(self, head: bytes) -> Known | None:
        """Return the file that begins so, by as many bytes as are known of one."""
        for length in self._lengths:
            if length <= len(head):
                known = self._by_head.get((length, digest(head[:length])))
                if known is not None:
                    return known
        return None

    def lengthen(self, known: Known, head: bytes) -> None:
        """Note that more is known of how a file begins."""
        del self._by_head[known.head_bytes, known.head_sha256]
        grown = replace(known, head_bytes=len(head), head_sha256=digest(head))
        self._by_head[grown.head_bytes, grown.head_sha256] = grown
        self._lengths = sorted({*self._lengths, len(head)}, reverse=True)


def matches(candidates: Iterable[Candidate], known: Sequence[Known]) -> list[Match]:
    """Return what to read. Where a candidate's head is longer than its row's, more is known of the file from now on."""
    paths = {one.path for one in known}
    register = Register(known)
    found: dict[int, Match] = {}
    strangers = []
    for one in sorted(_distinct(candidates, paths), key=lambda one: _rank(one, paths)):
        row = register.of(one.head)
        if row is None or row.log_file_id in found:
            strangers.append(Match(candidate=one, known=None))
            continue
        found[row.log_file_id] = Match(candidate=one, known=row)
        if len(one.head) > row.head_bytes:
            register.lengthen(row, one.head)
    return [*found.values(), *strangers]


def _distinct(candidates: Iterable[Candidate], paths: Container[str]) -> Iterator[Candidate]:
    """Yield of those that begin alike the longest, and of those that have the same head the one that ranks first."""
    ready = sorted((one for one in candidates if one.is_recognisable), key=lambda one: (one.head, _rank(one, paths)))
    # In this order the head that another one begins with stands right before it, and its equals beside it.
    for longest, alike in groupby(reversed(ready), key=_Beginning()):
        yield min((one for one in alike if one.head == longest), key=lambda one: _rank(one, paths))


class _Beginning:
    """Gives a file and those that it begins with the same key, in descending order of their heads."""

    def __init__(self) -> None:
        self._longest = b""

    def __call__(self, one: Candidate) -> bytes:
        if not self._longest.startswith(one.head):
            self._longest = one.head
        return self._longest


def _rank(candidate: Candidate, paths: Container[str]) -> tuple[bool, bool, int, str]:
    """First what is where it was, then what is not compressed, then what is larger."""
    found = candidate.found
    return found.name not in paths, found.is_compressed, -found.stored_bytes, str(found.path)
