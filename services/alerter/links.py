"""Acknowledge links: a token that lets its holder acknowledge what one notification told, and nothing else.

It needs no login, so it says itself what it is for and until when, under a signature (HMAC-SHA256, RFC 2104).
"""

import hashlib
import hmac
import re
from typing import Final

from nightdesk.errors import NightdeskError

PURPOSE: Final = "nightdesk acknowledge"
_FORM: Final = re.compile(r"([1-9][0-9]{0,17})-([0-9]{1,12})-([0-9a-f]{32})")


class LinkError(NightdeskError):
    """A token that opens nothing: not ours, or its time is over."""


class Links:
    """Makes and reads tokens; ``last_s`` is how long one works."""

    def __init__(self, *, secret: str, last_s: float) -> None:
        """Raise ValueError without a secret: anybody could sign."""
        if not secret:
            raise ValueError("a secret is needed to sign links")
        self._key = secret.encode()
        self._last_s = last_s

    def sign(self, notification_id: int, now_s: float) -> str:
        """Return a token for one notification."""
        ends = int(now_s + self._last_s)
        return f"{notification_id}-{ends}-{self._signature(notification_id, ends)}"

    def read(self, token: str, now_s: float) -> int:
        """Return the number of the notification; raises LinkError that says why there is none."""
        found = _FORM.fullmatch(token)
        if found is None:
            raise LinkError("this is no acknowledge link")
        number, ends = int(found[1]), int(found[2])
        if not hmac.compare_digest(found[3], self._signature(number, ends)):
            raise LinkError("this is no acknowledge link of this desk")
        if now_s >= ends:
            raise LinkError("this link is too old; see the alerts page for what fires now")
        return number

    def _signature(self, number: int, ends: int) -> str:
        return hmac.new(self._key, f"{PURPOSE} {number} {ends}".encode(), hashlib.sha256).hexdigest()[:32]
