"""Where the databases' programs are looked for."""

from pathlib import Path

import pytest

from deploy.databases import find_redis


def test_a_program_that_is_a_link_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "redis-all-in-one"
    program.touch(mode=0o755)
    (tmp_path / "redis-server").symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_redis().name == "redis-server"
