"""Check the files of ``config/`` as the services would read them: ``python -m deploy.configuration``."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from nightdesk.calendars import read_closures
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import read_feeds
from services.alerter.policy import read_policy

READERS: Final[Mapping[str, Callable[[Path], object]]] = {
    "feeds.yaml": read_feeds,
    "calendars.yaml": read_closures,
    "alerts.yaml": read_policy,
}


def problems_of(directory: Path) -> list[str]:
    """Return what is wrong in the directory, one text a file; a file that nobody reads is wrong as well."""
    found = [f"{directory / name}: no service reads this file" for name in _unread(directory)]
    for name, read in READERS.items():
        try:
            read(directory / name)
        except ConfigurationError as error:
            found.append(str(error))
    return found


def _unread(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.glob("*.yaml") if file.name not in READERS)


if __name__ == "__main__":
    wrong = problems_of(Path(__file__).resolve().parents[1] / "config")
    print("\n".join(wrong) or "every file of config/ can be read")
    sys.exit(1 if wrong else 0)
