"""Where files are kept: a directory, or a bucket of any store that speaks S3.

A file that is not whole has another name: it is written as ``<name>.partial`` and then moved, which a directory does in
one step; a bucket shows nothing of an object before it is whole, and moves it by copying.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from nightdesk.errors import NightdeskError, UnavailableError
from services.jobs.settings import JobsSettings

PARTIAL: Final = ".partial"
PIECE_BYTES: Final = 1024 * 1024


class DamagedError(NightdeskError):
    """A file is not what was written: whoever reads it would get something else."""

    retryable: ClassVar[bool] = False


class Place:
    """A directory or a bucket's prefix; names are relative to it, with slashes."""

    def __init__(self, files: fs.FileSystem, root: str) -> None:
        self._files = files
        self._root = root.rstrip("/")

    @contextmanager
    def writing(self, name: str) -> Iterator[Any]:
        """Open a file to be written; it is whole when the block ends without an error. Raises UnavailableError."""
        with translated(name):
            if self._is_local:
                self._files.create_dir(self._path(name).rpartition("/")[0], recursive=True)
            with self._files.open_output_stream(self._path(name)) as stream:
                yield stream

    @contextmanager
    def reading(self, name: str) -> Iterator[Any]:
        """Open a file to be read from anywhere; raises UnavailableError, or DamagedError when it is not there."""
        with translated(name), _present(name), self._files.open_input_file(self._path(name)) as file:
            yield file

    def sha256(self, name: str) -> tuple[str, int]:
        """Return the digest and the bytes of a file; raises as ``reading`` does."""
        digest, size = hashlib.sha256(), 0
        with translated(name), _present(name), self._files.open_input_stream(self._path(name)) as stream:
            while piece := stream.read(PIECE_BYTES):
                digest.update(piece)
                size += len(piece)
        return digest.hexdigest(), size

    def settle(self, name: str, final: str) -> None:
        """Give a file its name, for good: what is deleted after it is found in it even after a power cut."""
        with translated(final):
            if self._is_local:
                _sync(Path(self._path(name)))
            self._files.move(self._path(name), self._path(final))
            if self._is_local:
                _sync(Path(self._path(final)).parent)

    def delete(self, name: str) -> None:
        """Delete a file if it is there; raises UnavailableError."""
        with translated(name):
            if self._files.get_file_info(self._path(name)).type != fs.FileType.NotFound:
                self._files.delete_file(self._path(name))

    def names(self, directory: str) -> list[str]:
        """Return the names of the files in a directory, which need not be there."""
        with translated(directory):
            found = self._files.get_file_info(fs.FileSelector(self._path(directory), allow_not_found=True))
        return sorted(f"{directory}/{one.base_name}" for one in found if one.type == fs.FileType.File)

    @property
    def _is_local(self) -> bool:
        return isinstance(self._files, fs.LocalFileSystem)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"


def place(settings: JobsSettings) -> Place:
    """Return where ARCHIVE_URL says that days of ticks are kept; connects to nothing."""
    parts = urlsplit(settings.archive_url)
    if parts.scheme == "file":
        return Place(fs.LocalFileSystem(), parts.path)
    endpoint = urlsplit(settings.archive_s3_endpoint)
    secrets = (settings.archive_s3_access_key, settings.archive_s3_secret_key)
    access, secret = (one.get_secret_value() if one else None for one in secrets)
    chosen = {
        "access_key": access,
        "secret_key": secret,
        "region": settings.archive_s3_region or ("us-east-1" if endpoint.netloc else None),
        "endpoint_override": endpoint.netloc or None,
        "scheme": endpoint.scheme or "https",
    }
    # Parts that are uploaded in the background would pile up in memory where the network is slower than the disk.
    store = fs.S3FileSystem(background_writes=False, connect_timeout=3.05, request_timeout=30, **chosen)
    return Place(store, f"{parts.netloc}{parts.path}")


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn the library's errors into ours."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise DamagedError(f"{name}: {error}") from error
    except OSError as error:
        raise UnavailableError(f"archive: {name}: {error}") from error


@contextmanager
def _present(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DamagedError(f"{name}: there is no such file in the archive") from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
