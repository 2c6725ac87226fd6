"""Every kind of channel by the name that ``config/alerts.yaml`` uses for it; a new one is a file and a line here."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, TypeAlias, Union

from pydantic import Field

from nightdesk.errors import ConfigurationError
from nightdesk.outbound import Bounds, Call, call
from services.alerter.channel import Channel, Options
from services.alerter.channels.api import WallS
from services.alerter.channels.apprise import AppriseChannel, AppriseOptions
from services.alerter.channels.discord import DiscordChannel, DiscordOptions
from services.alerter.channels.pagerduty import PagerdutyChannel, PagerdutyOptions
from services.alerter.channels.pushover import PushoverChannel, PushoverOptions
from services.alerter.channels.secret_names import secret_variables
from services.alerter.channels.slack import SlackChannel, SlackOptions
from services.alerter.channels.smtp import SmtpChannel, SmtpOptions
from services.alerter.channels.telegram import TelegramChannel, TelegramOptions
from services.alerter.channels.webhook import WebhookChannel, WebhookOptions

__all__ = ["BOUNDS", "CHANNELS", "ChannelKind", "ChannelOptions", "make", "secret_variables"]

BOUNDS: Final = Bounds(max_answer_bytes=64 * 1024)
"""No channel answers a message with more than a few lines."""


class ChannelKind(NamedTuple):
    """What there is of one kind: its part of the configuration, and how a channel is made.

    The secrets are by the name of the option that names their variable.
    """

    options: type[Options]
    channel: Callable[[Any, Mapping[str, str], Call, WallS], Channel]


CHANNELS: Final[dict[str, ChannelKind]] = {
    "slack": ChannelKind(SlackOptions, SlackChannel),
    "discord": ChannelKind(DiscordOptions, DiscordChannel),
    "telegram": ChannelKind(TelegramOptions, TelegramChannel),
    "pushover": ChannelKind(PushoverOptions, PushoverChannel),
    "pagerduty": ChannelKind(PagerdutyOptions, PagerdutyChannel),
    "smtp": ChannelKind(SmtpOptions, SmtpChannel),
    "webhook": ChannelKind(WebhookOptions, WebhookChannel),
    "apprise": ChannelKind(AppriseOptions, AppriseChannel),
}

if TYPE_CHECKING:
    ChannelOptions: TypeAlias = Options
else:
    _EVERY = Union[tuple(kind.options for kind in CHANNELS.values())]  # noqa: UP007  of a list, not of two
    ChannelOptions = Annotated[_EVERY, Field(discriminator="kind")]


def make(
    options: Options,
    secrets: Mapping[str, str],
    *,
    call: Call = partial(call, bounds=BOUNDS),  # noqa: B008  bound to constants
    wall_s: WallS = time.time,
) -> Channel:
    """Return the channel; raises ConfigurationError that names every variable that is missing or makes no sense."""
    missing = [variable for field, variable in secret_variables(options).items() if not secrets.get(field)]
    if missing:
        raise ConfigurationError("\n".join(f"{variable}: is not set" for variable in missing))
    return CHANNELS[options.kind].channel(options, secrets, call, wall_s)
