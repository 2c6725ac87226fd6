"""When bars are over: as soon as a later minute of their symbol begins."""

from nightdesk.bars import Bars


class OpenMinutes:
    """The newest minute of each symbol whose earlier bars are known to be closed."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def closing(self, bars: Bars | None) -> dict[int, int]:
        """Return the symbols that may have a bar to close, each with the minute before which it lies.

        A turn that stays within the newest minute, as nearly all do, has none; a late trade may have opened an old bar
        anew.
        """
        if bars is None:
            return {}
        found: dict[int, int] = {}
        for symbol, minute in zip(bars.symbol.tolist(), bars.minute.tolist(), strict=True):
            known = self._known.get(symbol)
            if minute != known:
                found[symbol] = max(minute, found.get(symbol, minute), minute if known is None else known)
        return found

    def closed(self, closing: dict[int, int]) -> None:
        """Take note that these are closed and committed."""
        self._known.update(closing)

    def forget(self) -> None:
        """Believe nothing."""
        self._known.clear()
