"""Send one recording through the whole path, with a desk of its own: simulator, collector, worker, databases."""

import math
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Final

import psycopg

from deploy import databases
from deploy.local.stack import Stack
from deploy.replay.figures import Progress, Stored, figures_of, progress_of, read, read_json, stored_of
from deploy.replay.recording import Recording, feeds_file
from nightdesk.errors import UnavailableError

SERVICES: Final = ("simulator", "collector", "worker")
READER: Final = "nightdesk_reader"
LOOK_S: Final = 0.5
SETTLED_S: Final = 1.5
"""Without any change, everything having arrived: longer than the services take to bring their figures up to date."""

STALL_S: Final = 30.0
STORED: Final = Path(__file__).with_name("stored.sql")


class Replay:
    """One recording on its way."""

    def __init__(self, recording: Recording, *, speed: str, root: Path) -> None:
        self._port = databases.free_port()
        self._recording = recording
        self._root = root
        environ = {
            "FEEDS": recording.feed,
            "FEEDS_CONFIG": str(root / "feeds.yaml"),
            "SIMULATOR_REPLAY": str(recording.path),
            "SIMULATOR_REPLAY_SPEED": speed,
            # Days of years ago are to stay.
            "RETENTION_DAYS": "0",
            # Sent nowhere, but a codec may insist on one.
            "TICKDB_API_KEY": "replay",
        }
        self.stack = Stack(root, services=SERVICES, environ=environ, preferred_ports={"simulator": self._port})

    def start(self) -> None:
        """Start the desk; the simulator plays once the collector listens."""
        self._root.mkdir(parents=True)
        # PostgreSQL may run as another user, who must be able to enter.
        self._root.chmod(0o755)
        (self._root / "feeds.yaml").write_text(feeds_file(self._recording, self._port), encoding="utf-8")
        self.stack.start()

    def look(self) -> Progress:
        """Return how far it is; raises UnavailableError when a service does not answer."""
        ports = self.stack.ports
        if not ports:
            raise UnavailableError(f"{self._root} is gone: another replay took its place")
        try:
            return progress_of(
                read_json(ports["simulator"], "/sim/state"),
                read_json(ports["collector"], "/health"),
                figures_of(read(ports["collector"], "/metrics").decode()),
                figures_of(read(ports["worker"], "/metrics").decode()),
            )
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"a service does not answer: {error}; see {self.stack.layout.logs}") from error

    def follow(self, show: Callable[[Progress], None], *, sleep: Callable[[float], None] = time.sleep) -> Progress:
        """Wait until everything sent is stored, or nothing moves any more; return the last look."""
        last, still_s = self.look(), 0.0
        while still_s < patience_s(last):
            sleep(LOOK_S)
            now = self.look()
            if now.is_like(last):
                still_s += LOOK_S
            else:
                still_s = 0.0
                show(now)
            last = now
        return last

    def stored(self) -> list[Stored]:
        """Return what the database has."""
        url, password = self.stack.database_url(READER), self.stack.database_password(READER)
        with psycopg.connect(url, password=password) as connection:
            return stored_of(connection.execute(STORED.read_bytes()).fetchall())

    def keep_database_only(self) -> None:
        """Stop everything but PostgreSQL."""
        for name in (*self.stack.process_names, "redis"):
            self.stack.supervisor.stop_program(name)


def remove(root: Path) -> bool:
    """Stop and delete what an earlier replay left; return whether there was anything."""
    if not root.exists():
        return False
    stack = Stack(root, services=SERVICES, environ={})
    if stack.supervisor.runs():
        stack.stop()
    shutil.rmtree(root)
    return True


@contextmanager
def replayed(recording: Recording, *, speed: str, root: Path) -> Iterator[tuple[Replay, Progress]]:
    """Replay to the end in ``root``; yield the replay, its database running, and the last look; then remove it all."""
    replay = Replay(recording, speed=speed, root=root)
    try:
        replay.start()
        yield replay, replay.follow(lambda _: None)
    finally:
        remove(root)


def patience_s(progress: Progress) -> float:
    """Return for how long nothing may change before the replay is over.

    A recording may be silent for as long as it likes; what is sent arrives soon, or never.
    """
    if progress.arrived():
        return SETTLED_S
    return math.inf if progress.sent and not progress.played else STALL_S
