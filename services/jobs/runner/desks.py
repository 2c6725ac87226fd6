"""The desk of one run: everything a job may use, made from the settings."""

import json
import os
import random
from collections.abc import Mapping
from typing import Final

import requests

from nightdesk.clock import Clock
from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.feeds_config import load_feeds
from nightdesk.outbound import Call, call
from nightdesk.runs import Claimed
from nightdesk.store.database import Connection, connect
from services.jobs.runner.job import Desk, Progress
from services.jobs.settings import JobsSettings

STATEMENT_TIMEOUT_MS: Final = "0"
"""Jobs read days of ticks in one statement; their own time is bounded."""

LOCK_TIMEOUT_MS: Final = "10000"


def desk_of(
    claimed: Claimed, settings: JobsSettings, environ: Mapping[str, str], progress: Progress, *, by_hand: bool
) -> Desk:
    """Return the desk; raises ConfigurationError when feeds.yaml cannot be read."""
    return Desk(
        run_id=claimed.run_id,
        job=claimed.job,
        scheduled_for=claimed.scheduled_for,
        attempt=claimed.attempt,
        by_hand=by_hand,
        settings=settings,
        feeds=load_feeds(settings.feeds_config, environ),
        clock=Clock(),
        random=random.random,
        connect=lambda name: connected(settings, name),
        call=call,
        progress=progress,
        notify=Notifier(settings, claimed.job, call),
    )


def connected(settings: JobsSettings, name: str) -> Connection:
    """Return a new connection as the writer; raises UnavailableError."""
    password = settings.database_password
    return connect(
        settings.database_url,
        password.get_secret_value() if password else None,
        name=f"jobs/{name}",
        settings={"statement_timeout": STATEMENT_TIMEOUT_MS, "lock_timeout": LOCK_TIMEOUT_MS},
    )


class Notifier:
    """Posts messages to the alerter, whose policy says whom they reach."""

    def __init__(self, settings: JobsSettings, job: str, call: Call) -> None:
        self._url = f"{settings.alerter_url.rstrip('/')}/notifications"
        self._token = settings.notifications_token
        self._job = job
        self._call = call

    def __call__(self, level: str, title: str, text: str, fields: Mapping[str, str], dedup_key: str) -> int:
        """Post one message; raises UnavailableError when the alerter takes nothing now, else ConfigurationError."""
        if self._token is None:
            raise ConfigurationError("NOTIFICATIONS_TOKEN is not set: no message can be sent to the alerter")
        body = {
            "level": level,
            "title": title,
            "text": text,
            "fields": {"job": self._job, **fields},
            "dedup_key": dedup_key,
        }
        headers = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "Content-Type": "application/json",
        }
        try:
            answer = self._call("POST", self._url, headers, json.dumps(body).encode())
        except requests.RequestException as error:
            raise UnavailableError(f"the alerter does not answer: {type(error).__name__}") from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise UnavailableError(f"the alerter answers {answer.status_code}")
        if answer.status_code >= 300:
            raise ConfigurationError(f"the alerter refuses the message: {answer.status_code} {answer.content[:300]!r}")
        return int(json.loads(answer.content)["alert_id"])


def worker_name() -> str:
    """Return what tells this process from every other."""
    return f"{os.uname().nodename}:{os.getpid()}"
