"""Prometheus's answers as it gives them, and answers that are none."""

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.errors import UnavailableError
from nightdesk.outbound import Answer, Received, UnboundedError
from services.alerter.alerts import Episode, fingerprint_of
from services.alerter.watch.past import Evaluations, Past
from services.alerter.watch.prometheus import MAX_SAMPLES, Prometheus, filled

ALERTS = """
{"status":"success","data":{"alerts":[
  {"labels":{"alertname":"FeedSilent","feed":"binance","severity":"critical"},
   "annotations":{"description":"Last tick 62 s ago.","summary":"binance is silent"},
   "state":"firing","activeAt":"2026-11-23T12:00:00.5Z","value":"6.2e+01"},
  {"labels":{"alertname":"DiskLow","severity":"warning","volume":"spool"},
   "annotations":{"summary":"The disk fills"},
   "state":"pending","activeAt":"2026-11-23T12:01:00+01:00","value":"8.1e-01"},
  {"labels":{"alertname":"Watchdog","severity":"info"},"annotations":{},
   "state":"firing","activeAt":"2026-11-20T00:00:00Z","value":"1.795435200123e+09"}
]}}
"""
NOON = 1_795_435_200.0


class Says:
    """Stands in for the network: one answer to everything, or an error; notes what was asked."""

    def __init__(self, content: str | bytes = b"", status: int = 200, error: Exception | None = None) -> None:
        self._content = content.encode() if isinstance(content, str) else content
        self._status = status
        self._error = error
        self.asked: list[str] = []

    def __call__(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        self.asked.append(url)
        if self._error is not None:
            raise self._error
        return Received(status_code=self._status, headers={}, content=self._content)


def prometheus(says: Says) -> Prometheus:
    return Prometheus("http://prometheus:9090/", says)


# --- what fires now ---


def test_what_fires_is_reported_with_its_labels_its_words_and_since_when() -> None:
    says = Says(ALERTS)
    (report,) = prometheus(says).snapshot("Watchdog").reports

    assert says.asked == ["http://prometheus:9090/api/v1/alerts"]
    assert report.labels == {"alertname": "FeedSilent", "feed": "binance", "severity": "critical"}
    assert report.annotations == {"description": "Last tick 62 s ago.", "summary": "binance is silent"}
    assert report.started_s == NOON + 0.5


def test_what_is_pending_is_known_by_its_fingerprint() -> None:
    pending = prometheus(Says(ALERTS)).snapshot("Watchdog").pending

    assert pending == {fingerprint_of({"alertname": "DiskLow", "severity": "warning", "volume": "spool"})}


def test_the_watchdog_is_no_alert_and_its_value_is_when_rules_were_evaluated() -> None:
    assert prometheus(Says(ALERTS)).snapshot("Watchdog").watchdog_s == 1_795_435_200.123


def test_without_a_watchdog_there_is_no_such_moment() -> None:
    snapshot = prometheus(Says(ALERTS)).snapshot("AnotherName")

    assert snapshot.watchdog_s is None
    assert len(snapshot.reports) == 2


@pytest.mark.parametrize("value", ["NaN", "", "soon", "+Inf"])
def test_a_value_that_is_no_moment_is_none(value: str) -> None:
    text = ALERTS.replace("1.795435200123e+09", value)

    assert prometheus(Says(text)).snapshot("Watchdog").watchdog_s is None


def test_an_alert_without_a_name_or_words_is_an_alert() -> None:
    text = '{"data":{"alerts":[{"labels":{},"state":"firing","activeAt":"2026-11-23T12:00:00Z","value":"1"}]}}'
    (report,) = prometheus(Says(text)).snapshot("Watchdog").reports

    assert (report.labels, report.annotations) == ({}, {})


def test_label_values_are_what_they_are() -> None:
    value = 'a "quoted"\n{{ line }} \\ 🔥' + "x" * 10_000
    alert = {"labels": {"alertname": "A", "path": value}, "state": "firing", "activeAt": "2026-11-23T12:00:00Z"}
    text = json.dumps({"data": {"alerts": [{**alert, "value": "1"}]}})

    assert prometheus(Says(text)).snapshot("Watchdog").reports[0].labels["path"] == value


@pytest.mark.parametrize(
    "says",
    [
        Says("", 200),
        Says("<html>502 Bad Gateway</html>"),
        Says(b"\xff\xfe{}"),
        Says(ALERTS[:200]),
        Says("{}"),
        Says("null"),
        Says('{"data":null}'),
        Says('{"data":{"alerts":null}}'),
        Says('{"data":{"alerts":[1]}}'),
        Says('{"data":{"alerts":[{"labels":{"alertname":1},"state":"firing","activeAt":"x","value":"1"}]}}'),
        Says('{"data":{"alerts":[{"labels":{},"state":"firing","activeAt":"yesterday","value":"1"}]}}'),
        Says('{"data":{"alerts":[{"labels":{},"state":"firing","activeAt":"2026-11-23T12:00:00Z","value":1}]}}'),
        Says("[" * 100_000),
        Says(ALERTS, 500),
        Says(ALERTS, 503),
        Says(ALERTS, 301),
        Says("", 404),
        Says(error=requests.ConnectionError("http://user:secret@prometheus:9090 refused")),
        Says(error=requests.Timeout("slow")),
        Says(error=UnboundedError("too large")),
    ],
)
def test_an_answer_that_is_none_is_an_absence(says: Says) -> None:
    with pytest.raises(UnavailableError) as caught:
        prometheus(says).snapshot("Watchdog")

    assert "secret" not in str(caught.value)


def ask_all(content: bytes) -> None:
    asked = prometheus(Says(content))
    with suppress(UnavailableError):
        asked.snapshot("Watchdog")
    with suppress(UnavailableError):
        asked.words()
    with suppress(UnavailableError):
        asked.episodes(NOON, NOON + 10, apart_s=lambda _rule: 15.0, watchdog="Watchdog")


@given(st.binary(max_size=300))
def test_whatever_is_answered_is_an_answer_or_an_absence(content: bytes) -> None:
    ask_all(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "alerts", "labels", "state", "groups", "result", "rules"]), inner)
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_json_is_answered_is_an_answer_or_an_absence(answer: Any) -> None:
    ask_all(json.dumps(answer).encode())


# --- the words of the rules ---

RULES = """
{"status":"success","data":{"groups":[
  {"name":"feeds","file":"/etc/prometheus/rules/feeds.yaml","interval":5,"limit":0,"rules":[
    {"state":"firing","name":"FeedSilent","query":"x","duration":0,"labels":{"severity":"critical"},"type":"alerting",
     "annotations":{"summary":"{{ $labels.feed }} is silent","description":"For {{ $value }} s."},"alerts":[]},
    {"name":"feed:age:seconds","query":"y","health":"ok","type":"recording"}]},
  {"name":"slow","interval":60,"rules":[{"name":"MarketUnusual","annotations":{}},{"name":"FeedSilent"}]},
  {"name":"empty","interval":300,"rules":[]}
]}}
"""


def test_the_words_of_each_rule_are_as_they_are_written() -> None:
    words = prometheus(Says(RULES.replace(',{"name":"FeedSilent"}', ""))).words()

    assert words["FeedSilent"] == {"summary": "{{ $labels.feed }} is silent", "description": "For {{ $value }} s."}


def test_of_two_rules_of_one_name_the_slower_says_how_often() -> None:
    assert prometheus(Says(RULES)).intervals() == {"FeedSilent": 60, "feed:age:seconds": 5, "MarketUnusual": 60}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{{ $labels.feed }} is silent", "binance is silent"),
        ("{{$labels.feed}}, {{  $labels.feed  }}", "binance, binance"),
        ("{{ $labels.none }} is silent", " is silent"),
        ("{{ $labels.odd }}", "{{ $value }}"),
        ("no template", "no template"),
        ("for {{ $value }} s", None),
        ("{{ $labels.feed }} for {{ $value }} s", None),
        ("{{ with query `up` }}{{ . | first }}{{ end }}", None),
    ],
)
def test_words_that_need_no_more_than_labels_can_be_filled_in(written: str, read: str | None) -> None:
    labels = {"feed": "binance", "odd": "{{ $value }}"}

    assert filled({"summary": written}, labels).get("summary") == read


# --- what fired ---


class Remembers:
    """Stands in for Prometheus's past: one alert and the watchdog, each firing every few seconds."""

    def __init__(self, *, every_s: float, series: int = 1, refused_s: float = float("inf")) -> None:
        self.every_s = every_s
        self._series = series
        self._refused_s = refused_s
        self.asked: list[tuple[float, float]] = []

    def __call__(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        query = parse_qs(urlsplit(url).query)
        until_s, text = float(query["time"][0]), query["query"][0]
        length_s = float(text.rpartition("[")[2].partition("ms]")[0]) / 1000
        if text.startswith("sum("):
            return self._count(until_s, length_s)
        self.asked.append((until_s - length_s, until_s))
        moments = self._moments(until_s - length_s, until_s)
        names = [f"A{number}" for number in range(self._series)]
        return _result([_series(name, moments) for name in [*names, "Watchdog"]])

    def _count(self, until_s: float, length_s: float) -> Answer:
        if length_s > self._refused_s:
            return Received(status_code=422, headers={}, content=b'{"error":"query processing would load too many"}')
        count = len(self._moments(until_s - length_s, until_s)) * (self._series + 1)
        return _result([{"metric": {}, "value": [until_s, str(count)]}] if count else [])

    def _moments(self, begin_s: float, end_s: float) -> list[float]:
        first = int(begin_s // self.every_s)
        places = range(first, int(end_s // self.every_s) + 1)
        return [place * self.every_s for place in places if begin_s <= place * self.every_s <= end_s]


def _series(name: str, moments: list[float]) -> dict[str, Any]:
    metric = {"__name__": "ALERTS", "alertname": name, "alertstate": "firing"}
    return {"metric": metric, "values": [[at_s, "1"] for at_s in moments]}


def _result(result: list[dict[str, Any]]) -> Answer:
    content = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}).encode()
    return Received(status_code=200, headers={}, content=content)


def episodes(remembers: Remembers, length_s: float) -> list[Episode]:
    asked = Prometheus("http://prometheus:9090", remembers)
    return asked.episodes(NOON, NOON + length_s, apart_s=lambda _rule: 15.0, watchdog="Watchdog")


def test_a_past_that_is_small_is_read_at_once() -> None:
    remembers = Remembers(every_s=5.0)
    (episode,) = episodes(remembers, 3600.0)

    assert len(remembers.asked) == 1
    assert episode.labels == {"alertname": "A0"}
    assert (episode.started_s, episode.last_s, episode.is_over) == (NOON, NOON + 3600.0, False)


def test_a_past_that_is_large_is_read_in_pieces_and_is_the_same() -> None:
    remembers = Remembers(every_s=5.0, series=200)
    found = episodes(remembers, 7200.0)

    pieces = remembers.asked
    assert len(pieces) > 1
    assert all((end - begin) / 5.0 * 201 <= MAX_SAMPLES + 402 for begin, end in pieces)
    assert [begin for begin, _ in pieces[1:]] == pytest.approx([end for _, end in pieces[:-1]], abs=0.01)
    assert {(one.started_s, one.last_s, one.is_over) for one in found} == {(NOON, NOON + 7200.0, False)}
    assert len(found) == 200


def test_a_past_that_is_too_large_to_be_counted_is_read_in_pieces() -> None:
    remembers = Remembers(every_s=5.0, refused_s=1000.0)
    (episode,) = episodes(remembers, 7200.0)

    assert (episode.started_s, episode.last_s) == (NOON, NOON + 7200.0)


def test_a_short_time_is_read_at_once_however_much_there_is() -> None:
    remembers = Remembers(every_s=5.0, refused_s=0.0)
    episodes(remembers, 29.0)

    assert len(remembers.asked) == 1


def test_of_no_time_nothing_is_asked() -> None:
    remembers = Remembers(every_s=5.0)

    assert episodes(remembers, 0.0) == []
    assert episodes(remembers, -3600.0) == []
    assert remembers.asked == []


# --- from samples to episodes ---


@given(st.lists(st.integers(0, 200), max_size=20), st.lists(st.integers(0, 60), max_size=30), st.integers(1, 60))
def test_pieces_make_no_difference(evaluated: list[int], fired: list[int], cut: int) -> None:
    def past(*parts: list[int]) -> list[Episode]:
        made = Past(watchdog="Watchdog", apart_s=lambda _rule: 12.0)
        for part in parts:
            made.add({"alertname": "A"}, map(float, part), is_firing=True)
        made.add({"alertname": "Watchdog"}, map(float, evaluated), is_firing=True)
        return made.episodes(300.0)

    before, after = [at for at in fired if at <= cut], [at for at in fired if at > cut]
    assert past(fired) == past(before, after) == past(after, before) == past(*[[at] for at in fired])


@given(st.lists(st.integers(0, 300), max_size=40), st.integers(0, 300), st.integers(0, 300))
def test_how_long_rules_were_evaluated_is_the_sum_of_the_short_steps(evaluated: list[int], one: int, two: int) -> None:
    start, end = min(one, two), max(one, two)
    within = [start, *sorted({at for at in evaluated if start < at < end}), end]
    slow = sum(later - earlier for earlier, later in pairwise(within) if later - earlier < 15)

    assert Evaluations(map(float, evaluated), 15.0).covered_s(float(start), float(end)) == slow
