"""Archive or restore in a process of its own, to be killed: DATABASE_PASSWORD=... archive_child JOB ARCHIVE URL DAY.

Prints ``ready`` and begins when a line comes in; prints the result.
"""

import json
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from nightdesk.clock import Clock
from nightdesk.outbound import call
from nightdesk.store.database import Connection, connect
from services.jobs import archive_ticks, restore_day
from services.jobs.runner.job import Desk
from services.jobs.settings import JobsSettings


def main(name: str, archive: str, url: str, day: str) -> None:
    password = os.environ["DATABASE_PASSWORD"]
    settings = {"database_url": url, "database_password": password, "archive_url": f"file://{archive}"}

    def connected(what: str) -> Connection:
        return connect(url, password, name=what)

    desk = Desk(
        run_id=1, job=name, scheduled_for=datetime.now(UTC), attempt=1, by_hand=False,
        settings=JobsSettings.model_validate(settings), feeds={}, clock=Clock(), random=lambda: 0.5, connect=connected,
        call=call, progress=lambda *_: None, notify=lambda *_: 0,
    )  # fmt: skip
    print("ready", flush=True)
    sys.stdin.readline()
    if name == "archive_ticks":
        result = archive_ticks.run(desk, archive_ticks.Arguments(keep_restored_days=0))
    else:
        result = restore_day.run(desk, restore_day.Arguments(day=date.fromisoformat(day)))
    print(json.dumps({"result": result, "peak_mb": peak_mb()}), flush=True)


def peak_mb() -> float:
    """The most memory that this program had; what getrusage says begins with that of whoever started it."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
