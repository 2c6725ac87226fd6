"""The server that stands in for channels does what it is told."""

import threading

import pytest
import requests

from tests.channel_server import ChannelServer, hang, limited, ok, reset, status, trickle

pytestmark = pytest.mark.integration


def post(server: ChannelServer, path: str = "/hook", timeout_s: float = 10.0) -> requests.Response:
    return requests.post(server.url + path, json={"a": 1}, headers={"X-B": "c"}, timeout=timeout_s)


def test_without_a_script_everything_is_answered_ok() -> None:
    with ChannelServer() as server:
        assert (post(server).status_code, post(server).content) == (200, b"ok")


def test_a_script_is_followed_in_turn_and_its_last_answer_stays() -> None:
    with ChannelServer() as server:
        server.script("/hook", status(500), limited(7), ok(b"fine", 202, X_Kind="good"))

        answers = [post(server) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [500, 429, 202, 202]
    assert answers[1].headers["Retry-After"] == "7"
    assert (answers[3].content, answers[3].headers["X-Kind"]) == (b"fine", "good")


def test_the_longest_prefix_decides() -> None:
    with ChannelServer() as server:
        server.script("/a", status(400))
        server.script("/a/b", status(404))

        assert [post(server, path).status_code for path in ("/a/x", "/a/b/x", "/x")] == [400, 404, 200]


def test_every_request_is_kept_with_its_time() -> None:
    with ChannelServer() as server:
        post(server, "/one")
        post(server, "/two?x=y")
        one, two = server.wait_for(2, within_s=10)

        assert [one.path, two.path] == ["/one", "/two?x=y"]
        assert (one.method, one.json, one.headers["x-b"]) == ("POST", {"a": 1}, "c")
        assert one.monotonic_s <= two.monotonic_s
        assert server.requests("/two") == [two]
        server.forget()
        assert server.requests() == []


def test_waiting_ends_with_what_came_instead() -> None:
    with ChannelServer() as server:
        post(server, "/one")

        with pytest.raises(AssertionError, match=r"1 of 2 requests within 0\.01 s: POST /one"):
            server.wait_for(2, within_s=0.01)


def test_waiting_sees_what_comes_meanwhile() -> None:
    with ChannelServer() as server:
        later = threading.Timer(0.05, post, [server])
        later.start()

        assert len(server.wait_for(1, within_s=10)) == 1
        later.join()


def test_a_hanging_answer_does_not_come_in_time_and_holds_up_nobody_else() -> None:
    with ChannelServer() as server:
        server.script("/slow", hang(60))

        with pytest.raises(requests.ReadTimeout):
            post(server, "/slow", timeout_s=0.1)
        assert post(server).status_code == 200


def test_a_reset_is_a_reset() -> None:
    with ChannelServer() as server:
        server.script("", reset())

        with pytest.raises(requests.ConnectionError, match="reset by peer"):
            post(server)


def test_a_trickling_answer_is_whole_in_the_end() -> None:
    with ChannelServer() as server:
        server.script("", trickle(0.1, b"slow"))

        assert post(server).content == b"slow"
