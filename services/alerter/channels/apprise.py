"""The long tail, by the library Apprise: a hundred services by address (https://github.com/caronc/apprise/wiki).

It says no more than whether it worked, so every failure counts as one that may pass. Where Nightdesk has a channel of
its own, that one knows more.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field

from nightdesk.errors import ConfigurationError
from nightdesk.outbound import DEADLINE_S, Call, keep_quiet
from services.alerter.channel import EVERY_KIND, Delivered, Options, Reason, TransientError
from services.alerter.channels.api import WallS
from services.alerter.channels.fitting import cut
from services.alerter.channels.layout import PLAIN, laid_out, title_of
from services.alerter.channels.secret_names import SecretName
from services.alerter.channels.tone import tone_of
from services.alerter.messages import Kind, Message, Tier

if TYPE_CHECKING:
    from apprise import Apprise

MAX_BODY: Final = 4000
"""A service that takes less gets the beginning, which is what matters most."""

_TYPES: Final = {Tier.CRITICAL: "failure", Tier.WARNING: "warning", Tier.INFO: "info"}


class AppriseOptions(Options):
    """What ``config/alerts.yaml`` says of an Apprise channel."""

    kind: Literal["apprise"] = Field(description="what kind of channel it is")
    urls: SecretName = Field("APPRISE_URLS", description="variable with Apprise's addresses, separated by commas")


class AppriseChannel:
    """One or several of Apprise's addresses, told together; one that fails has all of them told again."""

    takes = EVERY_KIND - {Kind.ACKNOWLEDGED}

    def __init__(self, options: AppriseOptions, secrets: Mapping[str, str], _call: Call, _wall_s: WallS) -> None:
        self._services = _services(options.urls, secrets["urls"])

    def payload(self, message: Message) -> dict[str, str]:
        """Return what Apprise is told."""
        kind = "success" if message.kind is Kind.RESOLVED else _TYPES[message.tier]
        title = f"{tone_of(message).sign} {title_of(message)}"
        return {"title": title, "body": laid_out(message, PLAIN, MAX_BODY) or cut(title, MAX_BODY), "notify_type": kind}

    def send(self, message: Message) -> Delivered:
        """Deliver one message to every address."""
        told = self.payload(message)
        taken = self._services.notify(
            told["body"], told["title"], told["notify_type"], body_format="text", timeout=DEADLINE_S
        )
        if not taken:
            raise TransientError(Reason.FAILURE, "Apprise says that it failed, and nothing else")
        return Delivered()


def _services(variable: str, urls: str) -> "Apprise":
    """Return the library, which is large and therefore loaded where somebody uses it; raises ConfigurationError."""
    keep_quiet("apprise")
    try:
        import apprise  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError("the package apprise is missing; install requirements/runtime.txt") from error
    services = apprise.Apprise()
    if not services.add(urls) or len(services) == 0:
        raise ConfigurationError(f"{variable}: Apprise knows no service by this address, or by one of several")
    for service in services:
        if service.overflow_mode == apprise.OverflowMode.UPSTREAM:
            service.overflow_mode = apprise.OverflowMode.TRUNCATE
    return services
