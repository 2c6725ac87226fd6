"""The dead-man's switch is asked only while nothing is stuck, and never tells its address."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest
import requests
import structlog

from nightdesk.outbound import Answer, Received, UnboundedError
from services.alerter.deadman import EVERY_S, Deadman
from tests.virtual_time import run

URL = "https://hc-ping.example/secret-of-the-switch"


class Switch:
    """Stands in for who listens: notes when it was asked, answers with what it is told to."""

    def __init__(self, answer: int | Exception = 200) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.troubles: list[str] = []
        self.pings = 0

    def __call__(self, method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        self.asked.append(f"{method} {url}")
        if isinstance(self.answer, Exception):
            raise self.answer
        return Received(status_code=self.answer, headers={}, content=b"OK")

    def deadman(self) -> Deadman:
        return Deadman(url=URL, call=self, troubles=lambda: self.troubles, in_thread=at_once, on_ping=self._pinged)

    def _pinged(self) -> None:
        self.pings += 1


def at_once(ask: Callable[[], None]) -> Awaitable[None]:
    async def asked() -> None:
        ask()

    return asked()


def test_it_is_asked_while_all_is_well() -> None:
    switch = Switch()
    deadman = switch.deadman()
    assert deadman.problem == "not pinged yet"
    asyncio.run(deadman.ping())

    assert switch.asked == [f"GET {URL}"]
    assert switch.pings == 1
    assert deadman.problem == ""


def test_it_is_not_asked_while_something_is_stuck_and_says_what() -> None:
    switch = Switch()
    switch.troubles = ["Prometheus gives no sure answer for 61 s", "something should have been told 130 s ago"]
    deadman = switch.deadman()
    asyncio.run(deadman.ping())

    assert switch.asked == []
    assert deadman.problem == f"held back: {switch.troubles[0]}; {switch.troubles[1]}"


def test_it_is_asked_again_once_nothing_is_stuck() -> None:
    switch = Switch()
    switch.troubles = ["stuck"]
    deadman = switch.deadman()
    asyncio.run(deadman.ping())
    switch.troubles = []
    asyncio.run(deadman.ping())

    assert (switch.pings, deadman.problem) == (1, "")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (204, ""),
        (299, ""),
        (301, "the address answers with status 301"),
        (404, "the address answers with status 404"),
        (500, "the address answers with status 500"),
        (requests.ConnectionError(f"{URL} refused"), "the address does not answer: ConnectionError"),
        (requests.exceptions.MissingSchema(URL), "the address does not answer: MissingSchema"),
        (UnboundedError(URL), "the address does not answer: UnboundedError"),
    ],
)
def test_only_a_yes_is_a_ping_and_the_address_is_told_to_nobody(answer: int | Exception, problem: str) -> None:
    switch = Switch(answer)
    deadman = switch.deadman()
    with structlog.testing.capture_logs() as logged:
        asyncio.run(deadman.ping())

    assert deadman.problem == problem
    assert switch.pings == (not problem)
    assert "secret-of-the-switch" not in f"{logged}{deadman.problem}"


def test_it_is_asked_once_a_minute() -> None:
    switch = Switch()

    async def three_minutes() -> None:
        task = asyncio.create_task(switch.deadman().run(asyncio.sleep))
        await asyncio.sleep(3 * EVERY_S - 1)
        task.cancel()

    run(three_minutes())
    assert switch.pings == 3
