"""What an HTTP answer means to a delivery, as most APIs have it; a channel adds what its own says otherwise. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Final

from nightdesk.outbound import MAX_WAIT_S, Answer, retry_after_s
from services.alerter.channel import LimitedError, PermanentError, Reason, TransientError

DEFAULT_RETRY_AFTER_S: Final = 30.0
"""How long to wait after a 429 that does not say."""

_PERMANENT: Final = {
    401: Reason.UNAUTHORIZED,
    403: Reason.UNAUTHORIZED,
    404: Reason.NOT_FOUND,
    410: Reason.NOT_FOUND,
}


def check(answer: Answer, said: str, now_s: float, *, wait_s: float | None = None, status: int | None = None) -> None:
    """Return on any 2xx; raise what another status means.

    ``said`` is the other side's own explanation. ``wait_s`` is what its 429 asks for elsewhere than in ``Retry-After``.
    ``status`` is what counts where the body says otherwise than HTTP. Raises PermanentError (3xx and 4xx: a redirect is
    not followed), LimitedError (429) or TransientError (408, 5xx).
    """
    status = answer.status_code if status is None else status
    text = f"status {status}: {said}" if said else f"status {status}"
    if 200 <= status < 300:
        return
    if status == 429:
        asked_s = retry_after_s(answer.headers, datetime.fromtimestamp(now_s, UTC), DEFAULT_RETRY_AFTER_S)
        raise LimitedError(text, asked_s if wait_s is None else wait_s, status)
    if status == 408:
        raise TransientError(Reason.TIMEOUT, text, status)
    if status >= 500:
        raise TransientError(Reason.SERVER_ERROR, text, status)
    raise PermanentError(_PERMANENT.get(status, Reason.REFUSED), text, status)


def object_of(answer: Answer) -> Mapping[str, object]:
    """Return the JSON object of an answer; an empty one where it is none."""
    try:
        value = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def seconds_of(value: object) -> float | None:
    """Return a waiting time that an answer gives as a number or in text, an hour at most; None where it is none."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return min(MAX_WAIT_S, seconds) if isfinite(seconds) and seconds >= 0 else None
