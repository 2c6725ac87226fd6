"""How a message looks at first sight: by its tier, and that a matter is over by a colour of its own."""

from typing import Final, NamedTuple

from services.alerter.messages import Kind, Message, Tier


class Tone(NamedTuple):
    """One word, one sign where there are no colours, one colour as 0xRRGGBB."""

    word: str
    sign: str
    colour: int


RESOLVED: Final = Tone("resolved", "\N{LARGE GREEN CIRCLE}", 0x2E7D32)

TONES: Final = {
    Tier.CRITICAL: Tone("critical", "\N{LARGE RED CIRCLE}", 0xD32F2F),
    Tier.WARNING: Tone("warning", "\N{LARGE ORANGE CIRCLE}", 0xF2A900),
    Tier.INFO: Tone("info", "\N{LARGE BLUE CIRCLE}", 0x607D8B),
}


def tone_of(message: Message) -> Tone:
    """Return the tone of a message."""
    return RESOLVED if message.kind is Kind.RESOLVED else TONES[message.tier]
