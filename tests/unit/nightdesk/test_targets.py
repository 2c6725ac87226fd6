import pytest

from nightdesk.errors import ConfigurationError
from nightdesk.targets import Target, parse_targets


def test_targets_are_read_in_order() -> None:
    assert parse_targets("collector=http://collector:9100, worker=http://worker:9100,") == (
        Target(service="collector", host="collector", port=9100),
        Target(service="worker", host="worker", port=9100),
    )


def test_a_target_without_a_port_means_80() -> None:
    assert parse_targets("a=http://a")[0].port == 80


def test_every_wrong_target_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_targets("collector,worker=ftp://worker:1,ok=http://ok:1,x=http://x:port,=http://y:1,z=http://z/health")

    assert [line.split("'")[1] for line in str(caught.value).split("; ")] == [
        "collector", "worker=ftp://worker:1", "x=http://x:port", "=http://y:1", "z=http://z/health",
    ]  # fmt: skip
