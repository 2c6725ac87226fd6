"""Redis stream entry ids, ordered as Redis orders them."""

from typing import Final, NamedTuple


class EntryId(NamedTuple):
    """Milliseconds and a sequence within the millisecond; compares as Redis does."""

    ms: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.sequence}"


ZERO: Final = EntryId(0, 0)
MAX_NUMBER: Final = 2**64 - 1
"""Redis's limit of either number."""


def parse(text: bytes | str | None) -> EntryId:
    """Return the id in ``ms-sequence`` text; ``0-0`` for None. Raises ValueError for anything else."""
    if text is None:
        return ZERO
    ms, _, sequence = (text.decode() if isinstance(text, bytes) else text).partition("-")
    entry_id = EntryId(int(ms), int(sequence or 0))
    if min(entry_id) < 0 or max(entry_id) > MAX_NUMBER:
        raise ValueError(f"no entry id: {text!r}")
    return entry_id


def following(highest: EntryId, now_ms: int) -> EntryId:
    """Return the id to use next: the wall clock's, or just above ``highest`` while the clock is behind it."""
    if now_ms > highest.ms:
        return EntryId(now_ms, 0)
    return EntryId(highest.ms, highest.sequence + 1)
