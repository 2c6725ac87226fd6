"""What has to stay quiet: markets that are closed, and what is no incident."""

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from nightdesk.errors import UnavailableError
from tests.night.incidents.services import DOWN_S
from tests.night.reading import Told
from tests.night.scene import Scene
from tests.night.stack import NEXT_WORKER, THIN_SYMBOL, WORKER
from tests.night.understudy import FUNDS, STOCKS
from tests.night.week import Week, moment_s

NEW_YORK: Final = re.compile(r"(stocks|funds) has been silent")
SILENT_BEFORE_THE_CLOSE_S: Final = 22.0
AFTER_S: Final = 15.0
"""What a mistake would have paged comes a little later.
"""


def nothing(_scene: Scene) -> None:
    """Do nothing: that it is quiet is all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """Something that nobody may be called for: between which seconds of the week, and what a call would say."""

    name: str
    from_s: float
    until_s: float
    words: re.Pattern[str]
    act: Callable[[Scene], None] = nothing

    def as_json(self, false_pages: Iterable[Told], passed_s: Callable[[float], float]) -> dict[str, Any]:
        """Return how many pages came all the same."""
        pages = [
            one
            for one in false_pages
            if self.from_s <= passed_s(one.at_s) <= self.until_s and self.words.search(one.text)
        ]
        return {"name": self.name, "real_s": round(self.until_s - self.from_s, 1), "pages": len(pages)}


def quiets(week: Week) -> list[Quiet]:
    """Return all of them, in the order of the week."""

    def closed(name: str, from_: str, until: str) -> Quiet:
        return Quiet(name=name, from_s=_s(week, from_), until_s=_s(week, until) + AFTER_S, words=NEW_YORK)

    half_day_closes_s = _s(week, "2026-11-06 18:00")
    return [
        Quiet(name="one old error", from_s=3, until_s=28, words=re.compile("understudy"), act=old_error),
        Quiet(
            name="a thin symbol",
            from_s=0,
            until_s=week.length_s,
            words=re.compile(f"{THIN_SYMBOL} of simulator has been"),
        ),
        Quiet(
            name="calm crypto", from_s=0, until_s=week.length_s, words=re.compile("of simulator: (spread|volatility)")
        ),
        closed("a stock feed quiet overnight", "2026-10-29 00:00", "2026-10-29 13:30"),
        Quiet(
            name="a planned restart of the worker",
            from_s=96,
            until_s=124,
            words=re.compile("worker"),
            act=deploy_worker,
        ),
        closed("a stock feed quiet on Saturday", "2026-10-31 13:30", "2026-10-31 20:00"),
        Quiet(name="Prometheus killed and back at once", from_s=386, until_s=420, words=re.compile(""), act=blink),
        closed("the Monday after summer time, before the open", "2026-11-02 13:30", "2026-11-02 14:30"),
        closed("a stock feed quiet on a holiday", "2026-11-03 14:30", "2026-11-03 21:00"),
        Quiet(
            name="silent just before an early close",
            from_s=half_day_closes_s - SILENT_BEFORE_THE_CLOSE_S,
            until_s=half_day_closes_s,
            words=NEW_YORK,
            act=fall_silent,
        ),
        closed("a stock feed quiet after an early close", "2026-11-06 18:00", "2026-11-06 21:00"),
    ]


def old_error(scene: Scene) -> None:
    """Log one error, once."""
    scene.understudy.errors(1)


def deploy_worker(scene: Scene) -> None:
    """Replace the worker by its next release, as a deployment does. Raises UnavailableError when that takes long."""
    scene.stack.supervisor.stop_program(WORKER)
    stopped_s = time.monotonic()
    scene.stack.supervisor.start_program(NEXT_WORKER)
    scene.stack.until_it_serves(NEXT_WORKER)
    took_s = time.monotonic() - stopped_s
    if took_s > DOWN_S:
        raise UnavailableError(f"the next worker took {took_s:.0f} s to answer, and {DOWN_S:.0f} s are rightly told")


def blink(scene: Scene) -> None:
    """SIGKILL Prometheus; its keeper starts it again."""
    before = scene.stack.kill("prometheus")
    scene.stack.restarted("prometheus", before)


def fall_silent(scene: Scene) -> None:
    """Let both feeds say nothing more today."""
    for feed in (STOCKS, FUNDS):
        scene.understudy.silence(feed)


def _s(week: Week, moment: str) -> float:
    return week.real_s(moment_s(moment))
