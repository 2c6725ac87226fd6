"""An exchange that sends trades as fast as its client reads them, or at a rate.

    python -m bench.flood --seconds 10 [--rate 10000] [--close]

It prints its port, waits for one client's first message, answers as Binance answers ``SUBSCRIBE``, sends for that
long, prints what it sent and keeps the connection open, pings answered, until its standard input ends.
The frames are made by ``bench.market``; ``websockets`` does the handshake and reads what the client says.
"""

import argparse
import json
import select
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from bench.market import CHUNK, Market

ANSWER: Final = '{"result":null,"id":1}'
READ_BYTES: Final = 65_536
STEP_S: Final = 0.001
"""How often a flood with a rate sends what is due."""


class Client:
    """The one connection: ``websockets`` without its I/O, and a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._protocol = ServerProtocol(max_size=None)
        self.gone = False
        self.asked = False

    def listen(self, wait_s: float) -> None:
        """Read what the client said, for at most ``wait_s``: pings are answered, requests noted."""
        readable, _, _ = select.select([self._socket], [], [], wait_s)
        if not readable:
            return
        data = self._socket.recv(READ_BYTES)
        if not data:
            self.gone = True
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            self._take(event)
        self._flush()

    def send(self, frames: bytes) -> None:
        """Send frames as they are; blocks while the client does not read."""
        self._socket.sendall(frames)

    def answer(self) -> None:
        """Confirm the subscription."""
        self._protocol.send_text(ANSWER.encode())
        self._flush()

    def close(self) -> None:
        """Say goodbye, and hang up once the client has answered."""
        self._protocol.send_close(1000)
        self._flush()
        while not self.gone:
            self.listen(1.0)
        self._socket.shutdown(socket.SHUT_RDWR)

    def _take(self, event: Any) -> None:  # noqa: ANN401  a Request, then Frames
        if isinstance(event, Request):
            self._protocol.send_response(self._protocol.accept(event))
        elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            self.asked = True
        elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self.gone = True

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._socket.sendall(data)


def flood(client: Client, seconds: float, rate: float = 0.0) -> dict[str, int]:
    """Send for so long; return how many messages and, by ``time.monotonic_ns``, from when to when."""
    market = Market()
    while not client.asked and not client.gone:
        client.listen(1.0)
    client.answer()
    sent, began_ns = 0, time.monotonic_ns()
    for frames, count in paced(market, rate) if rate else unpaced(market):
        client.send(frames)
        sent += count
        client.listen(0)
        if client.gone or time.monotonic_ns() - began_ns >= seconds * 1e9:
            break
    return {"sent": sent, "began_ns": began_ns, "ended_ns": time.monotonic_ns(), "bytes": market.message_bytes}


def unpaced(market: Market) -> Iterator[tuple[bytes, int]]:
    """Yield frames and their number, without end."""
    while True:
        yield market.chunk(now_ms()), CHUNK


def paced(market: Market, rate: float) -> Iterator[tuple[bytes, int]]:
    """Yield what is due at so many messages a second; between two a step passes."""
    began_s, done, chunk, left = time.monotonic(), 0, memoryview(b""), 0
    size = market.frame_bytes
    while True:
        if not left:
            chunk, left = memoryview(market.chunk(now_ms())), CHUNK
        due = min(left, int((time.monotonic() - began_s) * rate) - done)
        if due > 0:
            yield bytes(chunk[: due * size]), due
            chunk, left, done = chunk[due * size :], left - due, done + due
        else:
            time.sleep(STEP_S)


def now_ms() -> int:
    """Return the Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def linger(client: Client) -> None:
    """Keep the connection until whoever started this process ends its input."""
    while not select.select([sys.stdin], [], [], 0)[0]:
        if client.gone:
            time.sleep(0.05)
        else:
            client.listen(0.05)


def main() -> None:
    """Serve one client."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=0.0, help="messages a second; 0 for as many as are read")
    parser.add_argument("--close", action="store_true", help="close the connection after the last message")
    arguments = parser.parse_args()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(connection)
        result = flood(client, arguments.seconds, arguments.rate)
        if arguments.close and not client.gone:
            client.close()
        print(json.dumps(result), flush=True)
        linger(client)


if __name__ == "__main__":
    main()
