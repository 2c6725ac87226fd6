"""The archive in a store that speaks S3."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nightdesk.errors import UnavailableError
from services.jobs import archive_ticks, restore_day
from services.jobs.runner.job import Desk, FindingError
from tests.conftest import Database
from tests.integration.jobs.bucket import KEY, Bucket, bucket
from tests.integration.jobs.ticks import OLD, everything, fill, partitions

pytestmark = [pytest.mark.integration, pytest.mark.slow]

Desks = Callable[..., Desk]


@pytest.fixture
def store() -> Iterator[Bucket]:
    with bucket("ticks") as one:
        yield one


def settings(store: Bucket, **changes: Any) -> dict[str, Any]:
    return {
        "archive_url": "s3://ticks/desk/archive", "archive_s3_endpoint": store.url, "archive_s3_access_key": KEY,
        "archive_s3_secret_key": "secret", **changes,
    }  # fmt: skip


def archive(desk: Desk) -> Any:
    return archive_ticks.run(desk, archive_ticks.Arguments(keep_restored_days=0))


def restore(desk: Desk) -> Any:
    return restore_day.run(desk, restore_day.Arguments(day=OLD))


def files(store: Bucket) -> list[str]:
    return sorted(key for key, content in store.objects.items() if content)


def test_days_go_to_a_bucket_and_come_back_as_they_were(database: Database, desk: Desks, store: Bucket) -> None:
    fill(database, rows=500)
    before = everything(database)

    archived = archive(desk(**settings(store)))
    gone = partitions(database)
    restore(desk(**settings(store)))

    assert gone == set()
    assert [key.rpartition("/")[0] for key in files(store)] == [
        f"desk/archive/{table}" for table in ("agg_trades", "depths", "quotes", "trades")
    ]
    assert archived["bytes"] == sum(map(len, store.objects.values()))
    assert everything(database) == before


def test_a_file_that_is_written_anew_takes_the_place_of_the_old_one(
    database: Database, desk: Desks, store: Bucket
) -> None:
    fill(database, rows=500, tables=("trades",))
    archive(desk(**settings(store)))
    (first,) = files(store)
    with database.connect() as connection:
        connection.execute("SELECT ensure_day('trades', %s)", (OLD,))
        connection.execute("INSERT INTO trades VALUES (1, 1, %s, 1000000, 5, 5, NULL, now())", (OLD,))

    archive(desk(**settings(store)))

    (second,) = files(store)
    assert first != second
    assert restore(desk(**settings(store)))["rows"] == {"trades": 501}


def test_a_damaged_object_is_not_restored(database: Database, desk: Desks, store: Bucket) -> None:
    fill(database, rows=500, tables=("trades",))
    archive(desk(**settings(store)))
    (key,) = files(store)
    store.objects[key] = store.objects[key][:-1] + b"?"

    with pytest.raises(FindingError, match="digest"):
        restore(desk(**settings(store)))


@pytest.mark.parametrize("wrong", [{"archive_s3_access_key": "other"}, {"archive_url": "s3://nowhere/desk"}])
def test_a_store_that_refuses_costs_no_row_and_names_no_secret(
    database: Database, desk: Desks, store: Bucket, wrong: dict[str, Any]
) -> None:
    fill(database, rows=500, tables=("trades",))

    with pytest.raises((UnavailableError, FindingError)) as raised:
        archive(desk(**settings(store, **wrong)))

    assert partitions(database) == {"trades"}
    assert "secret" not in str(raised.value)
