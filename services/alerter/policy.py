"""``config/alerts.yaml``: who is told what, when, and how often. Pure, but for reading the file."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nightdesk.config_files import Location, read_config
from nightdesk.durations import Duration
from nightdesk.matchers import Matchers
from services.alerter.channels import ChannelOptions, secret_variables
from services.alerter.matching import Labels, matches
from services.alerter.messages import Tier
from services.alerter.times import TimeOfDay, Zone

PAGE: Final = "page"
DIGEST: Final = "digest"
LOG: Final = "log"

ChannelName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


def _yes_or_no(value: object) -> object:
    known = {"yes": True, "true": True, "no": False, "false": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    if isinstance(value, bool):
        return value
    raise ValueError("write yes or no")


YesOrNo: TypeAlias = Annotated[bool, BeforeValidator(_yes_or_no)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class Step(_Part):
    """One step of the page: whom to call, so long after the step before."""

    after: Duration = Field(default=0.0, ge=0, description="how long after the step before, as 15m")
    channels: tuple[ChannelName, ...] = Field(min_length=1, description="names of channels")


class Page(_Part):
    """How a critical alert reaches a person: step by step, until it is acknowledged or over."""

    steps: tuple[Step, ...] = Field(min_length=1, description="whom to call first, and whom after that")
    repeat: Duration = Field(1800.0, ge=1, description="how often the last step comes again, as 30m")
    wait: Duration = Field(0.0, ge=0, description="how long to collect alerts of one group before the first call")
    interval: Duration = Field(60.0, ge=0, description="the least time between two messages about one group")


class Notices(_Part):
    """How alerts that a route sends to channels are told: once, without escalation."""

    wait: Duration = Field(30.0, ge=0, description="how long to collect alerts of one group before the message")
    interval: Duration = Field(300.0, ge=0, description="the least time between two messages about one group")
    repeat: Duration = Field(14_400.0, ge=0, description="how often to say it again while it lasts, as 4h; 0s is never")
    resolved: YesOrNo = Field(default=False, description="yes to say as well that it is over")


def _to(value: object) -> object:
    if isinstance(value, str):
        if value not in {PAGE, DIGEST, LOG}:
            raise ValueError(f"{value[:80]!r} is no destination; write page, digest, log, or a list of channels")
        return value
    return tuple(value) if isinstance(value, list) else value


Destination: TypeAlias = Literal["page", "digest", "log"] | tuple[ChannelName, ...]


class Route(_Part):
    """Where alerts go whose labels match; the first route that matches decides."""

    match: Matchers = Field(description="label: regular expression for its whole value")
    to: Annotated[Destination, BeforeValidator(_to)] = Field(description="page, digest, log, or a list of channels")
    always: YesOrNo = Field(default=False, description="yes: neither quiet hours nor the budget hold it back")


class Inhibition(_Part):
    """While an alert that matches ``when`` fires, and ``linger`` after it, those that match ``hide`` are not told."""

    when: Matchers = Field(description="the alert that explains the others")
    hide: Matchers = Field(description="the alerts that it explains")
    same: tuple[str, ...] = Field((), description="labels that both must share")
    linger: Duration = Field(60.0, ge=0, description="how long after its end the others may take to recover")


class Flapping(_Part):
    """An alert that began so often is held: it counts as over only once it has been quiet for ``hold``."""

    episodes: int = Field(3, ge=2, le=100, description="beginnings within the time")
    within: Duration = Field(3600.0, gt=0, description="the time in which they are counted")
    hold: Duration = Field(900.0, ge=0, description="how long it has to be quiet then")


class QuietHours(_Part):
    """When nothing but a page is sent; what else comes is in the next digest."""

    start: TimeOfDay = Field(alias="from", description="begin, HH:MM")
    end: TimeOfDay = Field(alias="to", description="end, HH:MM")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.start == self.end:
            raise ValueError("from and to are the same; remove quiet_hours to have none")
        return self


class Digest(_Part):
    """One message with everything that needs no haste."""

    at: tuple[TimeOfDay, ...] = Field(min_length=1, max_length=24, description="when, HH:MM, in the time zone above")
    channels: tuple[ChannelName, ...] = Field(min_length=1, description="where")


class Budget(_Part):
    """How much one person reads: what is not critical and beyond it waits for the digest."""

    per_day: int = Field(7, ge=0, le=1000, description="messages a day that are neither a page nor a digest")


class Watching(_Part):
    """How Prometheus is watched."""

    every: Duration = Field(
        3.0, ge=0.1, le=60, description="how often to ask for its alerts: more often than it evaluates its rules"
    )
    resolve_after: Duration = Field(15.0, ge=0, description="how long an alert has to be gone before it is over")
    unreachable_after: Duration = Field(60.0, ge=1, description="silence of Prometheus that is an alert itself")
    settle_after: Duration = Field(
        120.0, ge=0, description="how long a Prometheus that has just started may take to find again what it knew"
    )
    watchdog: str = Field("Watchdog", min_length=1, description="the rule that always fires; its value is the time")
    catch_up: Duration = Field(172_800.0, ge=0, description="how far back to read what was missed while away")


class Policy(_Part):
    """The whole file."""

    timezone: Zone = Field(ZoneInfo("UTC"), description="of every time in this file and in messages")
    channels: dict[ChannelName, ChannelOptions] = Field(default_factory=dict, description="ways to a person, by name")
    page: Page = Field(description="what critical means")
    notices: Notices = Field(default_factory=lambda: Notices.model_validate({}), description="messages to channels")
    routes: tuple[Route, ...] = Field((), description="where alerts go; without a match by severity")
    group_by: tuple[str, ...] = Field(
        ("alertname", "feed", "service"), description="alerts that share these labels share their messages"
    )
    inhibit: tuple[Inhibition, ...] = Field((), description="which alerts explain which others")
    flapping: Flapping = Field(
        default_factory=lambda: Flapping.model_validate({}), description="alerts that come and go"
    )
    quiet_hours: QuietHours | None = Field(None, description="when only a page is sent")
    digest: Digest = Field(description="when the rest is told")
    budget: Budget = Field(default_factory=lambda: Budget.model_validate({}), description="messages a day")
    failover_after: Duration = Field(60.0, ge=1, description="how long a channel may fail before the next one is taken")
    storm: int = Field(5, ge=1, le=100, description="messages at once; what comes beyond them becomes one")
    links_last: Duration = Field(604_800.0, ge=60, description="how long an acknowledge link works")
    watch: Watching = Field(
        default_factory=lambda: Watching.model_validate({}), description="how Prometheus is watched"
    )

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Every channel of the page in its order, then the others: who stands in for whom."""
        named = [name for step in self.page.steps for name in step.channels]
        return tuple(dict.fromkeys([*named, *self.channels]))

    def route_of(self, labels: Labels, tier: Tier) -> "Way":
        """Return where an alert goes: by the first route that matches, else by its tier."""
        for route in self.routes:
            if matches(route.match, labels):
                return Way(to=route.to, always=route.always)
        return Way(to={Tier.CRITICAL: PAGE, Tier.WARNING: DIGEST, Tier.INFO: LOG}[tier])


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where an alert goes."""

    to: str | tuple[str, ...]
    always: bool = False


def read_policy(path: Path) -> Policy:
    """Return the policy; raises ConfigurationError naming every wrong line."""
    return read_config(path, Policy, variable="ALERTS_CONFIG", check=problems_of)


def problems_of(policy: Policy) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong between the parts of a policy, with its place."""
    known = ", ".join(policy.channels) or "none"
    for place, name in _named_channels(policy):
        if name not in policy.channels:
            yield place, f"there is no channel {name!r}; channels has {known}"
    variables = {name: secret_variables(options) for name, options in policy.channels.items()}
    times = Counter(tuple(sorted(named.items())) for named in variables.values() if named)
    for name, named in variables.items():
        if times[tuple(sorted(named.items()))] > 1:
            yield ("channels", name), f"takes its secret from the same variable as another: {', '.join(named.values())}"


def _named_channels(policy: Policy) -> Iterator[tuple[Location, str]]:
    """Yield every name of a channel that the policy uses, with its place."""
    for number, step in enumerate(policy.page.steps):
        yield from _placed(("page", "steps", number, "channels"), step.channels)
    for number, route in enumerate(policy.routes):
        if isinstance(route.to, tuple):
            yield from _placed(("routes", number, "to"), route.to)
    yield from _placed(("digest", "channels"), policy.digest.channels)


def _placed(location: Location, names: Sequence[str]) -> Iterator[tuple[Location, str]]:
    return (((*location, number), name) for number, name in enumerate(names))
