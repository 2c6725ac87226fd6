"""Files that come with requests."""

import asyncio
import io
import os

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import Message

from services.api.receiving import FILES, MAX_PACKED_BYTES, lines_of, received

PIECE_BYTES = 1024 * 1024


def sent(piece: bytes, times: int) -> tuple[Request, io.BytesIO]:
    left = [piece] * times

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    return Request({"type": "http", "headers": []}, receive), io.BytesIO()


def test_a_file_is_packed_and_read_line_by_line() -> None:
    request, file = sent(b"A-1,AAPL\r\n" * 1000, 100)

    asyncio.run(received(request, file))

    assert len(file.getvalue()) < 100_000
    assert list(lines_of(file)) == ["A-1,AAPL\r\n"] * 100_000


def test_what_does_not_pack_is_no_text_and_refused_before_it_fills_the_memory() -> None:
    request, file = sent(os.urandom(PIECE_BYTES), FILES.max_bytes // PIECE_BYTES)

    with pytest.raises(HTTPException, match="which no text is"):
        asyncio.run(received(request, file))

    assert len(file.getvalue()) < MAX_PACKED_BYTES + 2 * PIECE_BYTES
