"""What a fuzz target is: bytes in, and a claim that holds whatever they are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.fuzz.mutation import Mutate, anyhow


class BrokenClaimError(AssertionError):
    """The claim does not hold for these bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing to fuzz.

    ``check`` raises nothing while the claim holds. ``seeds`` are where the search begins, made at run time from what is
    documented; ``recorded`` gives more of them where there are recordings. ``mutate`` knows the input's structure, so
    that a change gets past checksums and brackets.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    recorded: Callable[[], Iterable[bytes]] = tuple
    mutate: Mutate = anyhow
    max_bytes: int = 4096


def claim(holds: object, what: str) -> None:
    """Raise BrokenClaimError unless it holds; an ``assert`` would be gone under ``python -O``."""
    if not holds:
        raise BrokenClaimError(what)
