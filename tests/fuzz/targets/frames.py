"""The frame decoder: a frame or a FrameError, and never more memory than the bytes it came from call for."""

from math import nan
from random import Random
from typing import Final

from nightdesk import frames
from nightdesk.errors import FrameError
from nightdesk.ticks import NO_ID, AggTrade, Depth, Event, Kline, Quote, Tick, Trade
from tests.fuzz.mutation import Bytes, columns
from tests.fuzz.target import Target, claim

NOW_NS: Final = 1_700_000_000_000_000_000
TICKS: Final[tuple[Tick, ...]] = (
    Trade("BTCUSDT", 7, 65_000.5, 0.25, 1, NOW_NS, NOW_NS + 1),
    Trade("ETHUSDT", 8, 3_000.5, 0.25, -1, NOW_NS, NOW_NS + 1),
    AggTrade("BTCUSDT", 1, 7, 9, 65_000.5, 0.25, 1, NOW_NS, NOW_NS + 1),
    Quote("BTCUSDT", NO_ID, 1.0, nan, 2.0, nan, 0, NOW_NS),
    Depth("BTCUSDT", 3, [10.0, 1.0, 9.0, 2.0], [11.0, 3.0], 1.0, 1.0, 0, NOW_NS),
    Depth("BTCUSDT", 4, [], [], nan, nan, 0, NOW_NS),
    Kline("BTCUSDT", "1m", 0, 1, 1.0, 2.0, 0.5, 1.5, 10.0, 3, True, 2, NOW_NS),
    Event("", "disconnected", 0, NO_ID, NO_ID, 0, "closed: 1006", NOW_NS),
)
ROW_BYTES: Final = 41
"""The shortest row there is, an event's."""


def check(data: bytes) -> None:
    """Claim that bytes are a frame that can be framed again, or are refused as one."""
    try:
        frame = frames.decode(data)
    except FrameError:
        return
    viewed = sum(column.nbytes for section in frame.columns.values() for column in section.values())
    claim(viewed <= len(data), "the columns are larger than the frame")
    claim(sum(map(len, frame.names)) <= len(data), "the names are larger than the frame")
    claim(frame.rows * ROW_BYTES <= len(data), "more rows than there is room for")
    try:
        ticks = frame.ticks()
    except FrameError:
        return
    claim(len(ticks) == frame.rows, "a row vanished")
    claim(repr(frames.decode(frames.encode(ticks)).ticks()) == repr(ticks), "framed again, they are others")


def seeds() -> list[bytes]:
    """Return a frame of each kind, one of all, and a large one."""
    every = [[tick] for tick in TICKS] + [list(TICKS), list(TICKS[:2]) * 12, []]
    return [frames.encode(ticks) for ticks in every]


def mutate(data: bytes, random: Random, change: Bytes) -> bytes:
    """Change a frame's numbers, or what is in it before it is framed."""
    if random.random() < 0.1:
        return frames.encode(random.choices(TICKS, k=random.randrange(1, 12)))
    return columns(data, random, change)


FRAMES: Final = Target(check=check, seeds=seeds, mutate=mutate)
