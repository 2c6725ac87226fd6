"""One tree of errors; every error says whether trying again can help."""

from typing import ClassVar


class NightdeskError(Exception):
    """The root. ``retryable`` says whether the same call may succeed later without a human."""

    retryable: ClassVar[bool] = False


class ConfigurationError(NightdeskError):
    """A setting or a configuration file is wrong; the text names each place and its mend."""


class FrameError(NightdeskError):
    """Bytes that are not a frame this version can read."""


class CodecError(NightdeskError):
    """A message the feed's codec cannot read. ``reason`` is a closed label for metrics."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class ForeignWriterError(NightdeskError):
    """A stream holds entries this collector did not issue: someone else writes it."""


class SpoolError(NightdeskError):
    """The spool cannot be used as it is."""


class UnavailableError(NightdeskError):
    """A dependency does not answer now."""

    retryable: ClassVar[bool] = True


class RateLimitedError(UnavailableError):
    """The other side asks to wait ``retry_after_s`` seconds."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class ExchangeError(NightdeskError):
    """The exchange refuses this request; the same one will be refused again.

    ``status`` is its answer's, 0 where there was none to speak of; ``content`` is what it said.
    """

    def __init__(self, text: str, *, status: int = 0, content: bytes = b"") -> None:
        super().__init__(text)
        self.status = status
        self.content = content


class UnforeseenError(NightdeskError):
    """What was to be stored raised something nobody foresaw: a fault of this program that the data brought out."""


class LeaseLostError(NightdeskError):
    """Another owner took the consumer over; its position is to be read again."""

    retryable: ClassVar[bool] = True
