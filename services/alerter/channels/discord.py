"""Discord, by a webhook (https://discord.com/developers/docs/resources/webhook#execute-webhook).

The headline is the message's content, which a phone shows; the rest is an embed's description, which has a colour.
"""

import re
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from nightdesk.outbound import Answer, Call
from services.alerter.channel import EVERY_KIND, Delivered, Options
from services.alerter.channels.addresses import web_address
from services.alerter.channels.answers import object_of, seconds_of
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.fitting import cut
from services.alerter.channels.layout import Markup, laid_out, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import tone_of
from services.alerter.messages import Kind, Message

MAX_HEADLINE: Final = 300
"""Of the 2000 that content may have."""

MAX_DESCRIPTION: Final = 4096
"""An embed's description; with nothing else in the embed it is far below the 6000 of all embeds together."""

_MARKUP: Final = re.compile(r"([\\*~`|<>\[\]])")


def _escaped(text: str) -> str:
    # an underscore within a word is no markup, and escaped it would break any address in a text
    return _MARKUP.sub(r"\\\1", text)


MARKUP: Final = Markup(
    escape=_escaped,
    fact=lambda name, text: f"**{name}** {text}",
    link=lambda label, url: f"[{label}]({url})",
)


class DiscordOptions(Options):
    """What ``config/alerts.yaml`` says of a Discord channel."""

    kind: Literal["discord"] = Field(description="what kind of channel it is")
    webhook_url: SecretName = Field("DISCORD_WEBHOOK_URL", description="variable with the webhook's address")


class DiscordChannel:
    """One webhook, which is one Discord channel."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: DiscordOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        self._url = web_address(options.webhook_url, secrets["webhook_url"])
        self._api = Api(call, wall_s, [self._url])

    def payload(self, message: Message) -> dict[str, object]:
        """Return what is posted; nobody is mentioned, whatever the text says."""
        tone = tone_of(message)
        description = laid_out(message, MARKUP, MAX_DESCRIPTION)
        return {
            "content": f"{tone.sign} **{cut(title_of(message), MAX_HEADLINE, _escaped)}**",
            "embeds": [{"color": tone.colour, "description": description}] if description else [],
            "allowed_mentions": {"parse": []},
        }

    def send(self, message: Message) -> Delivered:
        """Deliver one message; Discord answers 204."""
        answer = self._api.post(self._url, self.payload(message))
        self._api.check(answer, wait_s=_wait_s(answer))
        return Delivered(status=answer.status_code)


def _wait_s(answer: Answer) -> float | None:
    """Return the longest of the waits that Discord names (https://discord.com/developers/docs/topics/rate-limits)."""
    named = (
        answer.headers.get("X-RateLimit-Reset-After"),
        answer.headers.get("Retry-After"),
        object_of(answer).get("retry_after"),
    )
    return max((wait_s for one in named if (wait_s := seconds_of(one)) is not None), default=None)
