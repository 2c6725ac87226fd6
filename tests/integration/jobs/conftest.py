"""A desk as jobs are given it: a real database, our clock, no network unless the test brings one."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nightdesk.clock import Clock
from nightdesk.feeds_config import FeedConfig, read_feeds
from nightdesk.outbound import Call, call
from nightdesk.store.database import Connection, connect
from nightdesk.store.migrate import WRITER
from services.jobs.runner.job import Desk
from services.jobs.settings import JobsSettings
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Told:
    """What a job said."""

    progress: list[tuple[float, float, str]] = field(default_factory=list)
    notifications: list[tuple[str, str, str, dict[str, str], str]] = field(default_factory=list)

    def notify(self, level: str, title: str, text: str, fields: Mapping[str, str], dedup_key: str) -> int:
        self.notifications.append((level, title, text, dict(fields), dedup_key))
        return len(self.notifications)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def desk(database: Database, told: Told, tmp_path: Path) -> Callable[..., Desk]:
    """Make a desk: ``desk(feeds=..., scheduled_for=..., archive_url=...)``; names of settings change settings."""

    def make(
        *,
        feeds: Mapping[str, FeedConfig] | None = None,
        scheduled_for: datetime | None = None,
        clock: Clock | None = None,
        job: str = "test",
        call: Call = call,
        by_hand: bool = False,
        **settings: Any,
    ) -> Desk:
        def connected(name: str) -> Connection:
            return connect(database.url(WRITER), database.password(WRITER), name=name)

        values = {
            "database_url": database.url(WRITER),
            "database_password": database.password(WRITER),
            "archive_url": f"file://{tmp_path}/archive",
            "backup_dir": tmp_path / "backups",
            **settings,
        }
        return Desk(
            run_id=secrets.randbelow(10**6),
            job=job,
            scheduled_for=scheduled_for or datetime.now(UTC),
            attempt=1,
            by_hand=by_hand,
            settings=JobsSettings.model_validate(values),
            feeds=feeds or {"simulator": read_feeds(ROOT / "config" / "feeds.yaml")["simulator"]},
            clock=clock or Clock(),
            random=lambda: 0.5,
            connect=connected,
            call=call,
            progress=lambda done, total, what: told.progress.append((done, total, what)),
            notify=told.notify,
        )

    return make
