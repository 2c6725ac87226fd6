"""Ask every instance of every service how it is, and how much of its memory it uses."""

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import requests
from prometheus_client.parser import text_string_to_metric_families

from nightdesk.errors import UnavailableError
from nightdesk.health import Part, read_report
from nightdesk.outbound import Answer, Call
from nightdesk.targets import Target
from services.jobs.checks.parts import degraded, down, well

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Return every address of a host's name; raises OSError."""

SUMMARY: Final = "api"
"""The service whose ``/health`` sums up the others': of itself it says only that it answers."""

WHAT_FIRES: Final = ("alerter", "alerts")
"""A part that says that alerts fire, which is the alerter's work and no trouble of its own."""

MEMORY: Final = ("nightdesk_memory_used_bytes", "nightdesk_memory_limit_bytes")


def addresses(host: str, port: int) -> list[str]:
    """Return every address, one a replica; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return sorted({str(address[0]) for *_, address in found})


def ask_services(targets: Iterable[Target], call: Call, resolve: Resolve, *, memory_ratio: float) -> list[Part]:
    """Return the parts of all services, as ``service/part``, or why one says nothing.

    A container that uses more than ``memory_ratio`` of what it may is a part that is not well.
    """
    return [part for target in targets for part in _service(target, call, resolve, memory_ratio)]


def _service(target: Target, call: Call, resolve: Resolve, memory_ratio: float) -> Iterator[Part]:
    try:
        found = resolve(target.host, target.port)
    except OSError as error:
        yield down(target.service, f"{target.host} is not a running service: {error.strerror or error}")
        return
    for address in found:
        name = target.service if len(found) == 1 else f"{target.service} at {address}"
        yield from ask_instance(target.service, name, _url(address, target.port), call, memory_ratio)


def _url(address: str, port: int) -> str:
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def ask_instance(service: str, name: str, url: str, call: Call, memory_ratio: float) -> Iterator[Part]:
    """Yield the parts of one instance of a service, as ``name/part``."""
    try:
        parts = read_report(_get(call, f"{url}/health", name).content)
        metrics = _get(call, f"{url}/metrics", name)
    except UnavailableError as error:
        yield down(name, str(error))
        return
    except ValueError:
        yield down(name, "/health cannot be read")
        return
    yield well(name, "answers")
    if service != SUMMARY:
        yield from (replace(one, part=f"{name}/{one.part}") for one in parts if (service, one.part) != WHAT_FIRES)
    yield from memory_part(name, metrics.content.decode(errors="replace"), memory_ratio)


def _get(call: Call, url: str, name: str) -> Answer:
    try:
        return call("GET", url, {}, None)
    except requests.RequestException as error:
        raise UnavailableError(f"{name} does not answer: {type(error).__name__}") from error


def memory_part(name: str, metrics: str, memory_ratio: float) -> Iterator[Part]:
    """Yield how much of its limit a container uses; nothing where the kernel does not say."""
    used, limit = (_value(metrics, metric) for metric in MEMORY)
    if used is None or not limit:
        return
    make = degraded if used > memory_ratio * limit else well
    detail = f"uses {used / limit:.0%} of {limit / 2**20:.0f} MiB"
    yield make(f"{name}/memory", detail, used_bytes=int(used), limit_bytes=int(limit))


def _value(metrics: str, metric: str) -> float | None:
    lines = [line for line in metrics.splitlines() if line.startswith(metric)]
    try:
        families = list(text_string_to_metric_families("\n".join(lines) + "\n"))
    except (ValueError, KeyError, IndexError):
        return None
    values = [sample.value for family in families for sample in family.samples if sample.name == metric]
    return values[0] if values else None
