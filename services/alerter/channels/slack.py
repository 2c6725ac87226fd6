"""Slack, by an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).

The headline is the message's own text, which a phone shows; the rest stands in an attachment, since only attachments
have a colour. Links are links in text: a button, even one that only opens an address, needs an app that answers it.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import Field

from nightdesk.outbound import Call
from services.alerter.channel import EVERY_KIND, Delivered, Options
from services.alerter.channels.addresses import web_address
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.fitting import clean, cut, listed, one_line
from services.alerter.channels.layout import Markup, acknowledgement, fact_lines, link_line, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import tone_of
from services.alerter.messages import Fact, Kind, Message

MAX_SECTION: Final = 3000
FIELDS: Final = 10
"""Of one section; a field may be 2000 long (https://docs.slack.dev/reference/block-kit/blocks/section-block)."""

MAX_HEADLINE: Final = 300
MAX_FALLBACK: Final = 300
MAX_FACTS: Final = 20
MAX_FIELD_NAME: Final = 100
MAX_FIELD: Final = 500
"""Of its text: a long attachment is folded away, and everybody would have to unfold it."""

OK: Final = b"ok"


def _escaped(text: str) -> str:
    """Return text that is no markup (https://docs.slack.dev/messaging/formatting-message-text#escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


MARKUP: Final = Markup(
    escape=_escaped,
    fact=lambda name, text: f"*{name}*\n{text}",
    link=lambda label, url: f"<{_escaped(url)}|{label.replace('|', '/')}>",
)


class SlackOptions(Options):
    """What ``config/alerts.yaml`` says of a Slack channel."""

    kind: Literal["slack"] = Field(description="what kind of channel it is")
    webhook_url: SecretName = Field("SLACK_WEBHOOK_URL", description="variable with the incoming webhook's address")


class SlackChannel:
    """One incoming webhook, which is one Slack channel."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: SlackOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        self._url = web_address(options.webhook_url, secrets["webhook_url"])
        self._api = Api(call, wall_s, [self._url])

    def payload(self, message: Message) -> dict[str, object]:
        """Return what is posted."""
        tone = tone_of(message)
        blocks = list(_blocks(message))
        card = {"color": f"#{tone.colour:06x}", "fallback": _fallback(message), "blocks": blocks}
        return {
            "text": f"{tone.sign} *{cut(title_of(message), MAX_HEADLINE, _escaped)}*",
            "attachments": [card] if blocks else [],
            "unfurl_links": False,
            "unfurl_media": False,
        }

    def send(self, message: Message) -> Delivered:
        """Deliver one message: Slack took it when it answers 200 and ``ok``, whatever else it answers with 200."""
        answer = self._api.post(self._url, self.payload(message))
        self._api.check(answer)
        if answer.content.strip() != OK:
            raise self._api.unexpected(answer)
        return Delivered(status=answer.status_code)


def _blocks(message: Message) -> Iterator[dict[str, object]]:
    facts = message.facts[:MAX_FACTS]
    for begin in range(0, len(facts), FIELDS):
        yield {"type": "section", "fields": [_mrkdwn(_field(fact)) for fact in facts[begin : begin + FIELDS]]}
    left_out = len(message.facts) - len(facts)
    links = " · ".join(line for link in message.links[:FIELDS] if (line := link_line(link, MARKUP)))
    for text in (
        f"+{left_out} more" if left_out else "",
        acknowledgement(message, MARKUP, MAX_SECTION),
        cut(clean(message.text), MAX_SECTION, _escaped),
        listed(message.items, MAX_SECTION, _escaped),
        links if len(links) <= MAX_SECTION else "",
    ):
        if text:
            yield {"type": "section", "text": _mrkdwn(text)}


def _field(fact: Fact) -> str:
    name = cut(one_line(fact.name), MAX_FIELD_NAME, _escaped)
    return MARKUP.fact(name, cut(one_line(fact.text), MAX_FIELD, _escaped))


def _mrkdwn(text: str) -> dict[str, object]:
    return {"type": "mrkdwn", "text": text}


def _fallback(message: Message) -> str:
    """Return what a notification shows after the headline."""
    return cut(" · ".join(fact_lines(message.facts[:FIELDS])) or one_line(message.text), MAX_FALLBACK)
