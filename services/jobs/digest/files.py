"""The files of the sources: which there are, how each begins, and what it holds, compressed or not."""

import gzip
import os
import zlib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from glob import iglob
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO, Final, TypeAlias

import structlog

from services.jobs.digest.config import Source
from services.jobs.digest.identity import HEAD_BYTES, Found, digest

log = structlog.get_logger()

BLOCK_BYTES: Final = 4 * 1024 * 1024
PIECE_BYTES: Final = 128 * 1024

DAMAGED: Final = (OSError, EOFError, zlib.error)
"""What reading a compressed file raises that ends too early, or is none; and what reading any file may raise."""

Reader: TypeAlias = BinaryIO | gzip.GzipFile


def find(sources: Mapping[str, Source], log_dir: Path) -> list[Found]:
    """Return the sources' files, each once: it belongs to the first source that has it."""
    found: dict[Path, Found] = {}
    for name, source in sources.items():
        for path in sorted(_paths(source, log_dir)):
            facts = _facts(path)
            if path not in found and facts is not None:
                found[path] = Found(source=name, path=path, stored_bytes=facts.st_size, modified_ns=facts.st_mtime_ns)
    return list(found.values())


def _paths(source: Source, log_dir: Path) -> Iterator[Path]:
    for pattern in source.paths:
        for name in iglob(str(log_dir / pattern), recursive=True):  # noqa: PTH207  an absolute one is a glob, too
            path = Path(name)
            if not any(fnmatch(path.name, one) for one in source.ignore):
                yield path


def _facts(path: Path) -> os.stat_result | None:
    """What is known of a regular file with something in it: a pipe would never end."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts if S_ISREG(facts.st_mode) and facts.st_size else None


def head_of(found: Found) -> bytes:
    """Return how a file begins, uncompressed; raises OSError or another of ``DAMAGED``."""
    with found.path.open("rb") as raw:
        return _beginning(_reader(found, raw))


def _beginning(file: Reader) -> bytes:
    head = b""
    try:
        while len(head) < HEAD_BYTES and (block := file.read1(HEAD_BYTES - len(head))):  # type: ignore[union-attr]
            head += block
    except EOFError:  # still being compressed
        pass
    return head


def _reader(found: Found, raw: BinaryIO) -> Reader:
    return gzip.GzipFile(fileobj=raw) if found.is_compressed else raw


class OpenFile:
    """One file being read on from an offset of its uncompressed bytes."""

    def __init__(self, found: Found, offset: int) -> None:
        self._found = found
        self._raw = found.path.open("rb")
        self._file = _reader(found, self._raw)
        self._left = found.stored_bytes if not found.is_compressed else None
        self._position = 0
        self.is_whole = False
        self._skip(offset)

    def __enter__(self) -> "OpenFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def blocks(self) -> Iterator[bytes]:
        """Yield what there is, up to the size that the file had when it was found.

        ``is_whole`` says afterwards whether the end was reached; a compressed file that is damaged or still being
        written ends before.
        """
        while block := self._block():
            self._position += len(block)
            yield block

    def _block(self) -> bytes:
        pieces: list[bytes] = []
        wanted = self._wanted(BLOCK_BYTES)
        try:
            while wanted > 0 and (piece := self._file.read1(min(wanted, PIECE_BYTES))):  # type: ignore[union-attr]
                pieces.append(piece)
                wanted -= len(piece)
            self.is_whole = wanted > 0 or self._wanted(1) == 0
        except DAMAGED as error:
            log.warning("log.damaged", path=self._found.name, error=f"{type(error).__name__}: {error}")
        return b"".join(pieces)

    def read_stored_bytes(self) -> int:
        """Return how far it is, in bytes on the disk."""
        return self._raw.tell()

    def begins(self, head_bytes: int, head_sha256: str) -> bool:
        """Whether it still begins so: one that was emptied in place begins with something else."""
        if self._found.is_compressed:
            return True
        return digest(os.pread(self._raw.fileno(), head_bytes, 0)) == head_sha256

    def _wanted(self, most: int) -> int:
        return most if self._left is None else max(0, min(most, self._left - self._position))

    def _skip(self, offset: int) -> None:
        if not self._found.is_compressed:
            self._raw.seek(offset)
            self._position = offset
            return
        try:
            while self._position < offset and (block := self._file.read(min(BLOCK_BYTES, offset - self._position))):
                self._position += len(block)
        except DAMAGED:
            return  # said when its blocks are read
