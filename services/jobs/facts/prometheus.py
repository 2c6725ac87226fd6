"""Ask Prometheus for a stretch of time (https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from urllib.parse import urlencode

import msgspec
import requests

from nightdesk.errors import UnavailableError
from nightdesk.outbound import Call
from services.jobs.facts.measuring import Period, Series


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Data(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Data


@cache
def query(name: str) -> str:
    """Return the text of ``promql/<name>.promql``."""
    return files("services.jobs.facts").joinpath("promql", f"{name}.promql").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """One Prometheus; every question blocks, and raises UnavailableError when there is no answer to it."""

    url: str
    call: Call

    def series(self, name: str, period: Period, step_s: int) -> list[Series]:
        """Return what a query says at the end of each whole step of the period."""
        if period.end_s - period.begin_s < step_s:
            return []
        asked: Mapping[str, str | float] = {
            "query": query(name),
            "start": period.begin_s + step_s,
            "end": period.end_s,
            "step": step_s,
        }
        return [_series(one) for one in self._asked(f"{self.url.rstrip('/')}/api/v1/query_range?{urlencode(asked)}")]

    def _asked(self, url: str) -> list[_Series]:
        try:
            answer = self.call("GET", url, {"Accept": "application/json"}, None)
        except requests.RequestException as error:
            raise UnavailableError(f"Prometheus does not answer: {type(error).__name__}") from error
        if answer.status_code != 200:
            raise UnavailableError(f"Prometheus answers {answer.status_code}")
        try:
            return msgspec.json.decode(answer.content, type=_Answer).data.result
        except msgspec.MsgspecError as error:
            raise UnavailableError(f"Prometheus's answer cannot be read: {error}") from error


def _series(one: _Series) -> Series:
    return Series(labels=one.metric, samples=[(at_s, float(value)) for at_s, value in one.values])
