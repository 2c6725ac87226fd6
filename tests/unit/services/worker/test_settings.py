"""The worker's settings."""

import pytest

from nightdesk.errors import ConfigurationError
from nightdesk.settings import load
from services.worker.settings import WorkerSettings


def test_nothing_has_to_be_set() -> None:
    settings = load(WorkerSettings, {})

    assert (settings.lease_seconds, settings.retention_days) == (5, 30)


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(WorkerSettings, {"LEASE_SECONDS": "0", "RETENTION_DAYS": "some"})

    assert "LEASE_SECONDS" in str(caught.value)
    assert "RETENTION_DAYS" in str(caught.value)
