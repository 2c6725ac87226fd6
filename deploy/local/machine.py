"""What this machine has, and what root may add to it: PostgreSQL, Redis, Prometheus, free ports."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from deploy import databases
from nightdesk.errors import ConfigurationError

DEBIAN_PACKAGES: Final = {"postgres": "postgresql", "redis-server": "redis-server"}


def ensure_databases() -> None:
    """Make sure that PostgreSQL and Redis can be started; root on Debian installs what is missing.

    Raises ConfigurationError that says what to install.
    """
    missing = [program for program in DEBIAN_PACKAGES if not _is_usable(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _install(DEBIAN_PACKAGES[program] for program in missing)
    databases.find_postgres()
    databases.find_redis()


def find_prometheus() -> Path | None:
    """Return Prometheus when it is on PATH."""
    found = shutil.which("prometheus")
    return Path(found) if found else None


def state_directory(source: Path) -> Path:
    """Return where the local desk keeps its state: ``.local`` in the source, unless PostgreSQL cannot reach that.

    Root starts PostgreSQL as another user, who may not enter root's home.
    """
    user = databases.unprivileged_user()
    if user is None or _succeeds(["test", "-x", str(source)], user):
        return source / ".local"
    return Path("/var/lib/nightdesk") / source.name


def choose_ports(names: Iterable[str], preferred: Mapping[str, int], known: Mapping[str, int]) -> dict[str, int]:
    """Return a port for every name: the preferred one, else that of the last start, else any that is free."""
    chosen: dict[str, int] = {}
    for name in names:
        wishes = (wish for wish in (preferred.get(name, 0), known.get(name, 0)) if wish not in chosen.values())
        chosen[name] = next((wish for wish in wishes if is_free(wish)), 0) or databases.free_port()
    return chosen


def is_free(port: int) -> bool:
    """Return whether nobody listens on the port of 127.0.0.1; port 0 is nobody's to take."""
    if port == 0:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_usable(program: str) -> bool:
    try:
        path = databases.find_postgres() if program == "postgres" else databases.find_redis()
    except ConfigurationError:
        return False
    return program != "postgres" or _succeeds([str(path), "--version"], databases.unprivileged_user())


def _install(packages: Iterable[str]) -> None:
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    print("installing", *command[5:])
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet"], env=environment, check=False, stdout=subprocess.DEVNULL)
    subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)


def _succeeds(command: list[str], user: str | None) -> bool:
    try:
        return subprocess.run(command, user=user, cwd="/", capture_output=True, check=False).returncode == 0
    except PermissionError:
        return False


def main() -> int:
    """Make sure of the databases; return the exit status."""
    try:
        ensure_databases()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
