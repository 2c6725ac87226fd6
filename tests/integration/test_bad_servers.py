"""Servers that answer slowly, endlessly or senselessly, as our calls meet them: bounded in time and in size."""

import logging
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import requests

from nightdesk.outbound import Answer, Bounds, OverdueError, UnboundedError, call

pytestmark = [pytest.mark.integration, pytest.mark.slow]

BOUNDS = Bounds(deadline_s=3.0, max_answer_bytes=1024 * 1024)
OK = b"HTTP/1.1 200 OK\r\n"

Talk = Callable[[socket.socket, threading.Event], None]


@contextmanager
def answering(talk: Talk, wrap: Callable[[socket.socket], socket.socket] = lambda client: client) -> Iterator[int]:
    """Serve one client after another with ``talk`` until the end."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)

        def serve() -> None:
            while not stop.is_set():
                with suppress(OSError), listening.accept()[0] as client:
                    client.settimeout(5)
                    talk(wrap(client), stop)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stop.set()
            thread.join()


def request_of(client: socket.socket) -> bytes:
    """Read a whole request: its body may come later than its head, and hanging up on what is unread is a reset."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += _more(client)
    head, _, body = heard.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += _more(client)
    return head + b"\r\n\r\n" + body


def _more(client: socket.socket) -> bytes:
    piece = client.recv(65_536)
    if not piece:
        raise ConnectionError("the client has gone before the request's end")
    return piece


def saying(*pieces: bytes) -> Talk:
    """Return who reads a request, says this, and hangs up."""

    def talk(client: socket.socket, _stop: threading.Event) -> None:
        request_of(client)
        for piece in pieces:
            client.sendall(piece)

    return talk


def repeating(begin: bytes, piece: bytes, *, pause_s: float = 0.0) -> Talk:
    """Return who says something again and again until the client has gone."""

    def talk(client: socket.socket, stop: threading.Event) -> None:
        request_of(client)
        client.sendall(begin)
        while not stop.wait(pause_s):
            client.sendall(piece)

    return talk


def get(port: int) -> Answer:
    return call("GET", f"http://127.0.0.1:{port}/depth", {}, None, bounds=BOUNDS)


def post(port: int) -> Answer:
    return call("POST", f"http://127.0.0.1:{port}/hook", {"Content-Type": "application/json"}, b"{}", bounds=BOUNDS)


Ask = Callable[[int], Answer]
either_method = pytest.mark.parametrize("ask", [get, post])


@either_method
@pytest.mark.parametrize(
    "talk",
    [
        repeating(b"", b"H", pause_s=0.1),
        repeating(OK, b"X-A: b\r\n", pause_s=0.1),
        repeating(OK + b"Content-Length: 100000\r\n\r\n", b"x", pause_s=0.1),
        repeating(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", pause_s=0.1),
        repeating(OK + b"\r\n", b"x", pause_s=0.1),
        lambda _client, stop: stop.wait() and None,
    ],
    ids=["status", "headers", "body", "chunks", "body without a length", "nothing"],
)
def test_an_answer_that_trickles_in_ends_at_the_deadline(talk: Talk, ask: Ask) -> None:
    with answering(talk) as port, pytest.raises(OverdueError, match="no whole answer within"):
        ask(port)


@either_method
@pytest.mark.parametrize(
    "talk",
    [
        repeating(OK + b"\r\n", b"x" * 65_536),
        repeating(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65_536 + b"\r\n"),
        repeating(OK + b"Content-Length: 99999999999\r\n\r\n", b"x" * 65_536),
        repeating(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65_536),
        repeating(b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b"x" * 65_536),
    ],
    ids=["without a length", "chunked", "with a length", "of an error", "of a redirect"],
)
def test_an_answer_without_an_end_is_refused_by_its_size(talk: Talk, ask: Ask) -> None:
    with answering(talk) as port, pytest.raises(UnboundedError, match="larger than"):
        ask(port)


def test_what_unpacks_to_more_than_there_may_be_is_refused_by_its_size() -> None:
    import gzip  # noqa: PLC0415

    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    with answering(saying(head, bomb)) as port, pytest.raises(UnboundedError, match="larger than"):
        get(port)


@either_method
@pytest.mark.parametrize(
    "talk",
    [
        saying(),
        saying(b"\x16\x03\x01\x00\x05hello"),
        saying(b"+OK hello\r\n"),
        saying(OK + b"Content-Length: 10\r\n\r\nshort"),
        saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        saying(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope"),
        saying(b"HTTP/1.1 abc\r\n\r\n"),
        saying(OK + b"X-A: " + b"a" * 100_000),
        saying(OK + b"X-A: b\r\n" * 1000 + b"\r\n"),
    ],
    ids=["nothing", "tls", "pop3", "too short", "bad chunk", "bad gzip", "bad status", "long header", "many headers"],
)
def test_what_is_no_answer_is_an_error_the_client_knows(talk: Talk, ask: Ask) -> None:
    with answering(talk) as port, pytest.raises(requests.RequestException):
        ask(port)


@either_method
def test_an_answer_that_ends_with_its_connection_is_whole(ask: Ask) -> None:
    with answering(saying(OK + b"\r\n", b"[1", b"]")) as port:
        assert ask(port).content == b"[1]"


def test_a_body_that_nobody_reads_ends_at_the_deadline() -> None:
    body = bytes(64 * 1024 * 1024)
    with answering(lambda _client, stop: stop.wait() and None) as port, pytest.raises(OverdueError):
        call("POST", f"http://127.0.0.1:{port}/hook", {}, body, bounds=BOUNDS)


@either_method
def test_a_redirect_is_an_answer_and_leads_nowhere(ask: Ask) -> None:
    heard: list[bytes] = []

    def talk(client: socket.socket, _stop: threading.Event) -> None:
        heard.append(request_of(client))
        client.sendall(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with answering(talk) as port:
        assert ask(port).status_code == 307
    assert len(heard) == 1


@either_method
@pytest.mark.parametrize(
    "talk",
    [saying(OK + b"Content-Length: 2\r\n\r\n[]"), saying(OK + b"X-A b\r\nContent-Length: 2\r\n\r\n[]"), saying()],
    ids=["well", "with a defective header", "not at all"],
)
def test_nothing_is_logged_of_a_call_however_it_is_answered(
    talk: Talk, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(talk) as port, suppress(requests.RequestException):
        ask(port)
    assert [record.name for record in caplog.records if record.name.startswith("urllib3")] == []


def test_over_tls_the_deadline_holds_from_the_handshake_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda _client, stop: stop.wait() and None) as port, pytest.raises(requests.RequestException):
        call("GET", f"https://127.0.0.1:{port}/", {}, None, bounds=BOUNDS)

    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(
        [*made, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    slow = repeating(OK + b"Content-Length: 1000\r\n\r\n", b"x", pause_s=0.1)
    wrap = partial(context.wrap_socket, server_side=True)
    with answering(slow, wrap) as port, pytest.raises(OverdueError, match="no whole answer within"):
        call("GET", f"https://localhost:{port}/", {}, None, bounds=BOUNDS)


def test_neither_netrc_nor_proxies_of_the_environment_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password hush\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    heard: list[bytes] = []

    def talk(client: socket.socket, _stop: threading.Event) -> None:
        heard.append(request_of(client))
        client.sendall(OK + b"Content-Length: 2\r\n\r\n[]")

    with answering(talk) as port:
        answer = call("GET", f"http://127.0.0.1:{port}/depth", {"X-API-Key": "key"}, None, bounds=BOUNDS)
    assert answer.content == b"[]"
    assert b"X-API-Key: key" in heard[0]
    assert b"Authorization" not in heard[0]
