"""Services, asked how they are."""

import json
from collections.abc import Callable, Mapping

import requests

from nightdesk.health import Part, Status, report
from nightdesk.outbound import Answer, Received
from nightdesk.targets import parse_targets
from services.jobs.checks.parts import degraded, down, told, unwell, well
from services.jobs.checks.services import ask_services

METRICS = b"""# HELP nightdesk_memory_used_bytes Memory.
# TYPE nightdesk_memory_used_bytes gauge
nightdesk_memory_used_bytes 9.5e+07
nightdesk_memory_limit_bytes 1e+08
"""


class Network:
    """Answers by address; what it has no answer for does not answer."""

    def __init__(self, answers: Mapping[str, bytes]) -> None:
        self._answers = answers

    def __call__(self, _method: str, url: str, _headers: Mapping[str, str], _body: bytes | None) -> Answer:
        if url not in self._answers:
            raise requests.ConnectionError(url)
        return Received(status_code=200, headers={}, content=self._answers[url])


def at(*found: str) -> Callable[[str, int], list[str]]:
    return lambda _host, _port: list(found)


def said(*parts: Part, service: str = "worker") -> bytes:
    return json.dumps(report(service, parts)).encode()


def states(parts: list[Part]) -> dict[str, Status]:
    return {part.part: part.status for part in parts}


def ask(targets: str, answers: Mapping[str, bytes], *addresses: str, memory_ratio: float = 0.96) -> list[Part]:
    return ask_services(parse_targets(targets), Network(answers), at(*addresses), memory_ratio=memory_ratio)


def test_each_replica_is_asked_and_named() -> None:
    answers = {"http://1.1.1.1:9100/health": said(well("store", "fine")), "http://1.1.1.1:9100/metrics": b""}

    parts = ask("worker=http://worker:9100", answers, "1.1.1.1", "2.2.2.2")

    assert states(parts) == {
        "worker at 1.1.1.1": Status.OK,
        "worker at 1.1.1.1/store": Status.OK,
        "worker at 2.2.2.2": Status.DOWN,
    }


def test_a_service_that_has_no_address_is_down() -> None:
    def nowhere(_host: str, _port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    (part,) = ask_services(parse_targets("jobs=http://jobs:9100"), Network({}), nowhere, memory_ratio=1)

    assert (part.part, part.status) == ("jobs", Status.DOWN)
    assert "Name or service not known" in part.detail


def test_what_is_no_report_is_down() -> None:
    answers = {"http://[::1]:80/health": b"<html>", "http://[::1]:80/metrics": b""}

    assert states(ask("jobs=http://jobs:80", answers, "::1")) == {"jobs": Status.DOWN}


def test_memory_beyond_its_share_is_not_well() -> None:
    answers = {"http://1.1.1.1:80/health": said(), "http://1.1.1.1:80/metrics": METRICS}

    assert states(ask("w=http://w:80", answers, "1.1.1.1"))["w/memory"] is Status.OK
    assert states(ask("w=http://w:80", answers, "1.1.1.1", memory_ratio=0.9))["w/memory"] is Status.DEGRADED


def test_alerts_that_fire_are_no_trouble_of_the_alerter_and_the_apis_summary_is_nobodys_own() -> None:
    answers = {
        "http://1.1.1.1:80/health": said(degraded("alerts", "1 critical"), down("channels", "x"), service="alerter"),
        "http://1.1.1.1:80/metrics": b"",
    }

    assert states(ask("alerter=http://a:80", answers, "1.1.1.1")) == {
        "alerter": Status.OK,
        "alerter/channels": Status.DOWN,
    }
    assert states(ask("api=http://a:80", answers, "1.1.1.1")) == {"api": Status.OK}


def test_the_worst_is_named_first() -> None:
    found = unwell([well("a", "fine"), degraded("b", "slow"), down("c", "away")])

    assert told(found) == "c: away; b: slow"
