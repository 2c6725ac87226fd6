"""Sets of trade ids as rising, disjoint runs: which ids went out."""


class Runs:
    """Grows by runs of ids; almost always the next ones."""

    __slots__ = ("_runs",)

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []

    def add(self, low: int, high: int) -> None:
        """Take the ids from ``low`` to ``high``, inclusive, known ones again included."""
        runs = self._runs
        if runs and low == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], high)
            return
        touching = [one for one in runs if one[0] <= high + 1 and one[1] >= low - 1]
        apart = [one for one in runs if one[0] > high + 1 or one[1] < low - 1]
        low = min([low, *(one[0] for one in touching)])
        high = max([high, *(one[1] for one in touching)])
        self._runs = sorted([*apart, (low, high)])

    def as_json(self) -> list[tuple[int, int]]:
        """Return the runs, first and last id of each, lowest first."""
        return list(self._runs)
