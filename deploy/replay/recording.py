"""One recording, ready to be replayed: where it is, which feed it is played to, what it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.replay.contents import NOTES, Contents, contents_of, snapshot_symbols
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import FeedConfig
from services.simulator.recording import answers_of, frames_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording and the feed that reads it."""

    path: Path
    feed: str
    codec: str
    shards: int
    contents: Contents


def open_recording(path: Path, feed: str, feeds: Mapping[str, FeedConfig]) -> Recording:
    """Read it once, to know what to subscribe to.

    ``feed`` is one of ``config/feeds.yaml``. Raises ConfigurationError that says what is wrong with which line.
    """
    config = feeds.get(feed)
    if config is None:
        raise ConfigurationError(f"FEED={feed or '(empty)'}: config/feeds.yaml has {', '.join(feeds)}")
    if config.codec not in NOTES:
        raise ConfigurationError(f"FEED={feed}: recordings of codec {config.codec} cannot be replayed yet")
    if not path.is_file():
        raise ConfigurationError(f"FILE={path}: there is no such file")
    try:
        contents = contents_of(config.codec, (frame.raw for frame in frames_of(path)))
    except ConfigurationError as error:
        text = str(error)
        raise ConfigurationError(text if text.startswith(str(path)) else f"{path}: {text}") from error
    _check_snapshots(path, contents)
    return Recording(path=path.resolve(), feed=feed, codec=config.codec, shards=config.shards, contents=contents)


def feeds_file(recording: Recording, port: int) -> str:
    """Return the ``feeds.yaml`` of the replay: this feed alone, all that is recorded, from the simulator's port.

    Nothing in it judges the recording by the clock: its silences are its own.
    """
    contents = recording.contents
    feed = {
        "codec": recording.codec,
        "ws_url": f"ws://127.0.0.1:{port}",
        "rest_url": f"http://127.0.0.1:{port}",
        "symbols": list(contents.symbols),
        "kinds": [kind.label for kind in sorted(contents.kinds)],
        "shards": recording.shards,
        "silence_s": 3600,
        "rest_weight_per_minute": 1_000_000,
        **contents.options,
    }
    return yaml.safe_dump({"feeds": {recording.feed: feed}}, sort_keys=False)


def _check_snapshots(path: Path, contents: Contents) -> None:
    """Refuse a recording whose books could never be kept in step."""
    if not contents.snapshots:
        return
    answered = snapshot_symbols(answer.url for answer in answers_of(path))
    missing = [symbol for symbol in contents.snapshots if symbol not in answered]
    if missing:
        raise ConfigurationError(
            f"{path}: it has changes of the books of {', '.join(missing)}, and no snapshot of them stands in an "
            f".http.jsonl file beside it; without one a book cannot be kept"
        )
