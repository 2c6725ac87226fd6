"""Episodes as Prometheus remembers them: how far apart two samples may be depends on how often a rule is evaluated."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

from nightdesk.outbound import Answer, Received
from services.alerter.policy import Watching
from services.alerter.watch.asking import Asking
from services.alerter.watch.prometheus import Prometheus

NOON = 1_000_000.0


class Remembers:
    """Stands in for Prometheus: rules by their interval, and when each fired or was pending, in seconds after noon.

    Unless ``away`` says that it was away between two moments, the watchdog was evaluated as often as any rule.
    """

    def __init__(
        self,
        intervals: Mapping[str, float],
        fired: Mapping[str, list[float]],
        pending: Mapping[str, list[float]] | None = None,
        away: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self._intervals = intervals
        step_s = min(intervals.values())
        moments = [place * step_s for place in range(int(1000 / step_s) + 1)]
        watchdog = [at for at in moments if not away[0] < at < away[1]]
        self._series = [
            *(("firing", name, times) for name, times in {**fired, "Watchdog": watchdog}.items()),
            *(("pending", name, times) for name, times in (pending or {}).items()),
        ]

    def __call__(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        data = self._rules() if urlsplit(url).path == "/api/v1/rules" else self._past(parse_qs(urlsplit(url).query))
        return Received(status_code=200, headers={}, content=json.dumps({"data": data}).encode())

    def _rules(self) -> object:
        return {"groups": [{"interval": every, "rules": [{"name": name}]} for name, every in self._intervals.items()]}

    def _past(self, query: Mapping[str, list[str]]) -> object:
        if query["query"][0].startswith("sum("):
            return {"result": []}
        return {
            "result": [
                {"metric": {"alertname": name, "alertstate": state}, "values": [[NOON + at, "1"] for at in times]}
                for state, name, times in self._series
            ]
        }


def episodes(
    prometheus: Remembers, *, until: float = 1000.0, resolve_after: str = "15s"
) -> list[tuple[float, float, bool]]:
    """Return when each episode began and ended, in seconds after noon, and whether it is over."""
    watching = Watching.model_validate({"resolve_after": resolve_after})
    with ThreadPoolExecutor(1) as thread:
        asking = Asking(Prometheus("http://prometheus", prometheus), watching, thread)
        found = asyncio.run(asking.episodes(NOON, NOON + until))
    return [(one.started_s - NOON, one.last_s - NOON, one.is_over) for one in found]


def test_samples_within_the_time_an_alert_may_be_gone_are_one_episode() -> None:
    assert episodes(Remembers({"A": 5.0}, {"A": [5, 10, 20, 34]})) == [(5, 34, True)]


def test_samples_further_apart_are_two() -> None:
    assert episodes(Remembers({"A": 5.0}, {"A": [5, 10, 25, 30]})) == [(5, 10, True), (25, 30, True)]


def test_a_rule_that_is_evaluated_once_a_minute_has_one_episode_of_many_samples() -> None:
    assert episodes(Remembers({"A": 60.0}, {"A": [0, 60, 120, 240, 400]}), until=450) == [
        (0, 240, True),
        (400, 400, False),
    ]


def test_each_rule_is_measured_by_its_own_interval() -> None:
    fired = {"A": [0.0, 60.0], "B": [0.0, 60.0]}

    assert episodes(Remembers({"A": 60.0, "B": 5.0}, fired)) == [(0, 60, True), (0, 0, True), (60, 60, True)]


def test_a_short_time_to_be_gone_is_kept_where_rules_are_evaluated_often() -> None:
    prometheus = Remembers({"A": 0.25}, {"A": [0, 0.25, 0.5, 2, 2.25]})

    assert episodes(prometheus, until=4, resolve_after="1s") == [(0, 0.5, True), (2, 2.25, True)]


def test_a_rule_that_is_gone_is_measured_as_the_slowest_that_is_there() -> None:
    assert episodes(Remembers({"A": 60.0, "B": 5.0}, {"Gone": [0, 60]})) == [(0, 60, True)]


# --- a Prometheus that was away ---


def test_what_fired_before_and_after_prometheus_was_away_goes_on() -> None:
    prometheus = Remembers({"A": 5.0}, {"A": [5, 10, 15, 500, 505]}, away=(15, 500))

    assert episodes(prometheus, until=507) == [(5, 505, False)]


def test_what_is_not_evaluated_again_yet_is_not_over() -> None:
    prometheus = Remembers({"A": 5.0}, {"A": [5, 10, 15]}, away=(15, 500))

    assert episodes(prometheus, until=507) == [(5, 15, False)]


def test_what_does_not_fire_any_more_once_prometheus_is_back_is_over() -> None:
    prometheus = Remembers({"A": 5.0}, {"A": [5, 10, 15]}, away=(15, 500))

    assert episodes(prometheus, until=520) == [(5, 15, True)]


def test_what_is_pending_anew_after_prometheus_was_away_goes_on() -> None:
    pending = {"A": [float(at) for at in range(500, 560, 5)]}
    prometheus = Remembers({"A": 5.0}, {"A": [5, 10, 15, 560, 565]}, pending, away=(15, 500))

    assert episodes(prometheus, until=567) == [(5, 565, False)]


def test_what_is_pending_and_does_not_fire_is_no_episode() -> None:
    assert episodes(Remembers({"A": 5.0}, {}, {"A": [5, 10, 15]})) == []


def test_an_episode_begins_when_it_fires_not_when_it_is_pending() -> None:
    prometheus = Remembers({"A": 5.0}, {"A": [65, 70]}, {"A": [float(at) for at in range(5, 65, 5)]}, away=(0, 0))

    assert episodes(prometheus) == [(65, 70, True)]


def test_a_silence_with_prometheus_there_and_away_is_measured_without_the_time_it_was_away() -> None:
    prometheus = Remembers({"A": 5.0}, {"A": [5, 500]}, away=(10, 490))

    assert episodes(prometheus, until=502) == [(5, 5, True), (500, 500, False)]
    assert episodes(Remembers({"A": 5.0}, {"A": [5, 495]}, away=(10, 490)), until=497) == [(5, 495, False)]
