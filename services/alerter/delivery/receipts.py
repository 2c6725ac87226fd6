"""Messages that can be acknowledged where they arrived: ask about them, and stop them once that is done elsewhere."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import Final

import structlog

from services.alerter.channel import LimitedError, PermanentError, Receipted, TransientError
from services.alerter.delivery.roster import Roster
from services.alerter.store.outbox import Outbox, Receipt

log = structlog.get_logger()

EVERY_S: Final = 10.0
"""Pushover allows a question every five seconds and receipt."""


class Receipts:
    """Asks the channels that know about what people did with their messages."""

    def __init__(
        self, *, outbox: Outbox, roster: Roster, acknowledge: Callable[[int, str], None], thread: Executor
    ) -> None:
        """``acknowledge`` takes the number of a notification and who acknowledged it."""
        self._outbox = outbox
        self._roster = roster
        self._acknowledge = acknowledge
        self._thread = thread

    async def run(self, pause: Callable[[float], Awaitable[None]]) -> None:
        """Ask for ever."""
        while True:
            await self.ask()
            await pause(EVERY_S)

    async def ask(self) -> None:
        """Ask about each once."""
        for receipt in self._outbox.receipts():
            channel = self._roster.channels.get(receipt.channel)
            if not isinstance(channel, Receipted):
                self._outbox.close_receipt(receipt)
                continue
            try:
                await (self._ask(channel, receipt) if receipt.is_open else self._cancel(channel, receipt))
            except PermanentError as error:
                log.warning("receipt.refused", channel=receipt.channel, error=str(error))
                self._outbox.close_receipt(receipt)
            except (LimitedError, TransientError) as error:
                log.warning("receipt.unknown", channel=receipt.channel, error=str(error))
            except Exception:
                # a fault of one channel's code must not end what all of them work for
                log.exception("receipt.failed", channel=receipt.channel)

    async def _ask(self, channel: Receipted, receipt: Receipt) -> None:
        loop = asyncio.get_running_loop()
        acknowledged = await loop.run_in_executor(self._thread, channel.is_acknowledged, receipt.receipt)
        if acknowledged:
            self._acknowledge(receipt.notification_id, receipt.channel)
        if acknowledged is not False:
            self._outbox.close_receipt(receipt)

    async def _cancel(self, channel: Receipted, receipt: Receipt) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, channel.cancel, receipt.receipt)
        self._outbox.close_receipt(receipt)
