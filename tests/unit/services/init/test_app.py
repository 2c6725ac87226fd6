"""Init on a real directory."""

import re
from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.init.app import run
from services.init.plan import SECRETS, SERVICES, places


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    for service in SERVICES:
        (tmp_path / "secrets" / service).mkdir(parents=True)
    return {"SECRETS_DIR": str(tmp_path / "secrets"), "DATA_DIR": str(tmp_path / "data")}


def contents(environ: dict[str, str]) -> dict[str, str]:
    root = Path(environ["SECRETS_DIR"])
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def make_data(environ: dict[str, str], mark: str) -> None:
    path = Path(environ["DATA_DIR"]) / mark
    path.parent.mkdir(parents=True)
    path.touch()


def test_every_file_is_written_once_and_kept(environ: dict[str, str]) -> None:
    run(environ)
    first = contents(environ)
    run(environ)

    assert set(first) == {f"{place.service}/{place.name}" for place in places()}
    assert contents(environ) == first


def test_passwords_are_long_and_random(environ: dict[str, str]) -> None:
    run(environ)
    values = {value for name, value in contents(environ).items() if not name.endswith(".conf")}

    assert all(re.fullmatch(r"[\w-]{43}", value) for value in values)
    assert len(values) == len(SECRETS)


def test_whoever_has_the_mount_may_read_and_nobody_may_write(environ: dict[str, str]) -> None:
    run(environ)

    modes = {path.stat().st_mode & 0o777 for path in Path(environ["SECRETS_DIR"]).rglob("*") if path.is_file()}
    assert modes == {0o444}


def test_old_data_without_its_secret_is_left_alone(environ: dict[str, str]) -> None:
    make_data(environ, "postgres/pgdata")

    with pytest.raises(ConfigurationError, match="superuser-password"):
        run(environ)
    assert contents(environ) == {}


def test_old_data_gets_a_new_secret_when_asked(environ: dict[str, str]) -> None:
    make_data(environ, "grafana/grafana.db")

    run(environ | {"RENEW_SECRETS": "yes"})

    assert "grafana/admin-password" in contents(environ)


def test_an_interrupted_start_is_finished_by_the_next(environ: dict[str, str]) -> None:
    run(environ)
    first = contents(environ)
    root = Path(environ["SECRETS_DIR"])
    (root / "worker" / "redis-password").unlink()
    (root / "worker" / "redis-password.partial").write_text("torn")

    run(environ)

    assert contents(environ) == first


def test_a_missing_mount_is_named(environ: dict[str, str]) -> None:
    (Path(environ["SECRETS_DIR"]) / "worker").rmdir()

    with pytest.raises(ConfigurationError, match=r"cannot write the secret .*worker"):
        run(environ)
