"""A backfill in a process of its own, which can be killed; it tells of every page that it has stored."""

import random
import signal
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from nightdesk.clock import Clock
from nightdesk.feeds_config import FeedConfig
from nightdesk.outbound import call
from nightdesk.store.database import connect
from nightdesk.store.migrate import WRITER
from services.jobs import backfill_gaps
from services.jobs.runner.job import Desk
from services.jobs.settings import JobsSettings
from tests.conftest import Database
from tests.integration.jobs.market import FEED, NOON, Market

_processes = get_context("forkserver")
_processes.set_forkserver_preload([__name__])  # a child that has everything imported begins at once


class Child:
    """A backfill of everything."""

    def __init__(self, database: Database, exchange: Market) -> None:
        self._pages, told = _processes.Pipe(duplex=False)
        arguments = (database.url(WRITER), database.password(WRITER), exchange.config(), told)
        self._process = _processes.Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        told.close()

    def after(self, pages: int) -> None:
        """Wait until it has stored so many pages, or has ended."""
        with suppress(EOFError):
            for _ in range(pages):
                self._pages.recv()

    def kill(self) -> bool:
        """Kill it; False when it had ended by itself before."""
        self._process.kill()
        self._process.join()
        assert self._process.exitcode in {0, -signal.SIGKILL}
        return self._process.exitcode != 0


def _run(url: str, password: str, config: FeedConfig, told: Connection) -> None:
    def progress(*page: Any) -> None:
        told.send(page)

    desk = Desk(
        run_id=1,
        job="backfill_gaps",
        scheduled_for=NOON,
        attempt=1,
        by_hand=False,
        settings=JobsSettings(database_url=url, database_password=password),
        feeds={FEED: config},
        clock=Clock(),
        random=random.random,
        connect=lambda name: connect(url, password, name=name),
        call=call,
        progress=progress,
        notify=lambda *_: 0,
    )
    backfill_gaps.run(desk, backfill_gaps.Arguments())
