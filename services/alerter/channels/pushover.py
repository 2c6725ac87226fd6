"""Pushover (https://pushover.net/api), with receipts for what has to wake somebody (https://pushover.net/api/receipts)."""

import re
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import quote

from pydantic import Field

from nightdesk.outbound import Answer, Call
from services.alerter.channel import EVERY_KIND, Delivered, Options, PermanentError, Reason
from services.alerter.channels.addresses import ApiUrl
from services.alerter.channels.answers import object_of, seconds_of
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.fitting import cut, length
from services.alerter.channels.layout import ACKNOWLEDGE, PLAIN, address_of, laid_out, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import tone_of
from services.alerter.messages import Kind, Message, Tier

MAX_TITLE: Final = 250
MAX_MESSAGE: Final = 1024
MAX_URL: Final = 512
MAX_URL_TITLE: Final = 100

_UNIX_TIME: Final = re.compile(r"[0-9]{1,11}")

EMERGENCY: Final = 2
RETRY_S: Final = 60
"""How often an emergency sounds again; 30 s is the least."""

EXPIRE_S: Final = 10_800
"""How long it goes on; three hours are the most."""

_CRITICAL: Final = {
    Kind.FIRING: EMERGENCY,
    Kind.ESCALATION: EMERGENCY,
    Kind.REPEAT: EMERGENCY,
    Kind.MISSED: 0,
    Kind.RESOLVED: 0,
    Kind.DIGEST: -1,
}


class PushoverOptions(Options):
    """What ``config/alerts.yaml`` says of a Pushover channel."""

    kind: Literal["pushover"] = Field(description="what kind of channel it is")
    app_token: SecretName = Field("PUSHOVER_APP_TOKEN", description="variable with the application's token")
    user_key: SecretName = Field("PUSHOVER_USER_KEY", description="variable with the key of a user or group")
    api_url: ApiUrl = Field("https://api.pushover.net", description="where the API is")


class PushoverChannel:
    """One user or group; what is critical sounds again and again until somebody acknowledges it."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: PushoverOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        self._api_url = options.api_url
        self._token = secrets["app_token"]
        self._user = secrets["user_key"]
        self._wall_s = wall_s
        self._api = Api(call, wall_s, [self._token, self._user])

    def payload(self, message: Message) -> dict[str, object]:
        """Return what is posted."""
        priority = priority_of(message)
        linked = _linked(message)
        sign = f"{tone_of(message).sign} "
        return {
            "token": self._token,
            "user": self._user,
            "title": sign + cut(title_of(message), MAX_TITLE - length(sign)),
            "message": laid_out(message, PLAIN, MAX_MESSAGE, with_acknowledge=not linked) or message.kind.value,
            "priority": priority,
            **({"retry": RETRY_S, "expire": EXPIRE_S} if priority == EMERGENCY else {}),
            **linked,
        }

    def send(self, message: Message) -> Delivered:
        """Deliver one message; what is critical has a receipt."""
        answer = self._api.post(f"{self._api_url}/1/messages.json", self.payload(message))
        receipt = self._taken(answer).get("receipt")
        return Delivered(status=answer.status_code, receipt=receipt if isinstance(receipt, str) else "")

    def is_acknowledged(self, receipt: str) -> bool | None:
        """Return whether a person acknowledged it; None once the receipt is expired or unknown.

        To be asked every 5 s at most. The token is in the address, for this question has no other place for it.
        """
        query = f"token={quote(self._token, safe='')}"
        try:
            known = self._taken(self._api.get(f"{self._api_url}/1/receipts/{quote(receipt, safe='')}.json?{query}"))
        except PermanentError as error:
            if error.reason is Reason.NOT_FOUND:
                return None
            raise
        if known.get("acknowledged") == 1:
            return True
        return None if known.get("expired") == 1 else False

    def cancel(self, receipt: str) -> None:
        """Let an emergency sound no more."""
        url = f"{self._api_url}/1/receipts/{quote(receipt, safe='')}/cancel.json"
        self._taken(self._api.post(url, {"token": self._token}))

    def _taken(self, answer: Answer) -> Mapping[str, object]:
        """Return what Pushover says of what it took: 200 and ``status`` 1. Its 429 means a month's quota is used up."""
        self._api.check(answer, wait_s=_until_reset_s(answer, self._wall_s()))
        said = object_of(answer)
        if said.get("status") != 1:
            raise self._api.unexpected(answer)
        return said


def priority_of(message: Message) -> int:
    """Return -2 (nothing but a number on the icon) to 2 (again and again until acknowledged).

    Only what calls somebody now is an emergency. Other critical news (a message of a job, a notice) breaks through
    quiet hours once; what is over already breaks through nothing.
    """
    if message.kind is Kind.TEST:
        return 0
    if message.tier is Tier.CRITICAL:
        return _CRITICAL.get(message.kind, 1)
    if message.tier is Tier.WARNING:
        return -1 if message.kind in {Kind.DIGEST, Kind.RESOLVED} else 0
    return -2 if message.kind is Kind.DIGEST else -1


def _linked(message: Message) -> dict[str, object]:
    """Return the one link that stands apart, if there is one that fits: it acknowledges."""
    url = address_of(message.acknowledge_url)
    return {"url": url, "url_title": cut(ACKNOWLEDGE, MAX_URL_TITLE)} if 0 < length(url) <= MAX_URL else {}


def _until_reset_s(answer: Answer, now_s: float) -> float | None:
    """Return how long the quota stays used up; an hour at most, for it may be raised."""
    reset = answer.headers.get("X-Limit-App-Reset", "")
    return seconds_of(max(0.0, float(reset) - now_s)) if _UNIX_TIME.fullmatch(reset) else None
