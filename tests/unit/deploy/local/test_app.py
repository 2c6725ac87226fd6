"""The local desk's settings."""

import pytest

from deploy.local.app import preferred_ports
from nightdesk.errors import ConfigurationError


def test_a_port_of_the_environment_comes_before_the_usual_one() -> None:
    ports = preferred_ports({"API_PORT": "8001", "SIMULATOR_PORT": ""})

    assert (ports["api"], ports["simulator"], ports["redis"]) == (8001, 8090, 6379)


@pytest.mark.parametrize("value", ["http", "0", "65536", "-1"])
def test_what_is_not_a_port_is_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="API_PORT"):
        preferred_ports({"API_PORT": value})
