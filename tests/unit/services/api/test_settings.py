import pytest

from nightdesk.errors import ConfigurationError
from nightdesk.settings import load
from services.api.settings import ApiSettings


def test_no_configuration_is_needed() -> None:
    assert load(ApiSettings, {}).api_port == 8000


def test_whatever_is_wrong_is_named_at_once() -> None:
    environ = {"API_PORT": "http", "HEALTH_TARGETS": "worker", "DATABASE_URL": "sqlite:///", "GRAFANA_LINK": "grafana"}

    with pytest.raises(ConfigurationError) as caught:
        load(ApiSettings, environ)

    assert [name for name in environ if name in str(caught.value)] == list(environ)
