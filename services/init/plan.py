"""Decide which secrets to write: random, one value each, a copy for every service that may read it.

Each service has a directory of its own and is given that one alone, so the directory is the boundary. A secret that is
already there is kept; a copy that is missing is made from another. Nothing here touches a disk.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from nightdesk.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """One random value and who may read it.

    ``guards`` names the data that only opens with this value: new data takes a new value, old data needs the old one.
    """

    name: str
    readers: tuple[str, ...]
    guards: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A file in the directory of one service."""

    service: str
    name: str


SECRETS: Final = (
    Secret(name="superuser-password", readers=("postgres", "migrate"), guards="postgres"),
    Secret(name="owner-password", readers=("migrate",)),
    Secret(name="writer-password", readers=("migrate", "worker", "scheduler", "jobs")),
    Secret(name="reader-password", readers=("migrate", "api", "grafana")),
    Secret(name="redis-password", readers=("redis", "collector", "worker", "api", "scheduler", "jobs")),
    Secret(name="session-secret", readers=("api",)),
    Secret(name="login-token", readers=("api",)),
    Secret(name="alerter-token", readers=("alerter", "api")),
    Secret(name="notifications-token", readers=("alerter", "jobs")),
    Secret(name="runs-token", readers=("scheduler", "api")),
    Secret(name="backup-password", readers=("migrate", "jobs")),
    Secret(name="clerk-password", readers=("migrate", "api")),
    Secret(name="ack-secret", readers=("alerter",)),
    Secret(name="admin-password", readers=("grafana",), guards="grafana"),
)

# Redis takes its password from its own configuration file only, so it is given one to include.
REDIS_CONFIGURATION: Final = Place("redis", "redis.conf")

SERVICES: Final = tuple(sorted({reader for secret in SECRETS for reader in secret.readers}))

RECOVERY: Final = {
    "postgres": """\
PostgreSQL's data exists but its superuser password (secret "superuser-password") does not.
Either put the secret back from your backup, or give the old data a new password:
  docker compose run --rm -e RENEW_SECRETS=yes init
  docker compose up -d --wait --no-deps postgres
  docker compose exec postgres sh -c \\
    'psql -U postgres -c "ALTER ROLE postgres PASSWORD \\$\\$$(cat /run/secrets/superuser-password)\\$\\$"'
  docker compose up -d
Or, to start empty and lose every row: docker compose down, docker volume rm nightdesk_postgres-data""",
    "grafana": """\
Grafana's data exists but its admin password (secret "admin-password") does not.
Either put the secret back from your backup, or give the old data a new password:
  docker compose run --rm -e RENEW_SECRETS=yes init
  docker compose up -d --wait --no-deps grafana
  docker compose exec grafana sh -c 'grafana cli admin reset-admin-password "$(cat /run/secrets/admin-password)"'
  docker compose up -d
Or, to start with the dashboards as delivered: docker compose down, docker volume rm nightdesk_grafana-data""",
}


def places() -> list[Place]:
    """Return every file that init looks after."""
    return [Place(reader, secret.name) for secret in SECRETS for reader in secret.readers] + [REDIS_CONFIGURATION]


def plan(
    found: Mapping[Place, str], *, data: Collection[str], new_value: Callable[[], str], renew: bool = False
) -> dict[Place, str]:
    """Return what to write where, empty when all is in place.

    ``found`` is what the directories hold, ``data`` names the data that exists already. Raises ConfigurationError
    with the way back when data exists without its secret (unless ``renew``), or when copies of a secret differ.
    """
    wanted: dict[Place, str] = {}
    problems: list[str] = []
    for secret in SECRETS:
        places = [Place(reader, secret.name) for reader in secret.readers]
        values = {found[place] for place in places if found.get(place)}
        if len(values) > 1:
            problems.append(_differing(secret))
        elif not values and secret.guards and secret.guards in data and not renew:
            problems.append(RECOVERY[secret.guards])
        else:
            value = values.pop() if values else new_value()
            wanted |= dict.fromkeys(places, value)
    if problems:
        raise ConfigurationError("\n\n".join(problems))
    wanted[REDIS_CONFIGURATION] = f"requirepass {wanted[Place('redis', 'redis-password')]}\n"
    return {place: value for place, value in wanted.items() if found.get(place) != value}


def _differing(secret: Secret) -> str:
    holders = ", ".join(secret.readers)
    return (
        f'The copies of the secret "{secret.name}" differ between {holders}.\n'
        "Remove the wrong ones (the volumes are named nightdesk_secrets-<service>) and start again."
    )
