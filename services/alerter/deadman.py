"""The dead-man's switch: an address that is asked once a minute for as long as everything that alerts makes progress.

Whoever listens there (healthchecks.io and its like) tells a person when the questions stop: the one alert that nothing
on this machine can give.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import requests
import structlog

from nightdesk.outbound import Call

log = structlog.get_logger()

EVERY_S: Final = 60.0


class Deadman:
    """Asks the address while ``troubles`` finds nothing."""

    def __init__(
        self,
        *,
        url: str,
        call: Call,
        troubles: Callable[[], list[str]],
        in_thread: Callable[[Callable[[], None]], Awaitable[None]],
        on_ping: Callable[[], None],
    ) -> None:
        self._url = url
        self._call = call
        self._troubles = troubles
        self._in_thread = in_thread
        self._on_ping = on_ping
        self.problem = "not pinged yet"
        """Why the last ping was not made or not taken; empty when it was."""

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Ask for ever."""
        while True:
            await self.ping()
            await pause(EVERY_S)

    async def ping(self) -> None:
        """Ask once, unless something is stuck."""
        troubles = self._troubles()
        if troubles:
            self.problem = f"held back: {'; '.join(troubles)}"
            log.warning("deadman.held_back", troubles=troubles)
            return
        await self._in_thread(self._ask)
        if not self.problem:
            self._on_ping()

    def _ask(self) -> None:
        # The address is a secret: whoever has it can keep the switch quiet.
        try:
            status = self._call("GET", self._url, {}, None).status_code
            self.problem = "" if 200 <= status < 300 else f"the address answers with status {status}"
        except requests.RequestException as error:
            self.problem = f"the address does not answer: {type(error).__name__}"
        if self.problem:
            log.warning("deadman.not_taken", problem=self.problem)
