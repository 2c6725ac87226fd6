"""A stage for the alerter's decisions: alerts fire and end, time passes at once, and what is told reads as a story.

Everything is real but the file, the channels and the clock; ``wait`` looks every few seconds, as the alerter does.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from nightdesk.durations import seconds
from services.alerter.alerts import NAME, SEVERITY, Alert, Report, Silence, Source, fingerprint_of
from services.alerter.deciding import acknowledge, decide
from services.alerter.messages import Tier
from services.alerter.observing import Post, observe, post, settle
from services.alerter.policy import Policy, read_policy
from services.alerter.turn import Notification, State, Turn
from services.alerter.wording import Words

T = TypeVar("T")

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
STEP_S = 5.0
BUSY_S = 180.0

BASE = """
timezone: UTC
channels:
  slack: {kind: slack}
  pager: {kind: pushover}
  phone: {kind: telegram}
page:
  steps:
    - {channels: [slack]}
    - {after: 15m, channels: [pager]}
    - {after: 10m, channels: [phone]}
  repeat: 30m
  wait: 0s
  interval: 1m
notices: {wait: 30s, interval: 5m, repeat: 4h, resolved: no}
digest: {at: ["18:00"], channels: [slack]}
watch: {resolve_after: 15s}
"""


@cache
def policy_of(text: str) -> Policy:
    """Return the policy in a text, read from a file as it always is."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "alerts.yaml"
        file.write_text(text, encoding="utf-8")
        return read_policy(file)


class Stage:
    """One desk without disk or network."""

    def __init__(
        self, more: str = "", *, at: float = MONDAY_NOON, base: str = BASE, enabled: Iterable[str] | None = None
    ) -> None:
        self.policy = policy_of(base + more)
        self.state = State(digested_s=at)
        self.now_s = at
        self.began_s = at
        self.changed_s = at
        self.enabled = frozenset(self.policy.channels if enabled is None else enabled)
        self.told: list[Notification] = []
        self.withdrawn: list[str] = []
        self.reports: dict[str, Report] = {}
        self.words = Words(
            zone=self.policy.timezone,
            public_url=None,
            sign=lambda number, now_s: f"{number}",
            per_day=self.policy.budget.per_day,
            digest_at="18:00",
        )

    @staticmethod
    def base_without(*names: str) -> str:
        """Return the base of the policy without some of its one-line parts."""
        return "".join(f"{line}\n" for line in BASE.splitlines() if line.partition(":")[0] not in names)

    # --- what happens ---

    def fire(self, name: str, severity: str = "critical", **labels: str) -> Report:
        """Let an alert fire from now on."""
        every = {NAME: name, SEVERITY: severity, **labels}
        known = Report(labels=every, annotations={"summary": _summary(name, labels)}, started_s=self.now_s)
        self.reports[fingerprint_of(every)] = known
        self.changed_s = self.now_s
        self.look()
        return known

    def fire_together(self, name: str, severity: str = "critical", *, label: str, values: Iterable[str]) -> None:
        """Let alerts fire that differ in one label, all of them noticed at the same time."""
        for value in values:
            every = {NAME: name, SEVERITY: severity, label: value}
            words = {"summary": _summary(name, {label: value})}
            self.reports[fingerprint_of(every)] = Report(labels=every, annotations=words, started_s=self.now_s)
        self.look()

    def end(self, name: str, **labels: str) -> None:
        """Let every alert of this name and labels end now."""
        for fingerprint, report in list(self.reports.items()):
            if report.labels[NAME] == name and labels.items() <= report.labels.items():
                del self.reports[fingerprint]
        self.changed_s = self.now_s
        self.look()

    def blink(self, name: str, severity: str = "critical", *, on: str = "1m", off: str = "1m", **labels: str) -> None:
        """Let an alert fire for a while and be gone for a while."""
        self.fire(name, severity, **labels)
        self.wait(on)
        self.end(name, **labels)
        self.wait(off)

    def post(self, level: str, title: str, *, key: str = "", **fields: str) -> int:
        """Let a job say something."""

        posted = Post(level=Tier(level), title=title, fields=fields, dedup_key=key)
        return self.change(lambda turn: post(turn, self.policy, posted))

    def ack(self, name: str, by: str = "me") -> list[Alert]:
        """Acknowledge the alerts of this name."""
        numbers = {alert.alert_id for alert in self.state.alerts.values() if alert.name == name and alert.is_firing}
        return self.change(lambda turn: acknowledge(turn, self.policy, self.words, numbers, by=by))

    def ack_number(self, number: int) -> list[Alert]:
        """Acknowledge the alert of this number."""
        return self.change(lambda turn: acknowledge(turn, self.policy, self.words, {number}, by="me"))

    def silence(self, length: str, **match: str) -> None:
        """Silence what matches."""

        one = Silence(silence_id=0, match=match, starts_s=self.now_s, ends_s=self.now_s + seconds(length), by="me")
        self.change(lambda turn: turn.put_silence(one))

    def wait(self, length: str) -> None:
        """Let time pass."""
        until_s = self.now_s + seconds(length)
        while self.now_s < until_s:
            self.now_s = min(until_s, self._next_s())
            self.look()

    def until(self, moment: str) -> None:
        """Let time pass until the next time of this day, HH:MM, UTC."""
        now = datetime.fromtimestamp(self.now_s, UTC)
        hour, minute = map(int, moment.split(":"))
        wanted = now.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp()
        self.wait(f"{(wanted - self.now_s) % 86_400:.0f}s")

    def look(self) -> None:
        """Ask for what fires, and do what is due."""

        def act(turn: Turn) -> None:
            observe(turn, self.policy, self.reports.values(), Source.PROMETHEUS)
            settle(turn, self.policy, Source.PROMETHEUS, turn.now_s)

        self.change(act)

    def change(self, act: Callable[[Turn], T]) -> T:
        """Do one turn, as the desk does."""
        turn = Turn(self.state, self.now_s)
        done = act(turn)
        decide(turn, self.policy, self.words, self.enabled)
        self.told += turn.notifications
        self.withdrawn += turn.withdrawn
        self.state = turn.state()
        return done

    def _next_s(self) -> float:
        """Return when to look next: every few seconds after a change, then twice a minute, never where nothing is."""
        if not self.state.alerts and not self.reports:
            return inf
        if self.now_s - self.changed_s < BUSY_S:
            return self.now_s + STEP_S
        return self.began_s + ((self.now_s - self.began_s) // 30 + 1) * 30

    # --- what was told ---

    def story(self) -> list[str]:
        """Return what was told so far and forget it: when, why, to whom, what."""
        lines = [_line(one, self.began_s) for one in self.told]
        self.told = []
        return lines

    def firing(self) -> list[Alert]:
        """Return the alerts that fire by now."""
        return [alert for alert in self.state.alerts.values() if alert.is_firing]


def _line(one: Notification, began_s: float) -> str:
    passed = round(one.created_s - began_s)
    clock = f"{passed // 3600:02}:{passed // 60 % 60:02}:{passed % 60:02}"
    return f"{clock} {one.kind} {','.join(one.channels) or '-'}: {one.message.title}"


def _summary(name: str, labels: Mapping[str, str]) -> str:
    return " ".join([name, *labels.values()])
