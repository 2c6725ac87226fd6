"""A request's body has an end: in size and in time."""

import asyncio
from collections.abc import Iterable

import pytest
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from nightdesk import serving
from nightdesk.serving import MAX_BODY_BYTES, Bound, BoundedBody

SCOPE: Scope = {"type": "http", "path": "/runs"}
FILES = Bound(max_bytes=2 * MAX_BODY_BYTES, within_s=60)


def piece(size: int, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def read(messages: Iterable[Message], *, and_wait: bool = False, larger: str = "/files") -> int:
    """Return how many bytes an application reads of a body; ``and_wait`` has it wait for the client's going."""
    left = iter(messages)
    total = 0

    async def receive() -> Message:
        message = next(left, None)
        if message is None:
            await asyncio.sleep(0.2)
            return {"type": "http.disconnect"}
        return message

    async def send(_message: Message) -> None:
        """Nobody listens."""

    async def application(_scope: Scope, receive: Receive, _send: Send) -> None:
        nonlocal total
        more = True
        while more:
            message = await receive()
            total += len(message["body"])
            more = message["more_body"]
        if and_wait:
            assert (await receive())["type"] == "http.disconnect"

    asyncio.run(BoundedBody(application, {larger: FILES})(SCOPE, receive, send))
    return total


def test_a_body_within_its_limit_passes() -> None:
    assert read([piece(MAX_BODY_BYTES - 1), piece(1, more=False)]) == MAX_BODY_BYTES


@pytest.mark.parametrize("messages", [[piece(MAX_BODY_BYTES + 1, more=False)], [piece(1024)] * 65])
def test_a_body_beyond_its_limit_is_refused(messages: list[Message]) -> None:
    with pytest.raises(HTTPException) as refused:
        read(messages)
    assert (refused.value.status_code, refused.value.headers) == (413, {"Connection": "close"})


def test_a_body_that_does_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BODY_WITHIN_S", 0.01)
    with pytest.raises(HTTPException) as refused:
        read([piece(1)])
    assert refused.value.status_code == 408


def test_who_waits_for_an_answer_may_wait_longer_than_the_body_took(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BODY_WITHIN_S", 0.05)

    assert read([piece(1, more=False)], and_wait=True) == 1


def test_a_path_that_takes_files_has_a_bound_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "BODY_WITHIN_S", 0.0)
    whole = [piece(MAX_BODY_BYTES), piece(MAX_BODY_BYTES, more=False)]

    assert read(whole, larger="/runs") == 2 * MAX_BODY_BYTES
    with pytest.raises(HTTPException, match="larger than 131072 bytes"):
        read([*whole[:1], *whole], larger="/runs")
