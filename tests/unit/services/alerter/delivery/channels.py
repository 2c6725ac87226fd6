"""A channel that does what a test says, in the place of somebody's server."""

from collections.abc import Iterable, Sequence

from services.alerter.channel import EVERY_KIND, Delivered, PermanentError, Reason
from services.alerter.messages import Kind, Message

REFUSAL = PermanentError(Reason.NOT_FOUND, "no_service", 404)


class Scripted:
    """Answers as it is told, the last answer for ever; notes what was sent."""

    def __init__(self, *answers: Delivered | Exception, takes: Iterable[Kind] = EVERY_KIND) -> None:
        self.takes = frozenset(takes)
        self.answers: Sequence[Delivered | Exception] = answers or (Delivered(status=200),)
        self.sent: list[Message] = []

    def send(self, message: Message) -> Delivered:
        answer = self.answers[min(len(self.sent), len(self.answers) - 1)]
        self.sent.append(message)
        if isinstance(answer, Exception):
            raise answer
        return answer
