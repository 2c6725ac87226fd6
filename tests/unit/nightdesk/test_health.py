"""What a service says over HTTP, also to clients that misbehave."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter

from nightdesk.health import MAX_CONNECTIONS, HealthServer, Part, Status, worst


class Service:
    """A service whose state a test decides."""

    def __init__(self) -> None:
        self.parts: list[Part] = [
            Part(part="feed", status=Status.OK, detail="connected", age_s=0.12345, threshold_s=30)
        ]
        self.alive = self.ready = True
        registry = CollectorRegistry()
        Counter("nightdesk_things", "Things.", registry=registry).inc(3)
        self.server = HealthServer(
            service="desk",
            port=0,
            registry=registry,
            parts=lambda: self.parts,
            alive=lambda: self.alive,
            ready=lambda: self.ready,
        )
        self.server.start()

    def get(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.server.port}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    yield one
    one.server.stop()


def a_part(status: Status) -> Part:
    return Part(part="p", status=status, detail="")


def test_a_service_is_as_its_worst_part_is() -> None:
    assert worst([]) is Status.OK
    assert worst([a_part(Status.OK), a_part(Status.DEGRADED)]) is Status.DEGRADED
    assert worst([a_part(Status.DOWN), a_part(Status.DEGRADED)]) is Status.DOWN


def test_health_names_every_part_with_its_age(service: Service) -> None:
    status, body = service.get("/health")

    assert status == 200
    assert json.loads(body) == {
        "service": "desk",
        "status": "ok",
        "parts": [
            {"part": "feed", "status": "ok", "detail": "connected", "age_s": 0.123, "threshold_s": 30, "facts": {}}
        ],
    }


def test_a_degraded_service_answers_200_and_one_that_is_down_503(service: Service) -> None:
    service.parts = [a_part(Status.DEGRADED)]
    assert service.get("/health")[0] == 200
    service.parts = [a_part(Status.DOWN)]
    assert service.get("/health")[0] == 503


def test_probes_follow_the_service(service: Service) -> None:
    assert service.get("/livez") == (200, "ok\n")
    service.alive = service.ready = False
    assert service.get("/livez") == (503, "no\n")
    assert service.get("/readyz") == (503, "no\n")


def test_metrics_are_prometheus_text(service: Service) -> None:
    assert "nightdesk_things_total 3.0" in service.get("/metrics")[1]


def test_any_other_path_and_method_is_refused(service: Service) -> None:
    assert service.get("/etc/passwd")[0] == 404
    assert service.get("/health", method="POST")[0] == 405


def test_head_has_the_length_and_no_body(service: Service) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{service.server.port}/livez", method="HEAD")
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert (answer.headers["Content-Length"], answer.read()) == ("3", b"")


def test_a_part_that_cannot_be_told_is_an_answer_and_no_crash(service: Service) -> None:
    service.parts = [Part(part="p", status=Status.OK, detail="", facts={"ratio": float("nan")})]

    assert service.get("/health")[0] == 500
    assert service.get("/livez")[0] == 200


def test_a_port_that_is_taken_is_said_at_once(service: Service) -> None:
    with pytest.raises(OSError, match="in use"):
        HealthServer(
            service="desk",
            port=service.server.port,
            registry=CollectorRegistry(),
            parts=list,
            alive=lambda: True,
            ready=lambda: True,
        )


def test_one_that_was_never_started_can_be_stopped() -> None:
    server = HealthServer(
        service="desk", port=0, registry=CollectorRegistry(), parts=list, alive=lambda: True, ready=lambda: True
    )
    server.stop()


def test_clients_that_only_connect_do_not_keep_others_out_for_ever(service: Service) -> None:
    idle = [socket.create_connection(("127.0.0.1", service.server.port)) for _ in range(MAX_CONNECTIONS + 4)]
    for one in idle:
        one.close()

    assert service.get("/livez")[0] == 200


def test_a_request_without_an_end_is_no_event(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.server.port)) as client:
        client.sendall(b"GET /" + b"x" * 100_000)
        assert service.get("/livez")[0] == 200
