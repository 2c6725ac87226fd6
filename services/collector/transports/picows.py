"""The socket with ``picows``: frames are parsed in C, which receives several times as fast as pure Python.

It speaks RFC 6455 and leaves to its user what this file adds: joining fragments, answering pings, the closing
handshake. It knows no compression. https://picows.readthedocs.io
"""

import asyncio
import contextlib
import logging
import secrets
from functools import partial
from typing import Final, cast

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
    CLOSE_TIMEOUT_S,
    FRAGMENTED,
    MAX_FRAGMENTS,
    MAX_MESSAGE_BYTES,
    MAX_UNSENT_BYTES,
    NO_CODE,
    READ_BYTES,
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

_TEXT: Final = WSMsgType.TEXT


# The session says how each connection began and ended; the library would say it again, with addresses.
_SILENT: Final = logging.Logger("picows", logging.CRITICAL + 1)


async def connect(url: str, dial: Dial) -> Socket:
    """Open a connection (``transport.Connect``)."""
    if dial.compression is not None:
        raise ConfigurationError("the transport picows knows no compression; set TRANSPORT=websockets for this feed")
    listener = _Listener()
    try:
        transport = await _opened(url, dial, listener)
    except WSInvalidURL as error:
        raise ConfigurationError(
            "no WebSocket address: it has to begin with ws:// or wss:// and name a host"
        ) from error
    except WSHandshakeError as error:
        if error.response is not None:
            raise refused(error.response.status, error.response.headers) from error
        raise UnavailableError(f"cannot connect: {readable(error)}") from error
    # ValueError: a redirect to an address that is none, which may be no Unicode either.
    except (OSError, TimeoutError, EOFError, ValueError, WSError) as error:
        raise UnavailableError(f"cannot connect: {readable(error)}") from error
    return _Picows(transport, listener, dial)


async def _opened(url: str, dial: Dial, listener: "_Listener") -> WSTransport:
    try:
        async with asyncio.timeout(dial.open_timeout_s):
            transport, heard = await ws_connect(
                lambda *_: listener,
                url,
                logger_name=_SILENT,
                websocket_handshake_timeout=dial.open_timeout_s,
                enable_auto_pong=False,
                # Its sockets are no faster here (measured), and over TLS they forget what they hold when reading stops.
                use_aiofastnet=False,
                max_frame_size=MAX_MESSAGE_BYTES,
                extra_headers={"User-Agent": USER_AGENT},
            )
    except BaseException:
        # The library lets an opening go on that nobody waits for; its connection would be nobody's.
        listener.abandon()
        raise
    # Typed as always there, and None where the exchange hung up before it answered.
    if cast("object", heard) is None:
        raise UnavailableError("cannot connect: the exchange hung up before it answered")
    underlying = transport.underlying_transport
    underlying.set_protocol(_Sips(cast("asyncio.BufferedProtocol", underlying.get_protocol())))
    return transport


class _Sips(asyncio.BufferedProtocol):
    """The library's protocol, given ``READ_BYTES`` at a time.

    By itself it takes whatever the kernel holds, its buffer growing with a flood to megabytes.
    """

    def __init__(self, whole: asyncio.BufferedProtocol) -> None:
        self._whole = whole

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._whole.get_buffer(sizehint))[:READ_BYTES]

    def buffer_updated(self, nbytes: int) -> None:
        self._whole.buffer_updated(nbytes)

    def eof_received(self) -> bool | None:
        return self._whole.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._whole.connection_lost(exc)

    def pause_writing(self) -> None:
        self._whole.pause_writing()

    def resume_writing(self) -> None:
        self._whole.resume_writing()


class _Listener(WSListener):
    """Takes parsed frames. What arrives before ``deliver_to`` waits in ``_messages``."""

    def __init__(self) -> None:
        self.closed: Closed | None = None
        self.lost = ""
        self.gone = asyncio.Event()
        self.pongs: dict[bytes, asyncio.Event] = {}
        self._transport: WSTransport | None = None
        self._abandoned = False
        self._deliver: OnMessages | None = None
        self._messages: list[bytes] = []
        self._add = self._messages.append
        self._parts: list[bytes] = []
        self._parts_bytes = 0

    def abandon(self) -> None:
        """Nobody waits for this connection any more."""
        self._abandoned = True
        if self._transport is not None:
            self._transport.disconnect(graceful=False)

    def deliver_to(self, on_messages: OnMessages) -> None:
        """Hand over what waits already and, from now on, everything at once."""
        self._deliver = on_messages
        self._hand_over()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Note the connection."""
        self._transport = transport
        if self._abandoned:
            transport.disconnect(graceful=False)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame: the hot path is a whole message."""
        if frame.msg_type is _TEXT and frame.fin:
            self._add(frame.get_payload_as_bytes())
        else:
            self._other(transport, frame)
        if frame.last_in_buffer:
            self._hand_over()

    def on_ws_disconnected(self, _transport: WSTransport) -> None:
        """Note the end of the connection."""
        self._hand_over()
        self.gone.set()

    def lose(self, transport: WSTransport, reason: str) -> None:
        """Leave without goodbye, for this reason."""
        self.lost = self.lost or reason
        self._end(transport, graceful=False)

    def _hand_over(self) -> None:
        if self._messages and self._deliver is not None:
            messages = self._messages[:]
            self._messages.clear()
            self._deliver(messages)

    def _other(self, transport: WSTransport, frame: WSFrame) -> None:
        match frame.msg_type:
            case WSMsgType.TEXT | WSMsgType.BINARY | WSMsgType.CONTINUATION:
                self._join(transport, frame)
            case WSMsgType.PING:
                self._answer(transport, frame.get_payload_as_bytes())
            case WSMsgType.PONG if pong := self.pongs.get(frame.get_payload_as_bytes()):
                pong.set()
            case WSMsgType.CLOSE:
                self._close(transport, frame.get_payload_as_bytes())

    def _join(self, transport: WSTransport, frame: WSFrame) -> None:
        """Add a fragment (RFC 6455, 5.4); the limits hold for the whole message."""
        self._parts.append(frame.get_payload_as_bytes())
        self._parts_bytes += frame.payload_size
        if self._parts_bytes > MAX_MESSAGE_BYTES or len(self._parts) > MAX_FRAGMENTS:
            self.lose(transport, FRAGMENTED)
        elif frame.fin:
            self._add(b"".join(self._parts))
        else:
            return
        self._parts.clear()
        self._parts_bytes = 0

    def _answer(self, transport: WSTransport, payload: bytes) -> None:
        if transport.underlying_transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.lose(transport, UNREAD)
        else:
            transport.send_pong(payload)

    def _close(self, transport: WSTransport, payload: bytes) -> None:
        """Answer the exchange's closing (RFC 6455, 5.5.1: two bytes of code, then the reason)."""
        code = int.from_bytes(payload[:2]) if payload else NO_CODE
        if self.closed is None:
            self.closed = Closed(code, payload[2:].decode(errors="replace"))
        if not transport.is_close_frame_sent:
            transport.send(WSMsgType.CLOSE, payload)
        self._end(transport, graceful=True)

    def _end(self, transport: WSTransport, *, graceful: bool) -> None:
        """Disconnect once the parser has returned, which must not be entered twice; drop what comes meanwhile."""
        self._add = _nowhere
        asyncio.get_running_loop().call_soon(partial(transport.disconnect, graceful=graceful))


def _nowhere(_message: bytes) -> None:
    """Take what came after the end."""


class _Picows:
    def __init__(self, transport: WSTransport, listener: _Listener, dial: Dial) -> None:
        self._transport = transport
        self._listener = listener
        self._dial = dial
        self._reading = Reading(transport.underlying_transport)

    async def send(self, text: str) -> None:
        if self._transport.is_disconnected or self._transport.is_close_frame_sent or self._listener.closed is not None:
            raise UnavailableError("the connection is closed")
        self._transport.send(_TEXT, text.encode())

    async def pump(self, on_messages: OnMessages) -> Closed:
        self._listener.deliver_to(on_messages)
        pings = asyncio.create_task(self._ping())
        try:
            await self._listener.gone.wait()
        finally:
            pings.cancel()
        # A protocol error of the exchange's is the library's to close for, and its to explain.
        with contextlib.suppress(WSError):
            await self._transport.wait_disconnected()
        return self._listener.closed or Closed(ABNORMAL, self._listener.lost)

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
        reason = await unanswered_ping(self._dial, self._reading, self._answered)
        self._listener.lose(self._transport, reason)

    async def _answered(self, timeout_s: float) -> bool:
        payload, pong = secrets.token_bytes(4), asyncio.Event()
        self._listener.pongs[payload] = pong
        self._transport.send_ping(payload)
        try:
            await asyncio.wait_for(pong.wait(), timeout_s)
        except TimeoutError:
            return False
        finally:
            del self._listener.pongs[payload]
        return True
