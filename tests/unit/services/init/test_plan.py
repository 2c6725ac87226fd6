"""What init decides to write."""

from itertools import count

import pytest

from nightdesk.errors import ConfigurationError
from services.init.plan import REDIS_CONFIGURATION, SECRETS, SERVICES, Place, places, plan


class Values:
    """Hands out value-1, value-2, ...; a stand-in for randomness."""

    def __init__(self) -> None:
        self._next = count(1)

    def __call__(self) -> str:
        return f"value-{next(self._next)}"


def first_start() -> dict[Place, str]:
    return plan({}, data=set(), new_value=Values())


def test_the_first_start_writes_every_file() -> None:
    assert set(first_start()) == set(places())


def test_no_two_secrets_share_a_value() -> None:
    written = first_start()
    by_name = {secret.name: written[Place(secret.readers[0], secret.name)] for secret in SECRETS}

    assert len(set(by_name.values())) == len(SECRETS)


def test_every_reader_of_a_secret_gets_the_same_value() -> None:
    written = first_start()

    for secret in SECRETS:
        assert len({written[Place(reader, secret.name)] for reader in secret.readers}) == 1


def test_a_service_is_given_nothing_but_its_own_secrets() -> None:
    given = {service: {place.name for place in places() if place.service == service} for service in SERVICES}

    assert given == {
        "postgres": {"superuser-password"},
        "migrate": {
            "superuser-password", "owner-password", "writer-password", "reader-password", "backup-password",
            "clerk-password",
        },
        "redis": {"redis-password", "redis.conf"},
        "collector": {"redis-password"},
        "worker": {"writer-password", "redis-password"},
        "api": {
            "reader-password", "redis-password", "session-secret", "login-token", "alerter-token", "runs-token",
            "clerk-password",
        },
        "alerter": {"alerter-token", "notifications-token", "ack-secret"},
        "scheduler": {"writer-password", "redis-password", "runs-token"},
        "jobs": {"writer-password", "redis-password", "notifications-token", "backup-password"},
        "grafana": {"admin-password", "reader-password"},
    }  # fmt: skip


def test_redis_takes_the_password_its_clients_are_given() -> None:
    written = first_start()

    assert written[REDIS_CONFIGURATION] == f"requirepass {written[Place('worker', 'redis-password')]}\n"


def test_a_second_start_writes_nothing() -> None:
    assert plan(first_start(), data={"postgres", "grafana"}, new_value=Values()) == {}


def test_a_lost_copy_is_made_from_another() -> None:
    found = first_start()
    lost = Place("worker", "writer-password")
    value = found.pop(lost)

    assert plan(found, data={"postgres"}, new_value=Values()) == {lost: value}


def test_an_empty_file_counts_as_lost() -> None:
    found = first_start()
    lost = Place("worker", "writer-password")
    value = found[lost]

    assert plan(found | {lost: ""}, data=set(), new_value=Values()) == {lost: value}


@pytest.mark.parametrize(
    ("data", "secret", "way_back"),
    [
        ("postgres", "superuser-password", "ALTER ROLE postgres PASSWORD"),
        ("grafana", "admin-password", "reset-admin-password"),
    ],
)
def test_data_without_its_secret_stops_with_the_way_back(data: str, secret: str, way_back: str) -> None:
    found = {place: value for place, value in first_start().items() if place.name != secret}

    with pytest.raises(ConfigurationError, match=way_back) as stopped:
        plan(found, data={data}, new_value=Values())
    assert secret in str(stopped.value)
    assert "RENEW_SECRETS=yes" in str(stopped.value)


def test_renewing_makes_the_lost_secret_anew() -> None:
    found = {place: value for place, value in first_start().items() if place.name != "superuser-password"}

    written = plan(found, data={"postgres"}, new_value=lambda: "fresh", renew=True)

    assert written == {Place(reader, "superuser-password"): "fresh" for reader in ("postgres", "migrate")}


def test_renewing_keeps_what_is_not_lost() -> None:
    assert plan(first_start(), data={"postgres"}, new_value=Values(), renew=True) == {}


def test_copies_that_differ_stop_with_their_holders() -> None:
    found = first_start() | {Place("api", "reader-password"): "another"}

    with pytest.raises(ConfigurationError, match=r"reader-password.*differ between migrate, api, grafana"):
        plan(found, data=set(), new_value=Values())


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError) as stopped:
        plan({}, data={"postgres", "grafana"}, new_value=Values())
    assert "superuser-password" in str(stopped.value)
    assert "admin-password" in str(stopped.value)
