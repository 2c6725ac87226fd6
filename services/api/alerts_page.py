"""The page of the alerts: what fires, what was told and to whom, what is silenced. Pure; it needs no script."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final

from nightdesk import durations
from nightdesk.alerting import Alert, Attempt, Channel, Delivery, Link, Notification, Silence
from nightdesk.matchers import exactly, written
from services.api.templates import NOTHING, Html, fill, joined

NAME: Final = "alertname"
NOT_MATCHED: Final = frozenset({"severity"})
"""What a silence of one alert leaves out: it goes on when the same thing gets worse."""

NOT_CONFIGURED: Final = "not_configured"
RESTING: Final = "resting"
MARKS: Final = {"ready": "ok", RESTING: "down"}
_RUNBOOK: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything the page shows; ``older`` is where the next page of ended alerts begins."""

    firing: Sequence[Alert]
    ended: Sequence[Alert]
    older: int | None
    told: Sequence[Notification]
    silences: Sequence[Silence]
    channels: Sequence[Channel]
    now: datetime


def rendered(view: View, frame: Mapping[str, object]) -> Html:
    """Return the page in its frame, see ``layout``."""
    return fill(
        "alerts.html",
        count=len(view.firing),
        **frame,
        warning=_warning(view.channels),
        firing=_all((_firing(one, view.now) for one in view.firing), "Nothing fires."),
        ended=_list((_ended(one) for one in view.ended), "Nothing has ended."),
        older=NOTHING
        if view.older is None
        else fill("parts/link.html", to=f"/alerts?before={view.older}", text="Older"),
        silences=_all((_silence(one, view.now) for one in view.silences), "Nothing is silenced."),
        form=fill("parts/silence_form.html", key="new", match=""),
        told=_all((_notification(one) for one in view.told), "Nothing was told yet."),
        channels=_list((_channel(one) for one in view.channels), "config/alerts.yaml names no channel."),
    )


def about_link(link: Link, token: str) -> Html:
    """Return what an acknowledge link is about, and its one button while that is of use."""
    alerts = _list((_linked(one) for one in link.alerts), "")
    if link.open:
        action = fill("parts/use_link.html", token=token)
    else:
        action = fill("parts/quiet.html", text="There is nothing left to acknowledge: it is over, or somebody did.")
    return joined(*_paragraph(link.text), alerts, action)


def after_link(link: Link, done: Sequence[int]) -> Html:
    """Return what has become of what a link is about, once it was used."""
    numbers = ", ".join(f"#{number}" for number in done)
    said = f"Acknowledged: {numbers}. Nobody is called about it any more." if done else "Nothing changed."
    return joined(*_paragraph(said), _list((_linked(one) for one in link.alerts), ""))


def nobody_would_be_woken(channels: Sequence[Channel]) -> str | None:
    """Return why no message would reach anybody; None when one would."""
    usable = [one for one in channels if one.state != NOT_CONFIGURED]
    if not usable:
        return "Nobody would be woken: no channel is configured. .env.example says what to set."
    if all(one.state == RESTING for one in usable):
        return "Nobody would be woken: every channel that is configured has failed for good. make alert-test says how."
    return None


def runbook_of(alert: Alert) -> str | None:
    """Return where an alert's runbook is to be read; None when there is none that a browser reaches."""
    if alert.runbook.startswith(("https://", "http://")):
        return alert.runbook
    name = PurePosixPath(alert.runbook).stem
    return f"/runbooks/{name}" if _RUNBOOK.fullmatch(name) else None


def state_of(alert: Alert) -> str:
    """Return in words who knows of an alert."""
    if alert.acknowledged_at is not None:
        note = f": {alert.note}" if alert.note else ""
        return f"acknowledged by {alert.acknowledged_by} at {minute(alert.acknowledged_at)}{note}"
    if alert.hidden:
        return "hidden by a silence, or by another alert that explains it"
    if alert.ended_at is not None:
        return "over"
    return "firing, nobody was told yet" if alert.told_at is None else f"firing, told at {minute(alert.told_at)}"


def minute(moment: datetime) -> str:
    """Return a moment for reading; the desk's clock is UTC."""
    return f"{moment:%a %d %b %H:%M} UTC"


# --- alerts ---


def _firing(alert: Alert, now: datetime) -> Html:
    good = fill("parts/fact.html", label="Last good value:", value=alert.last_good) if alert.last_good else NOTHING
    return fill(
        "parts/alert.html",
        tier=alert.tier,
        summary=alert.summary,
        number=alert.alert_id,
        name=alert.name,
        iso=alert.started_at.isoformat(),
        since=minute(alert.started_at),
        age=durations.written((now - alert.started_at).total_seconds()),
        state=state_of(alert),
        description=joined(*_paragraph(alert.description)),
        last_good=good,
        acknowledge=NOTHING if alert.acknowledged_at else fill("parts/acknowledge.html", number=alert.alert_id),
        runbook=_runbook(alert),
        form=fill("parts/silence_form.html", key=alert.alert_id, match=exactly(_telling(alert))),
    )


def _telling(alert: Alert) -> dict[str, str]:
    rest = {name: value for name, value in alert.labels.items() if name not in NOT_MATCHED}
    return {NAME: rest.pop(NAME, alert.name), **rest}


def _ended(alert: Alert) -> Html:
    by = f", acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    length_s = ((alert.ended_at or alert.started_at) - alert.started_at).total_seconds()
    # What a job reports has no end of its own.
    over = f", over after {durations.written(length_s)}" if length_s else ""
    return fill(
        "parts/ended.html",
        tier=alert.tier,
        summary=alert.summary,
        number=alert.alert_id,
        iso=alert.started_at.isoformat(),
        since=minute(alert.started_at),
        over=f"{over}{by}",
        runbook=_runbook(alert),
    )


def _linked(alert: Alert) -> Html:
    return fill(
        "parts/told_alert.html",
        tier=alert.tier,
        summary=alert.summary,
        number=alert.alert_id,
        name=alert.name,
        state=state_of(alert),
    )


def _runbook(alert: Alert) -> Html:
    where = runbook_of(alert)
    return NOTHING if where is None else fill("parts/link.html", to=where, text="Runbook")


# --- what was told ---


def _notification(one: Notification) -> Html:
    return fill(
        "parts/notification.html",
        tier=one.tier,
        iso=one.created_at.isoformat(),
        at=minute(one.created_at),
        title=one.title,
        kind=one.kind,
        told=_told(one.deliveries),
        text=joined(*_paragraph(one.text)),
        facts=joined(*(fill("parts/fact.html", label=f"{label}:", value=value) for label, value in one.facts)),
        items=_list((fill("parts/item.html", text=item) for item in one.items), ""),
        deliveries=_list(map(_delivery, one.deliveries), "No channel was told: it stands in the log and here."),
    )


def _told(deliveries: Sequence[Delivery]) -> str:
    states = [f"{one.channel} {one.state}" for one in deliveries]
    return ", ".join(states) or "no channel was told"


def _delivery(one: Delivery) -> Html:
    when = f"at {_second(one.ended_at)}" if one.ended_at else f"due at {_second(one.due_at)}"
    attempts = [fill("parts/item.html", text=_attempt(attempt)) for attempt in one.attempts]
    return fill(
        "parts/delivery.html",
        channel=one.channel,
        state=one.state,
        when=when,
        attempts=_list(attempts, ""),
    )


def _attempt(one: Attempt) -> str:
    status = "" if one.status is None else f", HTTP {one.status}"
    reason = f" ({one.reason})" if one.reason else ""
    detail = f": {one.detail}" if one.detail else ""
    return f"{_second(one.at)} {one.outcome.replace('_', ' ')}{reason}{status}, {one.latency_s * 1000:.0f} ms{detail}"


def _second(moment: datetime) -> str:
    return f"{moment:%H:%M:%S} UTC"


# --- the rest ---


def _silence(one: Silence, now: datetime) -> Html:
    return fill(
        "parts/silence.html",
        number=one.silence_id,
        match=written(one.match),
        iso=one.ends_at.isoformat(),
        until=minute(one.ends_at),
        left=durations.written((one.ends_at - now).total_seconds()),
        by=one.by,
        reason=f": {one.reason}" if one.reason else "",
    )


def _channel(one: Channel) -> Html:
    state = one.state.replace("_", " ")
    return fill(
        "parts/channel.html",
        mark=MARKS.get(one.state, "quiet"),
        channel=one.channel,
        kind=one.kind,
        state=f"{state}, {one.detail}" if one.detail else state,
        waiting=f", {one.waiting} waiting" if one.waiting else "",
    )


def _warning(channels: Sequence[Channel]) -> Html:
    text = nobody_would_be_woken(channels)
    return NOTHING if text is None else fill("parts/warning.html", text=text)


def _paragraph(text: str) -> Iterable[Html]:
    return (fill("parts/paragraph.html", text=line) for line in text.splitlines() if line.strip())


def _all(parts: Iterable[Html], otherwise: str) -> Html:
    return joined(*parts) or fill("parts/quiet.html", text=otherwise)


def _list(items: Iterable[Html], otherwise: str) -> Html:
    found = joined(*items)
    if found:
        return fill("parts/list.html", items=found)
    return fill("parts/quiet.html", text=otherwise) if otherwise else NOTHING
