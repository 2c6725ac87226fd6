"""An exchange of so many symbols that sends as it is told, one command a line of standard input.

    python -m bench.scale.flood SYMBOLS

It prints its port, waits for one client to subscribe, and then for commands ``RATE SECONDS``: so many trades a second,
or 0 for as many as are read. After each it prints what it sent. The end of its input ends it.
"""

import json
import select
import socket
import sys
import time
from typing import Final

from bench.flood import Client, paced, unpaced
from bench.market import CHUNK, Market

LISTEN_S: Final = 0.02


def symbols(count: int) -> tuple[str, ...]:
    """Return so many names of one length."""
    return tuple(f"S{number:03}USDT" for number in range(count))


def send(client: Client, market: Market, rate: float, seconds: float) -> dict[str, int]:
    """Send for so long and up to the end of a chunk, so that ids go on without a hole; return what and when."""
    sent, began_ns = 0, time.monotonic_ns()
    for frames, count in paced(market, rate) if rate else unpaced(market):
        client.send(frames)
        sent += count
        client.listen(0)
        over = time.monotonic_ns() - began_ns >= seconds * 1e9 and sent % CHUNK == 0
        if over or client.gone:
            break
    return {"sent": sent, "began_ns": began_ns, "ended_ns": time.monotonic_ns()}


def obey(client: Client, market: Market) -> None:
    """Carry out commands until there are no more."""
    while True:
        if not select.select([sys.stdin], [], [], 0)[0]:
            client.listen(LISTEN_S) if not client.gone else time.sleep(LISTEN_S)
            continue
        words = sys.stdin.readline().split()
        if not words:
            return
        print(json.dumps(send(client, market, float(words[0]), float(words[1]))), flush=True)


def main(count: int) -> None:
    """Serve one client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        connection, _ = listener.accept()
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(connection)
        while not client.asked and not client.gone:
            client.listen(1.0)
        client.answer()
        obey(client, Market(symbols=symbols(count)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
