"""Prometheus's HTTP API (https://prometheus.io/docs/prometheus/latest/querying/api/): what fires, and what did."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf, isfinite
from typing import Final, Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec
import requests

from nightdesk.errors import UnavailableError
from nightdesk.outbound import Call
from services.alerter.alerts import NAME, Episode, Report, fingerprint_of
from services.alerter.watch.past import Past

SERIES: Final = 'ALERTS{alertstate=~"firing|pending"}'
SERIES_OWN: Final = frozenset({"__name__", "alertstate"})
MAX_SAMPLES: Final = 200_000
"""Of one answer about the past; about 6 MB."""

SHORTEST_S: Final = 30.0
"""A time no longer than this is asked for at once, however much there is."""

EVALUATIONS_APART: Final = 2.4
"""Two evaluations and a bit: samples further apart belong to two episodes."""

TOO_MUCH: Final = frozenset({422, 503})
"""A query that needs too many samples, or takes too long."""

_TEMPLATE: Final = re.compile(r"\{\{\s*\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}")

T = TypeVar("T")


class _Envelope(msgspec.Struct, Generic[T]):
    data: T


class _Alert(msgspec.Struct):
    labels: dict[str, str]
    state: str
    activeAt: datetime  # noqa: N815  Prometheus's name
    value: str
    annotations: dict[str, str] = {}


class _Alerts(msgspec.Struct):
    alerts: list[_Alert]


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []
    value: tuple[float, str] = (0.0, "")


class _Result(msgspec.Struct):
    result: list[_Series]


class _Rule(msgspec.Struct):
    name: str = ""
    annotations: dict[str, str] = {}


class _Group(msgspec.Struct):
    interval: float = 0.0
    rules: list[_Rule] = []


class _Groups(msgspec.Struct):
    groups: list[_Group]


class TooMuchError(UnavailableError):
    """Prometheus will not do so much at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What Prometheus says now: what fires, and the fingerprints of what is pending.

    Of the watchdog its value and since when it fires, which is since when the rules are evaluated; Unix seconds.
    """

    reports: Sequence[Report]
    pending: frozenset[str]
    watchdog_s: float | None
    watchdog_since_s: float = 0.0


class Prometheus:
    """Asks one Prometheus; every call blocks, and raises UnavailableError when there is no answer to it."""

    def __init__(self, url: str, call: Call) -> None:
        self._url = url.rstrip("/")
        self._call = call

    def snapshot(self, watchdog: str) -> Snapshot:
        """Return what fires now; the watchdog is no alert of anybody's."""
        said = self._asked("/api/v1/alerts", {}, _Alerts).alerts
        named = [(one, one.labels.get(NAME, "")) for one in said]
        firing = [one for one, name in named if one.state == "firing" and name != watchdog]
        watchdogs = [one for one, name in named if one.state == "firing" and name == watchdog]
        return Snapshot(
            reports=[
                Report(labels=one.labels, annotations=one.annotations, started_s=one.activeAt.timestamp())
                for one in firing
            ],
            pending=frozenset(fingerprint_of(one.labels) for one in said if one.state == "pending"),
            watchdog_s=_number(watchdogs[0].value) if watchdogs else None,
            watchdog_since_s=watchdogs[0].activeAt.timestamp() if watchdogs else 0.0,
        )

    def episodes(
        self, since_s: float, until_s: float, *, apart_s: Callable[[str], float], watchdog: str
    ) -> list[Episode]:
        """Return what fired between two moments; a silence of ``apart_s``, by the rule's name, ends an episode.

        Whatever was silent while no rule was evaluated goes on (``Past``).
        """
        past = Past(watchdog=watchdog, apart_s=apart_s)
        for start_s, end_s in self._pieces(since_s, until_s):
            for series in self._range(start_s, end_s):
                labels = {name: value for name, value in series.metric.items() if name not in SERIES_OWN}
                is_firing = series.metric.get("alertstate") == "firing"
                past.add(labels, (at_s for at_s, _ in series.values), is_firing=is_firing)
        return past.episodes(until_s)

    def words(self) -> Mapping[str, Mapping[str, str]]:
        """Return the annotations of every rule as they are written, by its name."""
        return {rule.name: rule.annotations for group in self._groups() for rule in group.rules}

    def intervals(self) -> Mapping[str, float]:
        """Return how often each rule is evaluated, in seconds, by its name; of several of one name, the slowest."""
        found = sorted((group.interval, rule.name) for group in self._groups() for rule in group.rules)
        return {name: interval_s for interval_s, name in found}

    def _groups(self) -> list[_Group]:
        return self._asked("/api/v1/rules", {"type": "alert"}, _Groups).groups

    def _pieces(self, since_s: float, until_s: float) -> Iterator[tuple[float, float]]:
        """Yield the time in pieces of which none has too many samples to be read at once."""
        length_s = until_s - since_s
        if length_s <= 0:
            return
        if length_s <= SHORTEST_S or self._count(since_s, until_s) <= MAX_SAMPLES:
            yield since_s, until_s
            return
        middle_s = since_s + length_s / 2
        yield from self._pieces(since_s, middle_s)
        yield from self._pieces(middle_s, until_s)

    def _count(self, since_s: float, until_s: float) -> float:
        try:
            found = self._query(f"sum(count_over_time({_selector(since_s, until_s)}))", until_s)
        except TooMuchError:
            return inf
        return sum(_number(series.value[1]) or 0.0 for series in found)

    def _range(self, since_s: float, until_s: float) -> list[_Series]:
        return self._query(_selector(since_s, until_s), until_s)

    def _query(self, query: str, at_s: float) -> list[_Series]:
        return self._asked("/api/v1/query", {"query": query, "time": f"{at_s:.3f}"}, _Result).result

    def _asked(self, path: str, parameters: Mapping[str, str], kind: type[T]) -> T:
        query = f"?{urlencode(parameters, quote_via=quote)}" if parameters else ""
        try:
            answer = self._call("GET", f"{self._url}{path}{query}", {"Accept": "application/json"}, None)
        except requests.RequestException as error:
            raise UnavailableError(f"Prometheus does not answer: {type(error).__name__}") from error
        if answer.status_code in TOO_MUCH:
            raise TooMuchError(f"Prometheus refuses {path} with status {answer.status_code}")
        if answer.status_code != 200:
            raise UnavailableError(f"Prometheus answers {path} with status {answer.status_code}")
        return _data(answer.content, path, kind)


def filled(annotations: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """Return the annotations of a rule for these labels, without those that need more than labels to be written."""
    return {
        name: _TEMPLATE.sub(lambda found: labels.get(found[1], ""), text)
        for name, text in annotations.items()
        if "{{" not in _TEMPLATE.sub("", text)
    }


def _selector(since_s: float, until_s: float) -> str:
    # in milliseconds, and a range excludes its left end (since Prometheus 3) or not (before): read twice does no harm
    return f"{SERIES}[{round((until_s - since_s) * 1000) + 1}ms]"


def _data(content: bytes, path: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=_Envelope[kind]).data  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise UnavailableError(f"Prometheus's answer to {path} cannot be read: {error}") from error


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if isfinite(number) else None
