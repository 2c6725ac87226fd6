"""PagerDuty, by Events API v2 (https://developer.pagerduty.com/docs/events-api-v2-overview).

An event is taken (202) long before an incident exists. ``dedup_key`` ties what belongs together: a trigger opens what
an acknowledge stops and a resolve closes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from pydantic import Field

from nightdesk.outbound import Call
from services.alerter.channel import Delivered, Options
from services.alerter.channels.addresses import ApiUrl
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.fitting import clean, cut, one_line
from services.alerter.channels.layout import ACKNOWLEDGE, MAX_FACT, MAX_NAME, address_of, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.messages import Kind, Link, Message

MAX_SUMMARY: Final = 1024
MAX_DEDUP_KEY: Final = 255
MAX_TEXT: Final = 4096
MAX_LISTED: Final = 50
"""Facts and items each: an event may have 512 KB, and nobody reads a tenth of it."""

MAX_LINKS: Final = 10
MAX_ADDRESS: Final = 2048

_ACTIONS: Final = {Kind.ACKNOWLEDGED: "acknowledge", Kind.RESOLVED: "resolve"}


class PagerdutyOptions(Options):
    """What ``config/alerts.yaml`` says of a PagerDuty channel."""

    kind: Literal["pagerduty"] = Field(description="what kind of channel it is")
    routing_key: SecretName = Field("PAGERDUTY_ROUTING_KEY", description="variable with the service's integration key")
    api_url: ApiUrl = Field("https://events.pagerduty.com", description="where the events API is")


class PagerdutyChannel:
    """One service of PagerDuty.

    Digests and notices open nothing there and are not taken. A message of a job is taken whatever its tier, as an event
    of that severity: whoever routes it here wants it there, and PagerDuty's own rules decide whom an ``info`` wakes.
    What came and went unseen stays open until a person closes it.
    """

    takes = frozenset(
        {
            Kind.FIRING,
            Kind.ESCALATION,
            Kind.REPEAT,
            Kind.MISSED,
            Kind.ACKNOWLEDGED,
            Kind.RESOLVED,
            Kind.MESSAGE,
            Kind.TEST,
        }
    )

    def __init__(self, options: PagerdutyOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        self._url = f"{options.api_url}/v2/enqueue"
        self._routing_key = secrets["routing_key"]
        self._api = Api(call, wall_s, [self._routing_key])

    def payload(self, message: Message) -> dict[str, object]:
        """Return the event that is posted."""
        event: dict[str, object] = {
            "routing_key": self._routing_key,
            "event_action": _ACTIONS.get(message.kind, "trigger"),
            "dedup_key": _dedup_key(message),
        }
        return event if message.kind in _ACTIONS else {**event, **_described(message)}

    def send(self, message: Message) -> Delivered:
        """Deliver one event; a test is resolved at once, so that it leaves nothing open."""
        answer = self._api.post(self._url, self.payload(message))
        self._api.check(answer)
        if message.kind is Kind.TEST:
            answer = self._api.post(self._url, self.payload(replace(message, kind=Kind.RESOLVED)))
            self._api.check(answer)
        return Delivered(status=answer.status_code)


def _described(message: Message) -> dict[str, object]:
    links = [Link(ACKNOWLEDGE, message.acknowledge_url or ""), *message.links[:MAX_LINKS]]
    return {
        "client": "Nightdesk",
        "links": [
            {"href": url, "text": cut(one_line(link.label), MAX_NAME)}
            for link in links
            if (url := address_of(link.url)) and len(url) <= MAX_ADDRESS
        ],
        "payload": {
            "summary": cut(title_of(message), MAX_SUMMARY),
            "source": "nightdesk",
            "severity": message.tier.value,
            "custom_details": _details(message),
        },
    }


def _details(message: Message) -> dict[str, object]:
    facts = {one_line(fact.name)[:MAX_NAME]: cut(one_line(fact.text), MAX_FACT) for fact in message.facts[:MAX_LISTED]}
    left_out = len(message.items) - MAX_LISTED
    items = [cut(one_line(item), MAX_FACT) for item in message.items[:MAX_LISTED]]
    rest = {
        "How to acknowledge": cut(one_line(message.hint), MAX_FACT),
        "Text": cut(clean(message.text), MAX_TEXT),
        "List": [*items, f"+{left_out} more"] if left_out > 0 else items,
    }
    return {**facts, **{name: value for name, value in rest.items() if value}}


def _dedup_key(message: Message) -> str:
    """Return the key; one that is too long keeps its beginning, and is told from others by a hash of the whole."""
    key = message.dedup_key or f"nightdesk-{message.notification_id}"
    if len(key) <= MAX_DEDUP_KEY:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[: MAX_DEDUP_KEY - len(digest) - 1]}-{digest}"
