"""Budgets of requests that survive their process and are shared by everyone who asks with one key.

As ``nightdesk.exchanges.budget`` says: a bucket that holds half of what a minute allows and refills with the other half
never spends more than the whole in any minute. Time is the database's, one clock for all who share.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from nightdesk.store.database import Connection, statement, translated


def budget_name(url: str, api_key: str = "") -> str:
    """Return whose budget a request is paid from: the host's, or that of a key there, which the name does not tell."""
    host = urlsplit(url).netloc.rpartition("@")[2]
    return f"{host}#{hashlib.sha256(api_key.encode()).hexdigest()[:16]}" if api_key else host


class SharedBudget:
    """One row of ``rate_budgets``. Like its fellow in memory it never sleeps; every method raises UnavailableError."""

    def __init__(
        self,
        connection: Connection,
        name: str,
        *,
        weight_per_minute: float,
        now: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        """``now`` returns None for the database's own time."""
        self._connection = connection
        self._name = name
        self._weight_per_minute = weight_per_minute
        self._now = now

    def spend(self, weight: float) -> float:
        """Take ``weight`` out and return the seconds to wait before the call it pays for."""
        return self._ask("take_budget", weight=weight, weight_per_minute=self._weight_per_minute) or 0.0

    def give_back(self, weight: float) -> None:
        """Put back what was taken for a call that will not be made."""
        self._ask("return_budget", weight=weight)

    def close(self, seconds: float) -> None:
        """Let nobody ask for ``seconds``: the exchange said so."""
        self._ask("close_budget", seconds=seconds)

    def closed_s(self) -> float:
        """Return for how many seconds nobody may ask: somebody else may have been told so meanwhile."""
        return self._ask("closed_budget") or 0.0

    def _ask(self, name: str, **values: Any) -> float | None:  # noqa: ANN401  numbers
        with translated():
            cursor = self._connection.execute(statement(name), {"budget": self._name, "at": self._now(), **values})
            row = cursor.fetchone() if cursor.description else None
        return None if row is None else float(row[0])
