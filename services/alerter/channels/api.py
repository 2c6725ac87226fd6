"""Somebody's HTTP interface, as a channel uses it: a failed call tells the host and the kind of failure, no more."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from nightdesk.outbound import Answer, Call, UnboundedError
from services.alerter.channel import Reason, TransientError
from services.alerter.channels import answers
from services.alerter.channels.fitting import cut, one_line

WallS: TypeAlias = Callable[[], float]
"""Unix time in seconds."""

MAX_SAID: Final = 160
_LEAST_PART: Final = 4
"""Shorter parts of an address are no secret, and hiding them would garble any text."""


class Api:
    """One interface, with the secrets that must not come back out of it."""

    def __init__(self, call: Call, wall_s: WallS, secrets: Collection[str]) -> None:
        self._call = call
        self._wall_s = wall_s
        self._hidden = sorted(_parts(secrets), key=len, reverse=True)

    def post(self, url: str, payload: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Answer:
        """Send JSON; return the answer, whatever its status. Raises TransientError."""
        return self.send("POST", url, json.dumps(payload).encode(), headers)

    def get(self, url: str) -> Answer:
        """Ask; return the answer, whatever its status. Raises TransientError."""
        return self.send("GET", url, None)

    def send(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None = None) -> Answer:
        """Do one call with a JSON body; return the answer, whatever its status. Raises TransientError."""
        kind = {"Content-Type": "application/json"} if body is not None else {}
        try:
            return self._call(method, url, {**kind, **(headers or {})}, body)
        except (OSError, ValueError, HTTPError) as error:
            reason, name = _reason(error), type(error).__name__
        # raised out here, so that the library's error, whose text holds the whole address, does not come along
        raise TransientError(reason, f"{urlsplit(url).hostname}: {name}")

    def check(self, answer: Answer, *, wait_s: float | None = None, status: int | None = None) -> None:
        """Raise what any answer but a 2xx means; see ``answers.check``."""
        answers.check(answer, self.said(answer), self._wall_s(), wait_s=wait_s, status=status)

    def said(self, answer: Answer) -> str:
        """Return the beginning of an answer's body in one line, without the secrets should it repeat them."""
        text = answer.content.decode("utf-8", "replace")
        for hidden in self._hidden:
            text = re.sub(re.escape(hidden), "***", text, flags=re.IGNORECASE)
        return cut(one_line(text), MAX_SAID)

    def unexpected(self, answer: Answer) -> TransientError:
        """Return the error of an answer that the API does not document for this status."""
        text = f"status {answer.status_code}, yet not what success looks like: {self.said(answer)}"
        return TransientError(Reason.UNEXPECTED_ANSWER, text, answer.status_code)


def _parts(secrets: Collection[str]) -> set[str]:
    """Return the secrets, the parts of those that are addresses, and how both look in an address."""
    parts = {part for secret in secrets for part in re.split(r"[/:@?&=,;\s]+", secret) if len(part) >= _LEAST_PART}
    whole = {secret for secret in secrets if secret} | parts
    return whole | {quote(one, safe="") for one in whole}


def _reason(error: Exception) -> Reason:
    inside = error.args[0] if error.args else None
    if isinstance(error, requests.Timeout | TimeoutError) or isinstance(inside, ReadTimeoutError):
        return Reason.TIMEOUT
    return Reason.UNEXPECTED_ANSWER if isinstance(error, UnboundedError) else Reason.CONNECTION
