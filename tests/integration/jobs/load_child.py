"""Loads logs in a process of its own, which may be killed.

DATABASE_PASSWORD=... python -m tests.integration.jobs.load_child DATABASE_URL DIRECTORY BLOCK_BYTES
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from nightdesk.store.database import connect
from services.jobs.digest import files
from services.jobs.digest.config import read_logs
from services.jobs.digest.loading import Loader
from services.jobs.digest.rows import LogRows

CONFIG = Path(__file__).resolve().parents[3] / "config" / "logs.yaml"
NOW = datetime(2026, 11, 20, 0, 20, tzinfo=UTC)


def main(url: str, directory: str, block_bytes: str) -> None:
    """Load everything once, in blocks of that size, and say when it has begun."""
    vars(files)["BLOCK_BYTES"] = int(block_bytes)
    print("loading", flush=True)
    with connect(url, os.environ["DATABASE_PASSWORD"], name="load_child") as connection:
        loader = Loader(
            LogRows(connection), read_logs(CONFIG), log_dir=Path(directory), now=NOW, progress=lambda *_: None
        )
        loader.load()


if __name__ == "__main__":
    main(*sys.argv[1:])
