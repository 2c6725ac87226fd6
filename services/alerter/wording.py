"""News in words: what broke, since when, what it means, the last good value, and what to do. Pure."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final, TypeAlias
from urllib.parse import quote
from zoneinfo import ZoneInfo

from nightdesk.durations import written
from services.alerter.alerts import NAME, SEVERITY, Alert, Source
from services.alerter.messages import MAX_TOLD, Fact, Kind, Link, Message, Tier, Told
from services.alerter.news import CALLS, News
from services.alerter.times import local

MAX_ITEMS: Final = 200
MAX_LINE: Final = 500
MAX_TEXT: Final = 8000
"""Characters. What a rule writes into its words may be of any length, and no channel shows more than that."""

WEEK_S: Final = 6 * 86_400.0
"""A day of the week alone says which day it was for so long."""

TEMPLATE_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.\d+)? \+0000 UTC")
"""A moment as a rule's ``humanizeTimestamp`` writes it: Go's ``Time.String`` in UTC."""

NOT_FACTS: Final = frozenset({NAME, SEVERITY, "title"})

REPORT: Final = "report"
"""The labelled line with the path of a report that a message sums up."""

Sign: TypeAlias = Callable[[int, float], str]
"""Return the token that lets its holder acknowledge what a notification told, made at this time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Puts news into words. Without ``public_url`` there are no links, for they would lead nowhere."""

    zone: ZoneInfo
    public_url: str | None
    sign: Sign
    per_day: int
    digest_at: str

    def __call__(self, news: News, notification_id: int, now_s: float) -> Message:
        """Return the message."""

        def at_home(said: re.Match[str]) -> str:
            try:
                return self._dated(datetime.fromisoformat(f"{said[1]}+00:00").timestamp(), now_s)
            except (ValueError, OverflowError):  # no day of any calendar
                return said[0]

        def line(text: str) -> str:
            return _cut(" ".join(TEMPLATE_TIME.sub(at_home, text).split()), MAX_LINE)

        asks = news.kind in CALLS and any(alert.is_firing for alert in news.firing)
        return Message(
            notification_id=notification_id,
            kind=news.kind,
            tier=news.tier,
            title=line(self._title(news, now_s)),
            text=_cut(TEMPLATE_TIME.sub(at_home, self._text(news)), MAX_TEXT),
            facts=tuple(Fact(line(fact.name), line(fact.text)) for fact in self._facts(news, now_s)),
            items=tuple(line(item) for item in self._items(news, now_s)),
            links=tuple(self._links(news)),
            acknowledge_url=self._acknowledge_url(notification_id, now_s) if asks else None,
            hint=f"Acknowledge on the server: make ack ID={news.firing[0].alert_id}" if asks else "",
            dedup_key=news.dedup_key or f"nightdesk-{notification_id}",
            alerts=tuple(_told(alert) for alert in news.alerts[:MAX_TOLD]),
            more_alerts=max(0, len(news.alerts) - MAX_TOLD),
        )

    def _title(self, news: News, now_s: float) -> str:
        if news.kind is Kind.DIGEST:
            fresh = sum(alert.told_s is None for alert in news.alerts)
            return f"Digest: {fresh} new, {len(news.firing)} going on, {len(news.ended)} over"
        if news.kind is Kind.NOTICE:
            return f"The budget of {self.per_day} messages a day is used up"
        about = _about(news.firing or news.ended)
        age = written(now_s - min((alert.started_s for alert in news.alerts), default=now_s))
        prefixes = {
            Kind.ESCALATION: f"Nobody has acknowledged for {age}: ",
            Kind.REPEAT: f"Still firing after {age}: ",
            Kind.RESOLVED: f"Over after {_lasted(news.ended)}: ",
            Kind.MISSED: f"Came and went within {_lasted(news.ended)}: ",
            Kind.ACKNOWLEDGED: f"Acknowledged by {_by(news.firing)}: ",
        }
        return prefixes.get(news.kind, "") + about

    def _text(self, news: News) -> str:
        if news.kind is Kind.NOTICE:
            return f"What else comes today and is not critical waits for the digest at {self.digest_at}."
        if news.kind is Kind.DIGEST:
            return ""
        first = news.alerts[0]
        said = first.annotations.get("description", "")
        if news.kind is Kind.MISSED:
            return f"It fired and was over before anybody could be told. {said}".strip()
        return said

    def _facts(self, news: News, now_s: float) -> list[Fact]:
        if news.kind in {Kind.NOTICE, Kind.DIGEST}:
            return []
        first = news.alerts[0]
        if first.source is Source.POST:
            return [Fact(name, value) for name, value in first.labels.items() if name not in NOT_FACTS]
        facts = [Fact("Since", self._since(news.firing, now_s))] if news.firing else []
        if news.kind in {Kind.RESOLVED, Kind.MISSED}:
            facts.append(Fact("From", f"{self._at(_earliest(news.ended))} to {self._at(_latest(news.ended))}"))
        if news.firing and first.annotations.get("last_good"):
            facts.append(Fact("Last good value", first.annotations["last_good"]))
        if first.acknowledged is not None:
            facts.append(Fact("Acknowledged", f"{self._at(first.acknowledged.at_s)} by {first.acknowledged.by}"))
        if self._runbook(first) is None and first.annotations.get("runbook_url"):
            facts.append(Fact("Runbook", first.annotations["runbook_url"]))
        numbers = ", ".join(f"#{alert.alert_id}" for alert in news.alerts[:5]) + (
            " ..." if len(news.alerts) > 5 else ""
        )
        return [*facts, Fact("Alert", f"{first.name} {numbers}")]

    def _items(self, news: News, now_s: float) -> list[str]:
        if news.kind is Kind.DIGEST:
            lines = [*self._digested(news.firing), *self._digested(news.ended)]
        elif len(news.alerts) > 1:
            lines = [self._line(alert, now_s) for alert in news.alerts]
        else:
            lines = []
        return lines if len(lines) <= MAX_ITEMS else [*lines[:MAX_ITEMS], f"and {len(lines) - MAX_ITEMS} more"]

    def _line(self, alert: Alert, now_s: float) -> str:
        if alert.ended_s is not None and not alert.is_momentary:
            return f"over: {alert.summary} ({self._at(alert.started_s)} to {self._at(alert.ended_s)})"
        return f"{alert.summary} ({written(now_s - alert.started_s)})"

    def _digested(self, alerts: Sequence[Alert]) -> list[str]:
        """Return one line for each thing that was wrong, however often it was."""
        same: dict[tuple[str, str], list[Alert]] = {}
        for alert in alerts:
            key = alert.fingerprint if alert.source is not Source.POST else str(alert.alert_id)
            same.setdefault((alert.name, key), []).append(alert)
        ordered = sorted(same.values(), key=lambda ones: (-len(ones), ones[-1].started_s))
        return [self._digest_line(ones) for ones in ordered]

    def _digest_line(self, same: Sequence[Alert]) -> str:
        last = max(same, key=lambda alert: alert.started_s)
        often = f"{len(same)} times, " if len(same) > 1 else ""
        if last.is_momentary:
            return f"{last.summary} ({self._at(last.started_s)})"
        state = "going on" if last.is_firing else f"over after {_lasted([last])}"
        return f"{last.summary} ({often}{self._at(last.started_s)}, {state})"

    def _links(self, news: News) -> list[Link]:
        if self.public_url is None:
            return []
        runbook = self._runbook(news.alerts[0]) if news.alerts else None
        found = [] if runbook is None else [Link("Runbook", runbook)]
        report = self._report(news.alerts[0]) if news.alerts else None
        found += [] if report is None else [Link("Report", report)]
        return [*found, Link("Alerts", f"{self.public_url}/alerts"), Link("Grafana", f"{self.public_url}/grafana/")]

    def _runbook(self, alert: Alert) -> str | None:
        """Return the address of an alert's runbook; None where there is none that a browser reaches."""
        url = alert.annotations.get("runbook_url", "")
        if url.startswith(("https://", "http://")):
            return url
        return f"{self.public_url}/runbooks/{PurePosixPath(url).stem}" if url and self.public_url else None

    def _report(self, alert: Alert) -> str | None:
        """Return the address of the report that a job tells of; its path is a labelled line of the message."""
        path = alert.labels.get(REPORT, "")
        is_ours = alert.source is Source.POST and path.startswith("/reports/")
        return f"{self.public_url}{quote(path)}" if is_ours else None

    def _acknowledge_url(self, notification_id: int, now_s: float) -> str | None:
        return None if self.public_url is None else f"{self.public_url}/ack/{self.sign(notification_id, now_s)}"

    def _since(self, alerts: Sequence[Alert], now_s: float) -> str:
        started_s = _earliest(alerts)
        return f"{self._at(started_s)}, for {written(now_s - started_s)}"

    def _at(self, moment_s: float) -> str:
        return local(moment_s, self.zone).strftime("%a %H:%M:%S %Z")

    def _dated(self, moment_s: float, now_s: float) -> str:
        if abs(now_s - moment_s) < WEEK_S:
            return self._at(moment_s)
        return local(moment_s, self.zone).strftime("%Y-%m-%d %H:%M:%S %Z")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _about(alerts: Sequence[Alert]) -> str:
    """Return what alerts are about, in a line."""
    if len(alerts) == 1:
        return alerts[0].summary
    names = Counter(alert.name for alert in alerts)
    if len(names) == 1:
        return f"{alerts[0].name}: {len(alerts)} at once"
    listed = ", ".join(f"{name} {count}" for name, count in names.most_common(5))
    return f"{len(alerts)} alerts at once: {listed}"


def _lasted(alerts: Sequence[Alert]) -> str:
    return written(_latest(alerts) - _earliest(alerts)) if alerts else "0 s"


def _earliest(alerts: Sequence[Alert]) -> float:
    return min(alert.started_s for alert in alerts)


def _latest(alerts: Sequence[Alert]) -> float:
    return max(alert.started_s if alert.ended_s is None else alert.ended_s for alert in alerts)


def _by(alerts: Sequence[Alert]) -> str:
    words = [alert.acknowledged for alert in alerts if alert.acknowledged is not None]
    return words[0].by if words else "nobody"


def _told(alert: Alert) -> Told:
    return Told(alert_id=alert.alert_id, labels=alert.labels, started_s=alert.started_s, ended_s=alert.ended_s)


def test_message(notification_id: int, channel: str) -> Message:
    """Return the message of ``make alert-test``."""
    return Message(
        notification_id=notification_id,
        kind=Kind.TEST,
        tier=Tier.INFO,
        title=f"Test of the channel {channel}",
        text="If you can read this, Nightdesk can reach you here.",
        dedup_key=f"nightdesk-test-{notification_id}",
    )
