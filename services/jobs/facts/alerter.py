"""Ask the alerter what fired and what was silenced."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar
from urllib.parse import urlencode

import requests
from pydantic import BaseModel, ValidationError

from nightdesk.alerting import MAX_ALERTS, Alert, Alerts, Silence, Silences
from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.outbound import Call

T = TypeVar("T", bound=BaseModel)

LOOK_BACK: Final = timedelta(days=7)
"""Whoever is asked about a day is asked for what began so long before it; what is older is asked for by its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerter:
    """One alerter; every question blocks, and raises UnavailableError when there is no answer to it.

    ``token`` is that of jobs, which may read.
    """

    url: str
    token: str
    call: Call

    def alerts(self, begin: datetime, end: datetime, unfinished: Iterable[int]) -> list[Alert]:
        """Return every alert that fired at some time between two moments, and some that ended shortly before.

        ``unfinished`` are numbers of alerts that fired when they were last heard of.
        """
        found = {one.alert_id: one for one in self._since(begin - LOOK_BACK)}
        for one in self._pages({"firing": "true"}):
            found[one.alert_id] = one
        for number in sorted(set(unfinished) - found.keys()):
            known = self._asked(f"/alerts/{number}", Alert)
            if known is not None:
                found[number] = known
        return [one for one in found.values() if one.started_at < end]

    def silences(self) -> list[Silence]:
        """Return every silence it remembers."""
        answer = self._asked("/silences?ended=true", Silences)
        return answer.silences if answer is not None else []

    def _since(self, moment: datetime) -> Iterable[Alert]:
        for page in self._each_page({}):
            yield from page
            if page and max(one.started_at for one in page) < moment:
                return

    def _pages(self, asked: Mapping[str, str]) -> Iterable[Alert]:
        for page in self._each_page(asked):
            yield from page

    def _each_page(self, asked: Mapping[str, str]) -> Iterable[list[Alert]]:
        before: int | None = None
        while True:
            place = {} if before is None else {"before": str(before)}
            answer = self._asked(f"/alerts?{urlencode({**asked, **place, 'limit': str(MAX_ALERTS)})}", Alerts)
            yield answer.alerts if answer is not None else []
            if answer is None or answer.next is None:
                return
            before = answer.next

    def _asked(self, path: str, model: type[T]) -> T | None:
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self.token}"}
        try:
            answer = self.call("GET", f"{self.url.rstrip('/')}{path}", headers, None)
        except requests.RequestException as error:
            raise UnavailableError(f"the alerter does not answer: {type(error).__name__}") from error
        if answer.status_code == 404:
            return None
        if answer.status_code in {401, 403}:
            raise ConfigurationError(f"the alerter refuses NOTIFICATIONS_TOKEN: {answer.status_code}")
        if answer.status_code != 200:
            raise UnavailableError(f"the alerter answers {answer.status_code}")
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as error:
            raise UnavailableError(f"the alerter's answer cannot be read: {error.error_count()} errors") from error
