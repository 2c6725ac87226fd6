"""When bars are over: as soon as a later minute of their symbol begins."""

from typing import Final

from nightdesk.bars import Bars

MINUTE_NS: Final = 60 * 10**9
MOST_AHEAD: Final = 1
"""How many minutes an exchange's clock may be ahead of ours."""


class OpenMinutes:
    """The newest minute of each symbol whose earlier bars are known to be closed."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def closing(self, bars: Bars | None, now_ns: int) -> dict[int, int]:
        """Return the symbols that may have a bar to close, each with the minute before which it lies.

        A minute ahead of the clock is some mistaken tick's, and closes nothing.

        A turn that stays within the newest minute, as nearly all do, has none; a late trade may have opened an old bar
        anew.
        """
        if bars is None:
            return {}
        found: dict[int, int] = {}
        latest = now_ns // MINUTE_NS + MOST_AHEAD
        for symbol, minute in zip(bars.symbol.tolist(), bars.minute.tolist(), strict=True):
            known = self._known.get(symbol)
            if minute != known and minute <= latest:
                found[symbol] = max(minute, found.get(symbol, minute), minute if known is None else known)
        return found

    def closed(self, closing: dict[int, int]) -> None:
        """Take note that these are closed and committed."""
        self._known.update(closing)

    def forget(self) -> None:
        """Believe nothing."""
        self._known.clear()
