"""How busy a market is at a moment, as a factor of its usual rate; the mean over a round is one."""

from math import exp
from typing import Final

ROUND_S: Final = 300.0
"""A simulated trading day is five minutes, so that a short look sees an opening and a close."""
OPENING: Final = 6.0
OPENING_FADES_S: Final = 5.0
CLOSING: Final = 1.5
CLOSING_RISES_S: Final = 30.0

_MEAN: Final = (
    1.0
    + OPENING * OPENING_FADES_S * (1 - exp(-ROUND_S / OPENING_FADES_S)) / ROUND_S
    + CLOSING * CLOSING_RISES_S * (1 - exp(-ROUND_S / CLOSING_RISES_S)) / ROUND_S
)


def u_shaped(since_open_s: float) -> float:
    """Return the factor: a burst at the opening, quiet in the middle, busier towards the close, round after round."""
    phase_s = since_open_s % ROUND_S
    opening = OPENING * exp(-phase_s / OPENING_FADES_S)
    closing = CLOSING * exp((phase_s - ROUND_S) / CLOSING_RISES_S)
    return (1.0 + opening + closing) / _MEAN


def flat(since_open_s: float) -> float:  # noqa: ARG001  one of two shapes with the same signature
    """Return one, always."""
    return 1.0


SHAPES: Final = {"u": u_shaped, "flat": flat}
