"""Turn the services of compose.yaml into programs of one machine: its paths, its ports, no containers. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local.compose import Service

HOST: Final = "127.0.0.1"

PREFERRED_PORTS: Final = {
    "api": 8000,
    "simulator": 8090,
    "prometheus": 9090,
    "redis": 6379,
    "postgres": 5432,
    "collector": 9101,
    "worker": 9102,
    "alerter": 9103,
    "scheduler": 9104,
    "jobs": 9105,
}
"""Where people look for things; a port in use is replaced by a free one."""

OWN_PORT: Final = {"api": "API_PORT", "simulator": "SIMULATOR_PORT"}
"""Services that serve their metrics on the port they exist for, and its variable."""

ADDRESSES_IN_COMPOSE: Final = {
    "redis": "redis:6379",
    "postgres": "postgres:5432",
    "prometheus": "prometheus:9090",
    "simulator": "simulator:8090",
    "collector": "collector:9100",
    "worker": "worker:9100",
    "alerter": "alerter:9100",
    "scheduler": "scheduler:9100",
    "api": "api:8000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where one stack keeps its things on disk."""

    root: Path

    @property
    def secrets(self) -> Path:
        """One directory a service, as init writes them."""
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        """What each program prints, one file each."""
        return self.root / "logs"

    @property
    def log_files(self) -> Path:
        """What our services log, one directory each."""
        return self.logs / "services"

    @property
    def spool(self) -> Path:
        """The collector's spool."""
        return self.root / "spool"

    @property
    def recordings(self) -> Path:
        """Raw frames, when RECORD_DIR is set."""
        return self.root / "recordings"

    @property
    def alerter(self) -> Path:
        """What the alerter knows."""
        return self.root / "alerter"

    @property
    def data(self) -> Path:
        """One directory a database."""
        return self.root / "data"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's cluster."""
        return self.data / "postgres" / "pgdata"

    @property
    def redis(self) -> Path:
        """Redis's append-only file."""
        return self.data / "redis"

    @property
    def prometheus(self) -> Path:
        """Prometheus's data."""
        return self.data / "prometheus"

    @property
    def ports(self) -> Path:
        """The ports of the processes, as JSON."""
        return self.root / "ports.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process that a supervisor keeps running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path
    user: str | None = None
    stop_signal: str = "TERM"
    stop_wait_s: int = 30
    is_database: bool = False
    """Started before and stopped after everything else."""


def names_of(service: Service) -> list[str]:
    """Return the names of a service's processes: its own, or numbered from 1 when there are several."""
    if service.replicas == 1:
        return [service.name]
    return [f"{service.name}-{number}" for number in range(1, service.replicas + 1)]


def programs_of(
    service: Service, *, python: str, source: Path, layout: Layout, ports: Mapping[str, int]
) -> list[Program]:
    """Return a service's processes; ``ports`` has one for every process and every address it speaks to."""
    return [
        Program(
            name=name,
            command=(python, *service.command[1:]),
            environment=environment_of(service, name, layout=layout, ports=ports),
            directory=source,
        )
        for name in names_of(service)
    ]


def redis_configuration(text: str, *, layout: Layout, port: int) -> str:
    """Return deploy/redis/redis.conf with this machine's paths, listening on 127.0.0.1 only."""
    lines = text.replace("/run/secrets/", f"{layout.secrets / 'redis'}/").splitlines()
    kept = [line for line in lines if not line.startswith("dir ")]
    return "\n".join([*kept, f"dir {layout.redis}", f"bind {HOST}", f"port {port}", "daemonize no", ""])


def environment_of(service: Service, name: str, *, layout: Layout, ports: Mapping[str, int]) -> dict[str, str]:
    """Return the variables of one process, with this machine's paths and addresses."""
    environment = {key: _translated(value, service.name, layout, ports) for key, value in service.environment.items()}
    environment["LISTEN_HOST"] = HOST
    environment |= _own_ports(service.name, name, ports)
    if service.name in {"collector", "jobs"} and "simulator" in ports:
        # The simulator's address stands in config/feeds.yaml; its variables override it.
        environment["SIMULATOR_WS_URL"] = f"ws://{HOST}:{ports['simulator']}"
        environment["SIMULATOR_REST_URL"] = f"http://{HOST}:{ports['simulator']}"
    if service.name == "api":
        environment["HEALTH_TARGETS"] = ",".join(health_targets(ports))
        if "alerter" not in ports:
            environment["ALERTER_URL"] = ""
        if "scheduler" not in ports:
            environment["SCHEDULER_URL"] = ""
    if service.name == "jobs":
        environment["HEALTH_TARGETS"] = ",".join(one for one in health_targets(ports) if not one.startswith("jobs="))
        environment["HOST_ROOT"] = "/"
        if "prometheus" not in ports:
            environment["PROMETHEUS_URL"] = ""
    return {key: value for key, value in environment.items() if value}


def health_targets(ports: Mapping[str, int]) -> Iterable[str]:
    """Return where the api asks the other services how they are: ``name=http://host:port``."""
    for name, port in sorted(ports.items()):
        service = name.partition("-")[0]
        if service in {"collector", "worker", "simulator", "alerter", "scheduler", "jobs"}:
            yield f"{service}=http://{HOST}:{port}"


def _own_ports(service: str, name: str, ports: Mapping[str, int]) -> dict[str, str]:
    if service in OWN_PORT:
        return {OWN_PORT[service]: str(ports[name])}
    return {"METRICS_PORT": str(ports[name])} if name in ports else {}


def _translated(value: str, service: str, layout: Layout, ports: Mapping[str, int]) -> str:
    meanings = {
        "/run/secrets/": f"{layout.secrets / service}/",
        "/var/lib/nightdesk/logs": str(layout.log_files),
        "/var/lib/nightdesk/": f"{layout.root}/",
    }
    for name, address in ADDRESSES_IN_COMPOSE.items():
        if name in ports:
            meanings |= {f"{before}{address}": f"{before}{HOST}:{ports[name]}" for before in ("@", "//")}
    # In one pass: what stands in for one thing may look like another.
    return re.sub("|".join(map(re.escape, meanings)), lambda found: meanings[found[0]], value)
