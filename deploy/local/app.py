"""``make up`` and its kin where no Docker engine answers: the desk as processes of this machine."""

import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deploy.local import compose, machine
from deploy.local.programs import HOST, PREFERRED_PORTS
from deploy.local.stack import SOURCE, Stack
from nightdesk.errors import ConfigurationError, NightdeskError, UnavailableError

ALERTER: Final = "alerter"
API: Final = "api"
JOB: Final = "job"
RESTORE: Final = "restore-backup"


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run one command; return the exit status."""
    command, *rest = arguments or [""]
    try:
        if command in WITHIN:
            return WITHIN[command](desk(environ), rest)
        if command not in COMMANDS or rest:
            within = " ...|".join(WITHIN)
            print(f"usage: python -m deploy.local {'|'.join(COMMANDS)}|{within} ...", file=sys.stderr)
            return 2
        COMMANDS[command](desk(environ))
    except NightdeskError as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    return 0


def desk(environ: Mapping[str, str]) -> Stack:
    """Return the local desk, configured by ``.env`` and the environment, the latter first, as Compose does it."""
    root = machine.state_directory(SOURCE)
    root.mkdir(parents=True, exist_ok=True)
    variables = {**_variables_of(SOURCE / ".env"), **environ}
    return Stack(
        root,
        environ=variables,
        own_variables={ALERTER: _variables_of(SOURCE / "alerter.env")},
        preferred_ports=preferred_ports(variables),
    )


def _variables_of(file: Path) -> dict[str, str]:
    return compose.read_dotenv(file.read_text(encoding="utf-8")) if file.exists() else {}


def preferred_ports(variables: Mapping[str, str]) -> dict[str, int]:
    """Return the ports to take where they are free: API_PORT and its kin before the usual ones.

    Raises ConfigurationError when one is not a port.
    """
    ports = dict(PREFERRED_PORTS)
    for name in ("api", "simulator", "prometheus"):
        variable = f"{name.upper()}_PORT"
        value = variables.get(variable) or str(ports[name])
        if not value.isdecimal() or not 0 < int(value) < 2**16:
            raise ConfigurationError(f"{variable}={value} is not a port")
        ports[name] = int(value)
    return ports


def up(stack: Stack) -> None:
    """Start the desk and say where to look and what is not here."""
    print("no Docker engine answers: starting the desk as local processes")
    stack.start()
    print(f"Health      {stack.url('api')}/health")
    if ALERTER in stack.ports:
        print(f"Alerts      {stack.url('api')}/alerts")
    if "prometheus" in stack.ports:
        print(f"Prometheus  {stack.url('prometheus')}")
    print(f"Simulator   {stack.url('simulator')}")
    print(f"State, logs {stack.layout.root}")
    for line in left_out(stack):
        print(f"left out: {line}")


def left_out(stack: Stack) -> list[str]:
    """Return what Compose would run and this machine does not."""
    lines = ["Grafana and its dashboards (they need Docker)", "containers' limits on memory, CPU and files"]
    if "prometheus" not in stack.ports:
        prometheus = "none on PATH; on Debian: apt-get install prometheus, then make down up"
        lines.insert(0, f"Prometheus ({prometheus}) and with it the alerter: nobody is told when something breaks")
    return lines


def down(stack: Stack) -> None:
    """Stop the desk; its data stays."""
    if not stack.supervisor.runs():
        print("the desk does not run")
        return
    stack.stop()
    print(f"stopped; the data stays in {stack.layout.root}")


def logs(stack: Stack) -> None:
    """Follow every program's log."""
    files = sorted(str(file) for file in stack.layout.logs.glob("*.log"))
    tail = shutil.which("tail")
    if not files or tail is None:
        print(f"no logs in {stack.layout.logs}")
        return
    try:
        subprocess.run([tail, "-n", "20", "-F", *files], check=False)
    except KeyboardInterrupt:
        return


def status(stack: Stack) -> None:
    """Say what runs and what the api says about it."""
    if not stack.supervisor.runs():
        print("the desk does not run; make up starts it")
        return
    for program in stack.programs():
        print(f"{program.name:<12} {program.state:<9} {program.description}")
    print(f"health: {health(stack.ports['api'])}")


def health(port: int) -> str:
    """Return the api's verdict in one line."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health")
        document = json.load(connection.getresponse())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"the api does not answer ({error})"
    finally:
        connection.close()
    wrong = [f"{part['part']}: {part['detail']}" for part in document["parts"] if part["status"] != "ok"]
    return "; ".join([str(document["status"]), *wrong])


def password(_stack: Stack) -> None:
    """Say that there is no Grafana to log in to."""
    print("Grafana does not run here: it needs Docker", file=sys.stderr)


def ask_alerter(stack: Stack, arguments: list[str]) -> int:
    """Run one of the alerter's own commands with its environment; return the exit status."""
    if not stack.supervisor.runs():
        raise UnavailableError("the desk does not run; make up starts it")
    if ALERTER not in stack.ports:
        raise UnavailableError("no alerter runs here: it needs Prometheus")
    return _within(stack, ALERTER, "services.alerter.command", arguments)


def ask_api(stack: Stack, arguments: list[str]) -> int:
    """Run one of the api's own commands with its environment; return the exit status."""
    if not stack.supervisor.runs():
        raise UnavailableError("the desk does not run; make up starts it")
    return _within(stack, API, "services.api.command", arguments)


def do_job(stack: Stack, arguments: list[str]) -> int:
    """Do one job by hand with the jobs' environment; return the exit status."""
    if not stack.supervisor.runs():
        raise UnavailableError("the desk does not run; make up starts it")
    process = next(name for name in stack.process_names if name.partition("-")[0] == "jobs")
    return _within(stack, process, "services.jobs.hand", arguments)


def restore_backup(stack: Stack, arguments: list[str]) -> int:
    """Restore a backup while nothing but the databases runs; return the exit status."""
    if not stack.supervisor.runs():
        raise UnavailableError("the desk does not run; make up starts it, and its services are stopped for the restore")
    for name in stack.process_names:
        stack.supervisor.stop_program(name)
    try:
        return _within(stack, "migrate", "nightdesk.store.restore", arguments)
    finally:
        for name in stack.process_names:
            stack.supervisor.start_program(name)


def _within(stack: Stack, process: str, module: str, arguments: list[str]) -> int:
    """Run a module with the environment of one of the desk's processes."""
    command = [sys.executable, "-m", module, *arguments]
    environment = {**stack.environment(process), "PATH": os.environ.get("PATH", os.defpath)}
    environment |= {"FORCE": os.environ["FORCE"]} if os.environ.get("FORCE") else {}
    return subprocess.run(command, cwd=SOURCE, env=environment, check=False).returncode


COMMANDS: Final[Mapping[str, Callable[[Stack], None]]] = {
    "up": up,
    "down": down,
    "logs": logs,
    "status": status,
    "password": password,
}

WITHIN: Final[Mapping[str, Callable[[Stack, list[str]], int]]] = {
    ALERTER: ask_alerter,
    API: ask_api,
    JOB: do_job,
    RESTORE: restore_backup,
}
"""Commands with arguments of their own, run with the environment of one of the desk's processes."""


def run() -> int:
    """Run the command of this process."""
    return main(sys.argv[1:], os.environ)
