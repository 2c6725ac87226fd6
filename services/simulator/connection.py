"""One client's socket: the handshake and the client's frames by ``websockets``, our frames straight to the transport.

What goes out is made once for all clients (``wire.frames``) and written many frames at a time, which is what lets
one process speak far faster than a client can listen.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Final, Protocol, cast

from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

PING_EVERY_S: Final = 20.0
PONG_WITHIN_S: Final = 60.0
"""Binance pings every 20 s and leaves after 60 s without a pong."""
CLOSE_WITHIN_S: Final = 5.0


class Doorman(Protocol):
    """What a connection needs of the exchange behind it."""

    def admit(self, connection: "Connection", request: Request) -> Response | None:
        """Return the answer that refuses a handshake, None to accept it; may abort the connection instead."""

    def opened(self, connection: "Connection", target: str) -> None:
        """Greet a client; ``target`` is the path with its query."""

    def received(self, connection: "Connection", text: str) -> None:
        """Take one message of the client."""

    def closed(self, connection: "Connection") -> None:
        """Forget a client."""


class Connection(asyncio.Protocol):
    """One WebSocket client, from its handshake to its end."""

    def __init__(
        self,
        *,
        doorman: Doorman,
        monotonic_s: Callable[[], float],
        buffer_limit_bytes: int,
        siblings: set["Connection"] | None = None,
    ) -> None:
        """``siblings`` are the connections the server shuts down when it ends."""
        self._doorman = doorman
        self._monotonic_s = monotonic_s
        self._buffer_limit_bytes = buffer_limit_bytes
        self._siblings = set() if siblings is None else siblings
        self._protocol = ServerProtocol(max_size=2**20)
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._pong_at_s = 0.0
        self._paused = False
        self._greeted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with a fresh or a taken-over transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._siblings.add(self)

    def data_received(self, data: bytes) -> None:
        """Read the client's bytes."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                self._take(event)
        self._pass_on()

    def eof_received(self) -> None:
        """The client stopped sending."""
        if self._protocol.state is not State.CONNECTING:
            self._protocol.receive_eof()
            self._pass_on()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        """Forget everything about the client."""
        self._siblings.discard(self)
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._outgoing.clear()
        if self._greeted:
            self._greeted = False
            self._doorman.closed(self)

    @property
    def address(self) -> str:
        """The client's IP address."""
        peer = self._transport.get_extra_info("peername") if self._transport else None
        return str(peer[0]) if isinstance(peer, tuple) else "unknown"

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        transport = self._transport
        return self._protocol.state is State.OPEN and transport is not None and not transport.is_closing()

    @property
    def waiting_bytes(self) -> int:
        """What is still to be sent because the client reads more slowly than we write."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def queue(self, data: bytes) -> None:
        """Take ready frames; they leave with the next ``flush``."""
        self._outgoing.append(data)

    def flush(self) -> bool:
        """Send what is queued; False when the client was cut off because it reads too slowly."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        if not data or not self.open or self._transport is None:
            return True
        self._transport.write(data)
        if self.waiting_bytes <= self._buffer_limit_bytes:
            return True
        self.abort()
        return False

    def close(self, code: int, reason: str = "") -> None:
        """Send a close frame and wait a little for the client's."""
        try:
            self._protocol.send_close(code, reason)
        except InvalidState:
            return
        self._later("close", CLOSE_WITHIN_S, self.abort)
        self._pass_on()

    def abort(self) -> None:
        """Drop the connection without a word."""
        if self._transport:
            self._transport.abort()

    def reset(self) -> None:
        """Drop the connection with a TCP reset, as a machine does where nobody listens."""
        sock = self._transport.get_extra_info("socket") if self._transport else None
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.abort()

    def stop_reading(self, seconds: float) -> None:
        """Leave what the client sends unread for a while."""
        if self._transport and not self._paused:
            self._transport.pause_reading()
            self._paused = True
        self._later("read", seconds, self._read_again)

    def shutdown(self) -> None:
        """The server ends (uvicorn calls this)."""
        self.close(1001, "the exchange is shutting down")

    def pause_writing(self) -> None:
        """Nothing: the market never waits; see ``flush``."""

    def resume_writing(self) -> None:
        """Nothing: the market never waits; see ``flush``."""

    def _read_again(self) -> None:
        if self._transport and self._paused and not self._transport.is_closing():
            self._transport.resume_reading()
        self._paused = False

    def _shake_hands(self, request: Request) -> None:
        refusal = self._doorman.admit(self, request)
        response = refusal or self._protocol.accept(request)
        if self._transport is None or self._transport.is_closing():
            return
        self._protocol.send_response(response)
        self._pass_on()
        if self.open:
            self._pong_at_s = self._monotonic_s()
            self._later("ping", PING_EVERY_S, self._ping)
            self._greeted = True
            self._doorman.opened(self, request.path)

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT and frame.fin and self._greeted:
            self._doorman.received(self, bytes(frame.data).decode("utf-8", "replace"))
        elif frame.opcode is Opcode.PONG:
            self._pong_at_s = self._monotonic_s()
        elif frame.opcode in {Opcode.BINARY, Opcode.CONT} or not frame.fin:
            self.close(1003, "send text in one frame")

    def _ping(self) -> None:
        if not self.open:
            return
        if self._monotonic_s() - self._pong_at_s > PONG_WITHIN_S:
            self.abort()
            return
        self._protocol.send_ping(str(int(self._monotonic_s() * 1000)).encode())
        self._pass_on()
        self._later("ping", PING_EVERY_S, self._ping)

    def _pass_on(self) -> None:
        """Write what the protocol has to say; an empty piece means the end of our side."""
        if self._transport is None or self._transport.is_closing():
            return
        pieces = self._protocol.data_to_send()
        self._transport.write(b"".join(pieces))
        if b"" in pieces or self._protocol.close_expected():
            self._outgoing.clear()
        if b"" in pieces:
            self._transport.close()
        elif self.waiting_bytes > self._buffer_limit_bytes:
            self.abort()  # who pings without end and reads no answer

    def _later(self, name: str, seconds: float, action: Callable[[], None]) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, action)
