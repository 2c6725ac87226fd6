"""Ends a regular expression that takes too long: those of a configuration may need longer than the universe has.

Python's matching looks for signals as it goes (``Modules/_sre/sre_lib.h``), so that a timer of the processor time that
this process uses can end it. The timer is armed once, and asks whether the line is still the same: it costs a line
nothing. Only the main thread can be asked so; elsewhere nothing is ended.

https://docs.python.org/3/library/signal.html#execution-of-python-signal-handlers
"""

import signal
import threading
from collections import Counter
from types import FrameType
from typing import Final

import structlog

from services.jobs.digest.parsing import TOO_SLOW, Line, Parse

log = structlog.get_logger()

TICK_S: Final = 1.0
"""A line is given up between one and two of these after it was begun."""

PATIENCE_LINES: Final = 10
"""A source with so many lines that were given up is given up itself, until the next load."""


class _SlowError(Exception):
    """The line takes too long."""


class GivenUpError(Exception):
    """The source is given up: its line was not looked at."""


class Guard:
    """Watches over the parsing of lines while it is entered."""

    def __init__(self, *, tick_s: float = TICK_S) -> None:
        self._tick_s = tick_s
        self._line = 0
        self._seen = -1
        self._is_parsing = False
        self._slow: Counter[str] = Counter()
        self.given_up: list[str] = []

    def __enter__(self) -> "Guard":
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGVTALRM, self._look)
            signal.setitimer(signal.ITIMER_VIRTUAL, self._tick_s, self._tick_s)
        return self

    def __exit__(self, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def guarded(self, source: str, parse: Parse) -> Parse:
        """Return the same, which says of a line that takes too long that it does.

        It raises GivenUpError once the source is given up.
        """

        def guarded(line: bytes) -> Line | str:
            if self.given_up and source in self.given_up:
                raise GivenUpError(source)
            self._line += 1
            self._is_parsing = True
            try:
                return parse(line)
            except _SlowError:
                self._note(source)
                return TOO_SLOW
            finally:
                self._is_parsing = False

        return guarded

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        is_same, self._seen = self._line == self._seen, self._line
        if is_same and self._is_parsing:
            raise _SlowError

    def _note(self, source: str) -> None:
        self._slow[source] += 1
        if self._slow[source] == PATIENCE_LINES:
            self.given_up.append(source)
            log.error("log.pattern_too_slow", source=source, lines=PATIENCE_LINES)
