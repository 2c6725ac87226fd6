"""HEALTH_TARGETS: which services are asked how they are, and at which addresses."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from nightdesk.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A service by its name; its host may resolve to several addresses, one a replica."""

    service: str
    host: str
    port: int


def parse_targets(text: str) -> tuple[Target, ...]:
    """Return the targets of HEALTH_TARGETS; raises ConfigurationError that names each wrong entry."""
    targets: list[Target] = []
    problems: list[str] = []
    for entry in filter(None, (part.strip() for part in text.split(","))):
        target = _target(entry)
        if target is None:
            problems.append(f"{entry!r} is not name=http://host:port")
        else:
            targets.append(target)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return tuple(targets)


def _target(entry: str) -> Target | None:
    service, _, url = entry.partition("=")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return None
    if not service.strip() or parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        return None
    return Target(service=service.strip(), host=parts.hostname, port=port or 80)
