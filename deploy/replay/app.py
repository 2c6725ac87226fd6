"""``make replay``: send a recording through the whole path and leave the database for a look."""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.local.machine import state_directory
from deploy.local.stack import SOURCE
from deploy.replay import report
from deploy.replay.figures import Progress
from deploy.replay.recording import Recording, open_recording
from deploy.replay.run import READER, Replay, remove
from nightdesk.errors import ConfigurationError, NightdeskError
from nightdesk.feeds_config import read_feeds

FEEDS: Final = SOURCE / "config" / "feeds.yaml"
USAGE: Final = "make replay FEED=binance FILE=x.ws.jsonl SPEED=max"


def main(arguments: Sequence[str]) -> int:
    """Replay, or remove what the last replay left; return the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    root = state_directory(SOURCE) / "replay"
    try:
        if options.remove:
            print("removed" if remove(root) else "there is nothing to remove")
            return 0
        if not options.file:
            raise ConfigurationError(f"FILE is missing: {USAGE}")
        recording = open_recording(Path(options.file), options.feed, read_feeds(FEEDS))
        return run(recording, _speed(options.speed), root)
    except NightdeskError as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nreplay: stopped; nothing of it is left", file=sys.stderr)
        return 130


def run(recording: Recording, speed: str, root: Path) -> int:
    """Replay in ``root``, in place of what is there; return 0 when everything sent is accounted for."""
    contents = recording.contents
    print(f"{recording.path.name}: {len(contents.symbols)} symbols, {', '.join(one.label for one in contents.kinds)}")
    if remove(root):
        print("the database of the replay before is gone")
    replay = Replay(recording, speed=speed, root=root)
    try:
        print("starting simulator, collector, worker, Redis and PostgreSQL")
        replay.start()
        last = replay.follow(shower(time.monotonic))
        stored = replay.stored()
        replay.keep_database_only()
    except BaseException:
        remove(root)
        raise
    print(f"\n{report.table(stored)}\n")
    print("\n".join(report.remarks(last)))
    print(f"\n{_how_to_look(replay)}")
    return 0 if last.arrived() else 1


def shower(monotonic_s: Callable[[], float]) -> Callable[[Progress], None]:
    """Return what shows progress: one line that changes on a terminal, a line now and then elsewhere."""
    began_s, said_s = monotonic_s(), 0.0
    terminal = sys.stdout.isatty()

    def show(progress: Progress) -> None:
        nonlocal said_s
        now_s = monotonic_s()
        if not terminal and now_s - said_s < 5 and not progress.arrived():
            return
        said_s = now_s
        text = report.line(progress, progress.received / (now_s - began_s))
        print(f"\r{text:<79}" if terminal else text, end="" if terminal else "\n", flush=True)

    return show


def _how_to_look(replay: Replay) -> str:
    layout, port = replay.stack.layout, replay.stack.ports["postgres"]
    file = shlex.quote(str(layout.secrets / "migrate" / "reader-password"))
    return (
        f"The database stays for a look:\n"
        f"  PGPASSWORD=$(cat {file}) psql -h 127.0.0.1 -p {port} -U {READER} nightdesk\n"
        f"  make replay-remove      stops and deletes it; so does the next make replay\n"
        f"Logs: {layout.logs}"
    )


def _speed(text: str) -> str:
    """Return the speed as the simulator takes it; raises ConfigurationError."""
    try:
        if text == "max" or 0 < float(text) <= 1e6:
            return text
    except ValueError:
        pass
    raise ConfigurationError(f"SPEED={text}: write max, 1 for the recording's own speed, 10 for ten times that")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.replay", description=__doc__)
    parser.add_argument("--feed", default="", help="a feed of config/feeds.yaml")
    parser.add_argument("--file", default="", help="x.ws.jsonl, plain, .gz or .zst; REST answers in x.http.jsonl")
    parser.add_argument("--speed", default="max", help="max, or times the recording's own speed")
    parser.add_argument("--remove", action="store_true", help="remove what the last replay left")
    return parser
