"""Read and write the secrets' directories; see what data there is."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from nightdesk.errors import ConfigurationError
from services.init.plan import Place

READABLE: Final = 0o444
"""The mount is the boundary: the databases' uids differ from image to image, so whoever has the mount may read."""

DATA_MARKS: Final = {"postgres": "pgdata", "grafana": "grafana.db"}
"""What the directory of some data holds once there is any."""


def read_secrets(root: Path, places: Iterable[Place]) -> dict[Place, str]:
    """Return what the places hold; raises ConfigurationError when one cannot be read."""
    found = {}
    for place in places:
        try:
            found[place] = _path(root, place).read_text(encoding="ascii")
        except FileNotFoundError:
            continue
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"cannot read the secret {_path(root, place)}: {error}") from error
    return found


def write_secrets(root: Path, wanted: Mapping[Place, str]) -> None:
    """Write each secret whole or not at all; raises ConfigurationError when a directory does not let it."""
    for place, value in wanted.items():
        path = _path(root, place)
        partial = path.with_suffix(".partial")
        try:
            partial.unlink(missing_ok=True)
            partial.write_text(value, encoding="ascii")
            partial.chmod(READABLE)
            partial.replace(path)
        except OSError as error:
            raise ConfigurationError(f"cannot write the secret {path}: {error}") from error


def existing_data(root: Path) -> frozenset[str]:
    """Return the names of the data that exists already."""
    return frozenset(name for name, mark in DATA_MARKS.items() if (root / name / mark).exists())


def _path(root: Path, place: Place) -> Path:
    return root / place.service / place.name
