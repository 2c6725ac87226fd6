"""The socket with ``picows``: frames are parsed in C, which receives several times as fast as pure Python.

It speaks RFC 6455 and leaves to its user what this file adds: joining fragments, answering pings, the closing
handshake. It knows no compression. https://picows.readthedocs.io
"""

import asyncio
import contextlib
import logging
from typing import Final

from picows import (
    WSCloseCode,
    WSError,
    WSFrame,
    WSHandshakeError,
    WSInvalidURL,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
)

from nightdesk.errors import ConfigurationError, UnavailableError
from services.collector.transport import (
    ABNORMAL,
    BURST,
    CLOSE_TIMEOUT_S,
    MAX_MESSAGE_BYTES,
    NO_CODE,
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

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION


# The session says how each connection began and ended; the library would say it again, with addresses.
_SILENT: Final = logging.Logger("picows", logging.CRITICAL + 1)


async def connect(url: str, dial: Dial) -> Socket:
    """Open a connection (``transport.Connect``)."""
    if dial.compression is not None:
        raise ConfigurationError("the transport picows knows no compression; set TRANSPORT=websockets for this feed")
    try:
        async with asyncio.timeout(dial.open_timeout_s):
            transport, listener = await ws_connect(
                _Listener,
                url,
                logger_name=_SILENT,
                websocket_handshake_timeout=dial.open_timeout_s,
                enable_auto_pong=False,
                # Its sockets are no faster here (measured), and over TLS they forget what they hold when reading stops.
                use_aiofastnet=False,
                max_frame_size=MAX_MESSAGE_BYTES,
                extra_headers={"User-Agent": USER_AGENT},
            )
    except WSInvalidURL as error:
        raise ConfigurationError(
            "no WebSocket address: it has to begin with ws:// or wss:// and name a host"
        ) from error
    except WSHandshakeError as error:
        if error.response is not None:
            raise refused(error.response.status, error.response.headers) from error
        raise UnavailableError(f"cannot connect: {readable(error)}") from error
    except (OSError, TimeoutError, EOFError, WSError) as error:
        raise UnavailableError(f"cannot connect: {readable(error)}") from error
    assert isinstance(listener, _Listener)  # noqa: S101  made above
    return _Picows(transport, listener, dial)


class _Listener(WSListener):
    """Takes parsed frames. What arrives before ``deliver_to`` waits in ``_messages``.

    One read may bring tens of thousands of messages, for the library's buffer grows with a flood.
    """

    def __init__(self) -> None:
        self.closed: Closed | None = None
        self._deliver: OnMessages | None = None
        self._reading: Reading | None = None
        self.pong = asyncio.Event()
        self.gone = asyncio.Event()
        self._messages: list[bytes] = []
        self._handed = 0
        self._parts: list[bytes] = []

    def deliver_to(self, on_messages: OnMessages, reading: Reading) -> None:
        """Hand over what waits already and, from now on, everything at once."""
        self._deliver, self._reading = on_messages, reading
        self._hand_over()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame: the hot path is a whole message."""
        if frame.msg_type is _TEXT and frame.fin:
            self._messages.append(frame.get_payload_as_bytes())
        else:
            self._other(transport, frame)
        if frame.last_in_buffer:
            self._hand_over()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """Note the end of the connection."""
        while self._messages and self._deliver is not None:
            self._hand_over()
        self.gone.set()

    def _hand_over(self) -> None:
        """Hand over a burst; the rest follows when other tasks have run, and nothing is read meanwhile."""
        if not self._messages or self._deliver is None or self._reading is None:
            return
        messages = self._messages[self._handed : self._handed + BURST]
        self._handed += BURST
        rest = self._handed < len(self._messages)
        if not rest:
            self._messages.clear()
            self._handed = 0
        self._deliver(messages)
        self._reading.busy(rest)
        if rest:
            asyncio.get_running_loop().call_soon(self._hand_over)

    def _other(self, transport: WSTransport, frame: WSFrame) -> None:
        match frame.msg_type:
            case WSMsgType.TEXT | WSMsgType.BINARY | WSMsgType.CONTINUATION:
                self._join(transport, frame)
            case WSMsgType.PING:
                transport.send_pong(frame.get_payload_as_bytes())
            case WSMsgType.PONG:
                self.pong.set()
            case WSMsgType.CLOSE:
                self._close(transport, frame.get_payload_as_bytes())

    def _join(self, transport: WSTransport, frame: WSFrame) -> None:
        """Add a fragment (RFC 6455, 5.4); the limit holds for the whole message."""
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > MAX_MESSAGE_BYTES:
            self._parts.clear()
            transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
            transport.disconnect()
        elif frame.fin:
            parts, self._parts = self._parts, []
            self._messages.append(b"".join(parts))

    def _close(self, transport: WSTransport, payload: bytes) -> None:
        """Answer the exchange's closing (RFC 6455, 5.5.1: two bytes of code, then the reason)."""
        code = int.from_bytes(payload[:2]) if payload else NO_CODE
        if self.closed is None:
            self.closed = Closed(code, payload[2:].decode(errors="replace"))
        if not transport.is_close_frame_sent:
            transport.send(WSMsgType.CLOSE, payload)
        transport.disconnect()


class _Picows:
    def __init__(self, transport: WSTransport, listener: _Listener, dial: Dial) -> None:
        self._transport = transport
        self._listener = listener
        self._dial = dial
        self._reading = Reading(transport.underlying_transport)
        self._lost = ""

    async def send(self, text: str) -> None:
        if self._transport.is_disconnected or self._transport.is_close_frame_sent or self._listener.closed is not None:
            raise UnavailableError("the connection is closed")
        self._transport.send(_TEXT, text.encode())

    async def pump(self, on_messages: OnMessages) -> Closed:
        self._listener.deliver_to(on_messages, self._reading)
        pings = asyncio.create_task(self._ping())
        try:
            await self._listener.gone.wait()
        finally:
            pings.cancel()
        # A protocol error of the exchange's is the library's to close for, and its to explain.
        with contextlib.suppress(WSError):
            await self._transport.wait_disconnected()
        return self._listener.closed or Closed(ABNORMAL, self._lost)

    def pause(self) -> None:
        self._reading.pause()

    def resume(self) -> None:
        self._reading.resume()

    async def close(self) -> None:
        self.resume()
        if not self._transport.is_disconnected:
            self._transport.send_close(WSCloseCode.OK)
            try:
                await asyncio.wait_for(self._listener.gone.wait(), CLOSE_TIMEOUT_S)
            except TimeoutError:
                self._transport.disconnect(graceful=False)

    async def _ping(self) -> None:
        self._lost = await unanswered_ping(self._dial, self._reading, self._answered)
        self._transport.disconnect(graceful=False)

    async def _answered(self, timeout_s: float) -> bool:
        self._listener.pong.clear()
        self._transport.send_ping()
        try:
            await asyncio.wait_for(self._listener.pong.wait(), timeout_s)
        except TimeoutError:
            return False
        return True
