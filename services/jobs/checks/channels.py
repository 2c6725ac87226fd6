"""Whether a message reaches the person: a test through every channel, and what each answered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import requests

from nightdesk.health import Part
from nightdesk.outbound import Call
from services.jobs.checks.parts import degraded, down, well
from services.jobs.settings import JobsSettings

PART: Final = "channels"


def check_channels(settings: JobsSettings, call: Call) -> Part:
    """Have the alerter send a test through every channel; one that is delivered is enough."""
    if settings.notifications_token is None:
        return down(PART, "NOTIFICATIONS_TOKEN is not set: the alerter takes no test")
    headers = {"Authorization": f"Bearer {settings.notifications_token.get_secret_value()}"}
    try:
        answer = call("POST", f"{settings.alerter_url.rstrip('/')}/test", headers, b"")
        if answer.status_code != 200:
            return down(PART, f"the alerter refuses the test: {answer.status_code}")
        return channels_part(json.loads(answer.content)["channels"])
    except requests.RequestException as error:
        return down(PART, f"the alerter does not answer the test: {type(error).__name__}")
    except (ValueError, KeyError, TypeError) as error:
        return down(PART, f"the alerter's answer cannot be read: {type(error).__name__}")


def channels_part(said: Sequence[Mapping[str, Any]]) -> Part:
    """Return how the channels are, from what each answered.

    A desk without any is a warning: whoever set none up knows, and the rest of the desk is to be judged all the same.
    """
    configured = {str(one["channel"]): one for one in said if one["outcome"] != "not_configured"}
    delivered = [name for name, one in configured.items() if one["outcome"] == "delivered"]
    failed = [
        f"{name} ({one['outcome']}: {one['detail']})" for name, one in configured.items() if name not in delivered
    ]
    facts = {name: str(one["outcome"]) for name, one in configured.items()}
    if not configured:
        return degraded(PART, "none is configured: nobody would be woken")
    if not delivered:
        return down(PART, f"no test was delivered: {', '.join(failed)}", **facts)
    if failed:
        return degraded(PART, f"delivered by {', '.join(delivered)}, not by {', '.join(failed)}", **facts)
    return well(PART, f"a test was delivered by {', '.join(delivered)}", **facts)
