"""Any program that listens for HTTP: the whole message as JSON, signed.

``X-Nightdesk-Signature: t=<Unix time>,v1=<hex>``, where v1 is HMAC-SHA-256 of ``<t>.<body>`` under the shared secret:
who verifies it, and that t is recent, knows that the body is ours and not an old one played again. ``Idempotency-Key``
is the same whenever the same notification is sent again.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from nightdesk.outbound import Call
from services.alerter.channel import EVERY_KIND, Delivered, Options
from services.alerter.channels.addresses import web_address
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.secret_names import SecretName
from services.alerter.messages import Kind, Message, Told

SIGNATURE: Final = "X-Nightdesk-Signature"
IDEMPOTENCY: Final = "Idempotency-Key"


class WebhookOptions(Options):
    """What ``config/alerts.yaml`` says of a webhook."""

    kind: Literal["webhook"] = Field(description="what kind of channel it is")
    url: SecretName = Field("WEBHOOK_URL", description="variable with the address that is posted to")
    secret: SecretName = Field("WEBHOOK_SECRET", description="variable with the secret that signs")


class WebhookChannel:
    """One address; any 2xx means that it took the message."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: WebhookOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        self._url = web_address(options.url, secrets["url"])
        self._secret = secrets["secret"].encode()
        self._wall_s = wall_s
        self._api = Api(call, wall_s, [self._url, secrets["secret"]])

    def payload(self, message: Message) -> dict[str, object]:
        """Return what is posted: the message, field by field. Times are Unix seconds."""
        return {
            "notification_id": message.notification_id,
            "kind": message.kind.value,
            "tier": message.tier.value,
            "title": message.title,
            "text": message.text,
            "facts": [{"name": fact.name, "text": fact.text} for fact in message.facts],
            "items": list(message.items),
            "links": [{"label": link.label, "url": link.url} for link in message.links],
            "acknowledge_url": message.acknowledge_url,
            "hint": message.hint,
            "dedup_key": message.dedup_key,
            "alerts": [_alert(told) for told in message.alerts],
            "more_alerts": message.more_alerts,
        }

    def send(self, message: Message) -> Delivered:
        """Deliver one message."""
        body = json.dumps(self.payload(message)).encode()
        headers = {
            SIGNATURE: signature(self._secret, int(self._wall_s()), body),
            IDEMPOTENCY: f"nightdesk-{message.notification_id}",
        }
        answer = self._api.send("POST", self._url, body, headers)
        self._api.check(answer)
        return Delivered(status=answer.status_code)


def signature(secret: bytes, at_s: int, body: bytes) -> str:
    """Return the signature of a body that is sent at this Unix time."""
    digest = hmac.new(secret, b"%d." % at_s + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def _alert(told: Told) -> dict[str, object]:
    return {
        "alert_id": told.alert_id,
        "labels": dict(told.labels),
        "started_s": told.started_s,
        "ended_s": told.ended_s,
    }
