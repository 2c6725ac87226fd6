"""The check of config/."""

import shutil
from pathlib import Path

import pytest

from deploy.configuration import problems_of

DELIVERED = Path(__file__).parents[3] / "config"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DELIVERED, tmp_path / "config"))


def test_the_delivered_files_are_well() -> None:
    assert problems_of(DELIVERED) == []


def test_a_wrong_file_is_named(config: Path) -> None:
    (config / "feeds.yaml").write_text("feeds: {simulator: {codec: 7}}")

    (problem,) = problems_of(config)

    assert "feeds.yaml" in problem


def test_a_file_that_nobody_reads_is_named(config: Path) -> None:
    (config / "feed.yaml").write_text("feeds: {}")

    assert problems_of(config) == [f"{config / 'feed.yaml'}: no service reads this file"]


def test_all_problems_are_named_at_once(config: Path) -> None:
    (config / "feeds.yaml").write_text("[")
    (config / "calendars.yaml").write_text("[")

    assert len(problems_of(config)) == 2
