"""The state file is never a reason to fall silent: damaged, full, read-only or too new."""

import shutil
import sqlite3
from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.alerter.store.file import VERSION, StateFile


def noted(file: StateFile) -> dict[str, str]:
    return {row["name"]: row["value"] for row in file.rows("notes")}


def put(file: StateFile, name: str, value: str = "1") -> None:
    file.write([("put_note", {"name": name, "value": value})])


def refuse(file: StateFile) -> None:
    """Let the file take no more pages, as a full disk does."""
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages}")


LARGE = "x" * 20_000


def test_what_is_written_is_there_after_opening_it_again(tmp_path: Path) -> None:
    path = tmp_path / "below" / "alerter.sqlite"
    file = StateFile(path)
    put(file, "one")
    file.close()

    again = StateFile(path)
    assert noted(again) == {"one": "1"}
    assert (again.damage, again.adrift_s) == ("", None)
    again.close()


def test_all_of_a_write_or_nothing(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "alerter.sqlite")

    with pytest.raises(sqlite3.IntegrityError):
        file.write([("put_note", {"name": "one", "value": "1"}), ("put_note", {"name": None, "value": "2"})])
    assert noted(file) == {}
    file.close()


@pytest.mark.parametrize(
    "content", [b"this is no database, but long enough to be read as one" * 200, b"SQLite format 3\0" + b"\xff" * 8000]
)
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "alerter.sqlite"
    path.write_bytes(content)

    file = StateFile(path, wall_s=lambda: 1000.0)
    put(file, "one")

    assert noted(file) == {"one": "1"}
    assert "was put aside as alerter.sqlite.damaged-1000" in file.damage
    assert (tmp_path / "alerter.sqlite.damaged-1000").read_bytes() == content
    file.close()


def test_a_page_that_was_torn_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "alerter.sqlite"
    file = StateFile(path)
    for number in range(200):
        put(file, f"note {number}", "x" * 500)
    file.close()
    content = bytearray(path.read_bytes())
    content[-20_000:-4096] = b"\xa5" * (20_000 - 4096)
    path.write_bytes(content)

    again = StateFile(path)
    assert again.damage
    put(again, "one")
    again.close()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "alerter.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")

    with pytest.raises(ConfigurationError, match="was written by a newer Nightdesk"):
        StateFile(path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="set STATE_DIR"):
        StateFile(tmp_path / "file" / "alerter.sqlite")


def test_on_a_full_disk_it_goes_on_in_memory_with_what_it_knew(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "alerter.sqlite", wall_s=lambda: 1000.0)
    put(file, "before")
    refuse(file)
    put(file, "large", LARGE)
    put(file, "after")

    assert file.adrift_s == 1000.0
    assert set(noted(file)) == {"before", "large", "after"}
    file.close()


def test_it_comes_back_to_the_disk_with_everything(tmp_path: Path) -> None:
    path = tmp_path / "alerter.sqlite"
    file = StateFile(path)
    put(file, "before")
    refuse(file)
    put(file, "large", LARGE)

    assert file.come_back()
    assert file.adrift_s is None
    put(file, "after")
    file.close()
    again = StateFile(path)
    assert set(noted(again)) == {"before", "large", "after"}
    again.close()


def test_a_start_without_room_to_write_begins_with_what_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "alerter.sqlite"
    file = StateFile(path)
    put(file, "before")
    file.close()

    def full(self: StateFile) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(StateFile, "_open", full)
        again = StateFile(path, wall_s=lambda: 5.0)
        put(again, "after")
        assert not again.come_back()

    assert again.adrift_s == 5.0
    assert set(noted(again)) == {"before", "after"}
    assert again.come_back()
    again.close()
    with sqlite3.connect(path) as connection:
        assert {row[0] for row in connection.execute("SELECT name FROM notes")} == {"before", "after"}


def test_a_start_without_room_to_write_knows_what_was_written_last_before_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = StateFile(tmp_path / "alerter.sqlite")
    put(killed, "before")
    path = tmp_path / "after" / "alerter.sqlite"
    path.parent.mkdir()
    for file in tmp_path.glob("alerter.sqlite*"):
        shutil.copy(file, path.parent)  # as a kill leaves it: the log has not been written back
    killed.close()

    def full(self: StateFile) -> sqlite3.Connection:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(StateFile, "_open", full)
    again = StateFile(path)
    assert noted(again) == {"before": "1"}
    again.close()
