"""Let supervisord keep programs running: write its configuration, start it, ask it.

supervisord (http://supervisord.org) restarts what ends, whatever the reason, and keeps the logs small.
"""

import os
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final, cast

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.programs import Program
from nightdesk.errors import UnavailableError

WAIT: Final = True
NO_WAIT: Final = False
START_LIMIT_S: Final = 15.0
STOP_LIMIT_S: Final = 90.0
SOCKET_PATH_LIMIT: Final = 100
"""The kernel takes 107 bytes for the path of a Unix socket; supervisord appends its pid while it binds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramState:
    """What supervisord says of one program; ``pid`` is 0 while it does not run."""

    name: str
    state: str
    pid: int
    description: str


def configuration(programs: Iterable[Program], *, socket: Path, directory: Path, logs: Path) -> str:
    """Return supervisord's configuration; programs are started by request, then restarted without end."""
    head = f"""\
[supervisord]
directory={_escaped(str(directory))}
logfile={_escaped(str(logs / "supervisord.log"))}
logfile_maxbytes=10MB
logfile_backups=2
pidfile={_escaped(str(directory / "supervisord.pid"))}
childlogdir={_escaped(str(logs))}
identifier=nightdesk
{"user=root" if os.geteuid() == 0 else ""}

[unix_http_server]
file={_escaped(str(socket))}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
    return "\n".join([head, *(_section(program, logs) for program in programs)])


def socket_path(directory: Path) -> Path:
    """Return where supervisord listens: in the directory, or in a short one when that path is too long."""
    path = directory / "supervisor.sock"
    if len(str(path)) <= SOCKET_PATH_LIMIT:
        return path
    return Path(f"/tmp/nightdesk-{os.geteuid()}-{directory.stat().st_ino}.sock")  # noqa: S108  chmod 0700


class Supervisor:
    """One supervisord, asked over its socket."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._socket = socket_path(directory)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self._socket

    def start(self, text: str) -> None:
        """Start supervisord with this configuration; raises UnavailableError when it does not come up."""
        file = self._directory / "supervisord.conf"
        # It holds the programs' environment, and with it whatever secrets .env gives them.
        file.touch(mode=0o600)
        file.chmod(0o600)
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        deadline = time.monotonic() + START_LIMIT_S
        while not self.runs():
            if done.returncode or time.monotonic() > deadline:
                raise UnavailableError(f"supervisord did not start: {done.stderr.strip()}")
            time.sleep(0.05)

    def runs(self) -> bool:
        """Return whether it answers."""
        try:
            self._call("getPID")
        except UnavailableError:
            return False
        return True

    def start_program(self, name: str) -> None:
        """Start a program and return without waiting until it stays up."""
        self._call("startProcess", name, NO_WAIT)

    def stop_program(self, name: str) -> None:
        """Stop a program as it asks to be stopped, and wait."""
        self._call("stopProcess", name, WAIT)

    def programs(self) -> list[ProgramState]:
        """Return every program's state."""
        answer = cast("list[Mapping[str, Any]]", self._call("getAllProcessInfo"))
        return [
            ProgramState(name=one["name"], state=one["statename"], pid=one["pid"], description=one["description"])
            for one in answer
        ]

    def pid(self, name: str) -> int:
        """Return a program's process id, 0 while it does not run."""
        return next(state.pid for state in self.programs() if state.name == name)

    def shut_down(self) -> None:
        """Stop every program, then supervisord; return when it is gone."""
        pid = cast("int", self._call("getPID"))
        self._call("shutdown")
        deadline = time.monotonic() + STOP_LIMIT_S
        while _exists(pid):
            if time.monotonic() > deadline:
                raise UnavailableError(f"supervisord (pid {pid}) did not stop within {STOP_LIMIT_S:.0f} s")
            time.sleep(0.05)

    def _call(self, method: str, *arguments: object) -> object:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except (OSError, HTTPException) as error:
            raise UnavailableError(f"supervisord does not answer on {self._socket}: {error}") from error
        except xmlrpc.client.Fault as error:
            raise UnavailableError(f"supervisord refused {method}{arguments}: {error.faultString}") from error


def _section(program: Program, logs: Path) -> str:
    lines = {
        "command": " ".join(_quoted(word) for word in program.command),
        "directory": _escaped(str(program.directory)),
        "environment": ",".join(f"{key}={_quoted(value)}" for key, value in program.environment.items()),
        "user": program.user or "",
        "stopsignal": program.stop_signal,
        "stopwaitsecs": str(program.stop_wait_s),
        "priority": "1" if program.is_database else "2",
        "autostart": "false",
        "autorestart": "true",
        "startsecs": "1",
        "startretries": "100000",
        "stdout_logfile": _escaped(str(logs / f"{program.name}.log")),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
        "redirect_stderr": "true",
    }
    return "\n".join([f"[program:{program.name}]", *(f"{key}={value}" for key, value in lines.items() if value), ""])


def _quoted(value: str) -> str:
    return '"' + _escaped(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(value: str) -> str:
    return value.replace("%", "%%")


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
