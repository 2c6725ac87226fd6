"""Take a file that comes with a request: whole before it is looked at, packed so that many fit into little memory."""

import gzip
import io
from collections.abc import Iterator
from typing import IO, Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from nightdesk.orders.csv_files import MAX_LINE
from nightdesk.serving import Bound

FILES: Final = Bound(max_bytes=32 * 1024 * 1024, within_s=60.0)
"""Of the paths that take files: some 300,000 orders."""

MAX_PACKED_BYTES: Final = FILES.max_bytes // 2
"""What a file may take once it is packed, which text falls well below: what is no text would fill the memory."""


async def received(request: Request, file: IO[bytes]) -> None:
    """Write the body into a file, packed; the temporary directory may be memory. Raises HTTPException (400, 413)."""
    try:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1) as packed:
            async for piece in request.stream():
                packed.write(piece)
                if file.tell() > MAX_PACKED_BYTES:
                    raise HTTPException(413, f"packed it is larger than {MAX_PACKED_BYTES} bytes, which no text is")
    except ClientDisconnect as error:
        raise HTTPException(400, "the client went away") from error
    file.seek(0)


def lines_of(file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a packed text with their ends; a line beyond any limit comes in pieces.

    What is not UTF-8 stays recognisable as such, so that its line and column can be told.
    """
    with (
        gzip.GzipFile(fileobj=file, mode="rb") as packed,
        io.TextIOWrapper(packed, encoding="utf-8", errors="surrogateescape", newline="") as text,
    ):
        while line := text.readline(MAX_LINE + 1):
            yield line


def bytes_of(file: IO[bytes], at_most: int) -> bytes:
    """Return a packed file whole; raises HTTPException (413) when it is larger."""
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        body = packed.read(at_most + 1)
    if len(body) > at_most:
        raise HTTPException(413, f"JSON may be {at_most} bytes long; send more as text/csv")
    return body
