"""A state file of a test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.alerter.store.file import StateFile


@pytest.fixture
def file(tmp_path: Path) -> Iterator[StateFile]:
    opened = StateFile(tmp_path / "alerter.sqlite")
    yield opened
    opened.close()
