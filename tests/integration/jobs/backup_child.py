"""Back up in a process of its own, to be killed: backup_child DIRECTORY URL; passwords in the environment."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from nightdesk.clock import Clock
from nightdesk.outbound import call
from nightdesk.store.database import connect
from services.jobs import backup
from services.jobs.runner.job import Desk
from services.jobs.settings import JobsSettings


def main(directory: str, url: str) -> None:
    settings = JobsSettings.model_validate(
        {"database_url": url, "backup_dir": Path(directory), "backup_password": os.environ["BACKUP_PASSWORD"]}
    )
    desk = Desk(
        run_id=1, job="backup", scheduled_for=datetime.now(UTC), attempt=1, by_hand=False, settings=settings, feeds={},
        clock=Clock(), random=lambda: 0.5, connect=lambda name: connect(url, None, name=name), call=call,
        progress=lambda *_: None, notify=lambda *_: 0,
    )  # fmt: skip
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(backup.run(desk, backup.Arguments())), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
