"""Slow, endless and senseless HTTP clients on real sockets: each is ended, none keeps another out, nothing grows."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from nightdesk import health, serving
from nightdesk.health import HealthServer
from nightdesk.serving import SERVER, PatientProtocol
from services.alerter.app import Alerter, configuration
from tests.integration.simulator.serving import simulator
from tests.unit.services.api.desk import a_client

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PATIENCE_S = 1.0
CLIENTS = 50
TOO_MUCH = 16 * 1024 * 1024
"""A server that takes so much of one head or body keeps it, or has stopped looking."""


@contextmanager
def health_server() -> Iterator[int]:
    one = HealthServer(
        service="desk", port=0, registry=CollectorRegistry(), parts=list, alive=lambda: True, ready=lambda: True
    )
    one.start()
    yield one.port
    one.stop()


@contextmanager
def api() -> Iterator[int]:
    running = uvicorn.Server(uvicorn.Config(a_client().app, host="127.0.0.1", port=0, **SERVER))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started and thread.is_alive():
        time.sleep(0.01)
    yield port_of(running)
    running.should_exit = True
    thread.join()


@contextmanager
def exchange() -> Iterator[int]:
    with simulator() as running:
        yield running.port


@contextmanager
def alerter() -> Iterator[int]:
    with TemporaryDirectory() as folder:
        policy = Path(folder) / "alerts.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        web = Alerter(
            configuration({**TOKENS, "ALERTS_CONFIG": str(policy), "STATE_DIR": folder}), CollectorRegistry()
        ).web()
        running = uvicorn.Server(uvicorn.Config(web, host="127.0.0.1", port=0, **SERVER))
        thread = threading.Thread(target=running.run)
        thread.start()
        while not running.started and thread.is_alive():
            time.sleep(0.01)
        yield port_of(running)
        running.should_exit = True
        thread.join()


POLICY = """
channels: {a: {kind: slack}}
page: {steps: [{channels: [a]}]}
digest: {at: ["00:00"], channels: [a]}
"""
TOKENS = {
    "ALERTER_TOKEN": "control",
    "NOTIFICATIONS_TOKEN": "posting",
    "ACK_SECRET": "pepper",
    "PROMETHEUS_URL": "http://127.0.0.1:9",
}


def port_of(running: uvicorn.Server) -> int:
    return int(running.servers[0].sockets[0].getsockname()[1])


SERVERS = {"health": health_server, "api": api, "simulator": exchange, "alerter": alerter}


@pytest.fixture(scope="module", params=SERVERS)
def serving_port(request: pytest.FixtureRequest) -> Iterator[int]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "REQUEST_TIMEOUT_S", PATIENCE_S)
        patch.setattr(health, "MAX_CONNECTIONS", CLIENTS)
        patch.setattr(serving, "BODY_WITHIN_S", PATIENCE_S)
        patch.setattr(PatientProtocol, "look_s", PATIENCE_S / 2)
        patch.setattr(PatientProtocol, "max_connections", CLIENTS)
        with SERVERS[request.param]() as number:
            yield number


@pytest.fixture
def port(serving_port: int) -> Iterator[int]:
    yield serving_port
    assert is_alive(serving_port)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def is_alive(port: int) -> bool:
    with connect(port) as client:
        client.sendall(b"GET /livez HTTP/1.0\r\nHost: desk\r\n\r\n")
        return b" 200 " in client.makefile("rb").readline()


def read_to_the_end(client: socket.socket) -> bytes:
    """Return what comes until the server closes; fails by the socket's timeout when it does not."""
    received = b""
    with suppress(ConnectionError):
        while block := client.recv(65_536):
            received += block
    return received


def pour(client: socket.socket, begin: bytes, piece: bytes, *, pause_s: float = 0.0) -> int:
    """Send without an end and read nothing; return how many bytes it took until the server closed."""
    sent = 0
    with suppress(ConnectionError):
        client.sendall(begin)
        while sent < TOO_MUCH:
            client.sendall(piece)
            sent += len(piece)
            time.sleep(pause_s)
            if pause_s and is_closed(client):
                break
    return sent


def is_closed(client: socket.socket) -> bool:
    client.setblocking(False)
    try:
        while block := client.recv(65_536):
            del block
    except BlockingIOError:
        return False
    finally:
        client.settimeout(30)
    return True


HEAD = b"GET /livez HTTP/1.1\r\nHost: desk\r\n"
POST = b"POST /login HTTP/1.1\r\nHost: desk\r\nContent-Type: application/x-www-form-urlencoded\r\n"

SAY = (
    b"POST /notifications HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer posting\r\nContent-Type: application/json\r\n"
)

SLOW: dict[str, tuple[bytes, bytes]] = {
    "a head letter by letter": (b"", b"G"),
    "headers one by one": (HEAD, b"X-A: b\r\n"),
    "a body letter by letter": (POST + b"Content-Length: 1000\r\n\r\n", b"t"),
    "a message letter by letter": (SAY + b"Content-Length: 1000\r\n\r\n", b'"'),
    "a body chunk by chunk": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nt\r\n"),
}
ENDLESS: dict[str, tuple[bytes, bytes]] = {
    "request line": (b"GET /", b"a" * 65_536),
    "header": (HEAD + b"X-A: ", b"a" * 65_536),
    "headers": (HEAD, b"X-A: b\r\n" * 8192),
    "body": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"t" * 65_536 + b"\r\n"),
    "message": (SAY + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b'"' * 65_536 + b"\r\n"),
    "body of a GET": (HEAD + b"Content-Length: 99999999999\r\n\r\n", b"t" * 65_536),
    "garbage": (b"", b"\x00\xff\x16\x03" * 16_384),
    "empty lines": (b"", b"\r\n" * 32_768),
}


@pytest.mark.parametrize("name", SLOW)
def test_who_dawdles_is_ended_and_keeps_nobody_waiting(port: int, name: str) -> None:
    with connect(port) as client:
        thread = threading.Thread(target=pour, args=(client, *SLOW[name]), kwargs={"pause_s": 0.05})
        thread.start()
        while thread.is_alive():
            assert is_alive(port)
        thread.join()


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_ended(port: int, name: str) -> None:
    with connect(port) as client:
        assert pour(client, *ENDLESS[name]) < TOO_MUCH
        assert is_alive(port)


def test_hundreds_of_idle_clients_keep_nobody_out(port: int) -> None:
    with ExitStack() as open_clients:
        for _ in range(6 * CLIENTS):
            open_clients.enter_context(connect(port))
        for _ in range(5):
            assert is_alive(port)
        idle = open_clients.enter_context(connect(port))
        assert read_to_the_end(idle) == b""


def test_hundreds_of_half_requests_keep_nobody_out(port: int) -> None:
    with ExitStack() as open_clients:
        for _ in range(6 * CLIENTS):
            client = open_clients.enter_context(connect(port))
            with suppress(ConnectionError):
                client.sendall(HEAD)
        for _ in range(5):
            assert is_alive(port)


def test_who_asks_and_then_says_no_more_is_answered(port: int) -> None:
    with connect(port) as client:
        client.sendall(HEAD + b"Connection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        assert b" 200 " in read_to_the_end(client).splitlines()[0]


@pytest.mark.parametrize(
    "sent",
    [
        HEAD,
        b"GET /livez",
        b"GET /livez\r\n",
        b"\r\n\r\n",
        b"\x00" * 100,
        HEAD + b"\r\n\x00\xff garbage \r\n\r\n" * 20,
        b"GET http://[ HTTP/1.1\r\nHost: [\r\n\r\n",
        b"GET /%ff%00?\xff HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"BREW /livez HTTP/9.9\r\n\r\n",
        POST + b"Content-Length: -5\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        POST + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
@pytest.mark.parametrize("half_closed", [False, True])
def test_what_makes_no_sense_ends(port: int, sent: bytes, half_closed: bool) -> None:
    with connect(port) as client:
        client.sendall(sent)
        if half_closed:
            client.shutdown(socket.SHUT_WR)
        read_to_the_end(client)


def test_tls_on_a_plain_port_fails_and_ends(port: int) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with connect(port) as client, pytest.raises(OSError, match=r".*"):
        context.wrap_socket(client)


def test_answers_that_nobody_reads_end_the_connection(port: int) -> None:
    ask = b"GET /metrics HTTP/1.1\r\nHost: desk\r\n\r\n" * 50  # few: a send's timeout bounds the answers to it all
    with socket.socket() as client:
        client.settimeout(30)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)  # a window that shrinks later may lose the end
        client.connect(("127.0.0.1", port))
        assert pour(client, b"", ask) < TOO_MUCH


def test_a_websocket_upgrade_where_there_is_none_is_no_hang(port: int) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n"
    with connect(port) as client:
        client.sendall(HEAD + upgrade)
        read_to_the_end(client)


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """Return a client's WebSocket frame (RFC 6455, 5.2), masked with zeros."""
    length = len(payload)
    size = bytes([0x80 | length]) if length < 126 else b"\xff" + length.to_bytes(8, "big")
    return bytes([opcode | (0x80 if fin else 0)]) + size + bytes(4) + payload


UPGRADE = (
    b"GET /ws/btcusdt@trade HTTP/1.1\r\nHost: desk\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
SENSELESS = {
    "pings": (b"", frame(9, b"p" * 125) * 64),
    "one text in pieces": (frame(1, b"t", fin=False), frame(0, b"t" * 60_000, fin=False)),
    "a text larger than any": (b"\x81\xff" + (2**62).to_bytes(8, "big") + bytes(4), b"t" * 65_536),
    "unmasked frames": (b"", b"\x81\x05hello" * 1000),
    "reserved bits": (b"", b"\xf3\x85" + bytes(9)),
}


REFUSED = {
    "requests": frame(1, b'{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}') * 64,
    "texts that are none": frame(1, b"\xff" * 1000),
    "bytes": frame(2, b"b" * 1000),
}
"""What is answered by a close frame, after which five seconds are left to say goodbye."""


@pytest.fixture(scope="module")
def exchange_port() -> Iterator[int]:
    with simulator(SIMULATOR_BUFFER_BYTES="65536") as running:
        yield running.port


@pytest.mark.parametrize("name", SENSELESS)
def test_a_websocket_client_that_floods_and_never_listens_is_ended(exchange_port: int, name: str) -> None:
    with connect(exchange_port) as client:
        begin, piece = SENSELESS[name]
        assert pour(client, UPGRADE + begin, piece) < TOO_MUCH
    assert is_alive(exchange_port)


def test_a_websocket_client_that_only_pings_and_never_listens_is_ended() -> None:
    quiet = dict.fromkeys(("SIMULATOR_TRADES_PER_S", "SIMULATOR_QUOTES_PER_S", "SIMULATOR_DEPTH_PER_S"), "0")
    with simulator(SIMULATOR_BUFFER_BYTES="65536", **quiet) as running, connect(running.port) as client:
        nothing = UPGRADE.replace(b"/ws/btcusdt@trade", b"/stream")
        assert pour(client, nothing, frame(9, b"p" * 125) * 64) < TOO_MUCH


@pytest.mark.parametrize("name", REFUSED)
def test_a_websocket_client_that_goes_on_after_it_was_shown_out_is_ended(exchange_port: int, name: str) -> None:
    with connect(exchange_port) as client:
        assert pour(client, UPGRADE, REFUSED[name], pause_s=0.01) < TOO_MUCH
    assert is_alive(exchange_port)


def test_the_measure_notices_a_server_with_endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatientProtocol, "look_s", 3600.0)
    with api() as port, connect(port) as client:
        client.sendall(HEAD)
        time.sleep(3 * PATIENCE_S)
        assert not is_closed(client)
