"""The socket with ``websockets``, the default: pure enough to read, and strict."""

import asyncio
import contextlib
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_connection
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.frames import CONT, DATA_OPCODES, Opcode

from nightdesk.errors import ConfigurationError, UnavailableError
from services.collector.transport import (
    ABNORMAL,
    CLOSE_TIMEOUT_S,
    FRAGMENTED,
    MAX_FRAGMENTS,
    MAX_MESSAGE_BYTES,
    MAX_UNSENT_BYTES,
    UNREAD,
    USER_AGENT,
    Closed,
    Dial,
    OnMessages,
    Reading,
    Socket,
    readable,
    refused,
    unanswered_ping,
)


async def connect(url: str, dial: Dial) -> Socket:
    """Open a connection (``transport.Connect``)."""
    try:
        connection = await open_connection(
            url,
            create_connection=_Direct,
            compression=dial.compression,
            # As the REST client and picows: what is reached does not depend on who started the process.
            proxy=None,
            user_agent_header=USER_AGENT,
            open_timeout=dial.open_timeout_s,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MAX_MESSAGE_BYTES,
            # The socket is paused by the session, on the publisher's word, and never by a full queue of frames.
            max_queue=None,
        )
    except InvalidStatus as error:
        raise refused(error.response.status_code, error.response.headers) from error
    except InvalidURI as error:
        raise ConfigurationError(f"no WebSocket address: {error.msg}") from error
    # ValueError: a redirect to an address that is none, which may be no Unicode either.
    except (OSError, TimeoutError, EOFError, ValueError, WebSocketException) as error:
        raise UnavailableError(f"cannot connect: {readable(error)}") from error
    assert isinstance(connection, _Direct)  # noqa: S101  create_connection above says so
    return _WebSocket(connection, dial)


class _Direct(ClientConnection):
    """A connection that hands over the messages of each read as soon as their last frames are parsed.

    The library's ``recv`` passes a queue and wakes a task for each burst; without them receiving is a third cheaper.
    What arrives before ``deliver_to`` waits in the library's own queue.
    """

    _deliver: OnMessages | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  passed on as they come
        super().__init__(*arguments, **options)
        self._parts: list[bytes | bytearray] = []
        self._messages: list[bytes] = []
        self.lost = ""

    async def deliver_to(self, on_messages: OnMessages) -> None:
        """Hand over what waits already and, from now on, everything at once."""
        while len(self.recv_messages.frames):
            on_messages([await self.recv(decode=False)])
        self._deliver = on_messages

    def data_received(self, data: bytes) -> None:
        """Take the bytes of one read."""
        super().data_received(data)
        if self.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.lose(UNREAD)
        if self._messages and self._deliver is not None:
            messages, self._messages = self._messages, []
            self._deliver(messages)

    def process_event(self, event: Any) -> None:  # noqa: ANN401  a Response, then Frames
        """Take one parsed frame."""
        if self._deliver is None or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            if getattr(event, "opcode", None) is Opcode.CLOSE:
                # The server hangs up first (RFC 6455, 7.1.1); one that does not is not waited for.
                self.loop.call_later(CLOSE_TIMEOUT_S, self.transport.abort)
        elif event.fin and event.opcode is not CONT:
            self._messages.append(bytes(event.data))
        else:
            self._join(event)

    def lose(self, reason: str) -> None:
        """Leave without goodbye, for this reason."""
        self.lost = self.lost or reason
        self.transport.abort()

    def _join(self, event: Any) -> None:  # noqa: ANN401  a Frame
        self._parts.append(event.data)
        if len(self._parts) > MAX_FRAGMENTS:
            self._parts.clear()
            self.lose(FRAGMENTED)
        elif event.fin:
            parts, self._parts = self._parts, []
            self._messages.append(b"".join(parts))


class _WebSocket:
    def __init__(self, connection: _Direct, dial: Dial) -> None:
        self._connection = connection
        self._dial = dial
        self._reading = Reading(connection.transport)

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise UnavailableError(f"the connection is closed: {readable(error)}") from error

    async def pump(self, on_messages: OnMessages) -> Closed:
        pings = asyncio.create_task(self._ping())
        try:
            with contextlib.suppress(ConnectionClosed):
                await self._connection.deliver_to(on_messages)
            await self._connection.wait_closed()
        finally:
            pings.cancel()
        code, reason = self._connection.close_code, self._connection.close_reason
        return Closed(ABNORMAL if code is None else code, self._connection.lost or reason or "")

    def pause(self) -> None:
        self._reading.pause()

    def resume(self) -> None:
        self._reading.resume()

    async def close(self) -> None:
        self.resume()
        await self._connection.close()

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            self._connection.lose(await unanswered_ping(self._dial, self._reading, self._answered))

    async def _answered(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                # Sending waits too, for a peer that does not read.
                await (await self._connection.ping())
        except TimeoutError:
            return False
        return True
