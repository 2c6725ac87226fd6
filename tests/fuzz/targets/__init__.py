"""Everything that is fuzzed, by name. To add one: a file with a ``Target``, and its line here."""

from typing import Final

from tests.fuzz.target import Target
from tests.fuzz.targets import codecs, frames, loaders, spool

TARGETS: Final[dict[str, Target]] = {
    "binance": codecs.BINANCE,
    "coinbase": codecs.COINBASE,
    "tickdb": codecs.TICKDB,
    "frames": frames.FRAMES,
    "spool-segment": spool.SEGMENT,
    "spool-damage": spool.DAMAGE,
    "spool-folder": spool.FOLDER,
    "feeds-file": loaders.FEEDS_FILE,
    "environment": loaders.ENVIRONMENT,
}
