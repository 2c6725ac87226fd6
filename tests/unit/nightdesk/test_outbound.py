"""One outbound call: what it sends, what it returns, and what ``Retry-After`` says."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.outbound import MAX_WAIT_S, Deadline, call, retry_after_s

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.command} {self.path} {self.headers['X-API-Key']} {body.decode()}".encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_a_real_request_carries_its_headers(server: str) -> None:
    answer = call("GET", f"{server}/a?b=c", {"X-API-Key": "key"}, None)

    assert (answer.status_code, answer.content) == (200, b"GET /a?b=c key ")


def test_a_real_request_carries_its_body(server: str) -> None:
    answer = call("POST", f"{server}/a", {"X-API-Key": "key"}, b"[1]")

    assert (answer.status_code, answer.content) == (200, b"POST /a key [1]")


def test_a_refused_connection_is_an_error_the_client_knows() -> None:
    with pytest.raises(requests.RequestException):
        call("GET", "http://127.0.0.1:1/", {}, None)


def test_a_socket_that_opens_after_the_deadline_is_cut_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.0) as deadline:
        while not deadline.has_passed:
            pass
        deadline.watch(ours)

        assert theirs.recv(1) == b""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0.5 ", 0.5),
        ("-3", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 GMT", 90.0),
        ("Sun, 01 Mar 2026 11:59:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:01:30 -0000", 90.0),
        ("1e9", MAX_WAIT_S),
        ("nan", 60.0),
        ("soon", 60.0),
        ("", 60.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_anything_else_the_default(text: str, seconds: float) -> None:
    assert retry_after_s({"Retry-After": text}, NOW, default_s=60.0) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_is_a_surprise(text: str) -> None:
    assert 0.0 <= retry_after_s({"Retry-After": text}, NOW, default_s=60.0) <= MAX_WAIT_S
