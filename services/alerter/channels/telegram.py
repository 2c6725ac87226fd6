"""Telegram, by a bot (https://core.telegram.org/bots/api#sendmessage). The token is part of every address."""

import html
import re
from collections.abc import Mapping
from typing import Final, Literal

from pydantic import Field

from nightdesk.errors import ConfigurationError
from nightdesk.outbound import Answer, Call
from services.alerter.channel import EVERY_KIND, Delivered, Options
from services.alerter.channels.addresses import ApiUrl
from services.alerter.channels.answers import object_of, seconds_of
from services.alerter.channels.api import Api, WallS
from services.alerter.channels.fitting import cut, length
from services.alerter.channels.layout import HTML, laid_out, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import tone_of
from services.alerter.messages import Kind, Message

MAX_TEXT: Final = 4096
"""Telegram counts what is left without tags and entities; here they count as well."""

MAX_HEADLINE: Final = 300
_TOKEN: Final = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


class TelegramOptions(Options):
    """What ``config/alerts.yaml`` says of a Telegram channel."""

    kind: Literal["telegram"] = Field(description="what kind of channel it is")
    bot_token: SecretName = Field("TELEGRAM_BOT_TOKEN", description="variable with the token that BotFather gave")
    chat_id: SecretName = Field("TELEGRAM_CHAT_ID", description="variable with the chat's number or @name")
    api_url: ApiUrl = Field("https://api.telegram.org", description="where the bot API is")


class TelegramChannel:
    """One chat that a bot writes to."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: TelegramOptions, secrets: Mapping[str, str], call: Call, wall_s: WallS) -> None:
        token = secrets["bot_token"]
        if not _TOKEN.fullmatch(token):
            raise ConfigurationError(f"{options.bot_token}: is no bot's token; BotFather gives one as 123456:ABC-def")
        self._url = f"{options.api_url}/bot{token}/sendMessage"
        self._chat_id = secrets["chat_id"]
        self._api = Api(call, wall_s, [token, token.partition(":")[2], self._chat_id])

    def payload(self, message: Message) -> dict[str, object]:
        """Return what is posted."""
        headline = f"{tone_of(message).sign} <b>{cut(title_of(message), MAX_HEADLINE, html.escape)}</b>"
        body = laid_out(message, HTML, MAX_TEXT - length(headline) - 1)
        return {
            "chat_id": self._chat_id,
            "text": f"{headline}\n{body}" if body else headline,
            "parse_mode": "HTML",
            "link_preview_options": {"is_disabled": True},
        }

    def send(self, message: Message) -> Delivered:
        """Deliver one message; a group that became a supergroup is followed to its new number."""
        answer = self._api.post(self._url, self.payload(message))
        moved = _parameters(answer).get("migrate_to_chat_id")
        if answer.status_code == 400 and isinstance(moved, int):
            self._chat_id = str(moved)
            answer = self._api.post(self._url, self.payload(message))
        self._check(answer)
        return Delivered(status=answer.status_code)

    def _check(self, answer: Answer) -> None:
        """Raise what an answer means that is not ``ok``; its ``error_code`` counts, whatever the HTTP status."""
        said = object_of(answer)
        code = said.get("error_code")
        refused = said.get("ok") is False and isinstance(code, int)
        wait_s = seconds_of(_parameters(answer).get("retry_after"))
        self._api.check(answer, wait_s=wait_s, status=code if refused and isinstance(code, int) else None)
        if said.get("ok") is not True:
            raise self._api.unexpected(answer)


def _parameters(answer: Answer) -> Mapping[str, object]:
    """Return the explanation for programs (https://core.telegram.org/bots/api#responseparameters)."""
    parameters = object_of(answer).get("parameters")
    return parameters if isinstance(parameters, dict) else {}
