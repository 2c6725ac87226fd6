"""Log in to PostgreSQL and Redis as the jobs do, and see whether they take what they are given."""

import time
from collections.abc import Callable
from typing import Any, Final

from nightdesk import streams
from nightdesk.errors import NightdeskError
from nightdesk.health import Part
from nightdesk.store.database import Connection, translated
from services.jobs.backfill.statements import statement
from services.jobs.checks.parts import degraded, down, well
from services.jobs.settings import JobsSettings

DATABASE: Final = "database"
REDIS: Final = "redis"


def check_database(connect: Callable[[str], Connection], monotonic_s: Callable[[], float] = time.monotonic) -> Part:
    """Log in anew, write one row, read it back, and take it back."""
    began_s = monotonic_s()
    try:
        with connect("check") as connection, translated(), connection.transaction(force_rollback=True):
            written = connection.execute(statement("check_write")).fetchone()
    except NightdeskError as error:
        return down(DATABASE, str(error))
    if written is None:
        return down(DATABASE, "a row that was written was not there to be read")
    took_s = monotonic_s() - began_s
    return well(DATABASE, "the writer logs in and writes", took_s=round(took_s, 3))


def check_redis(settings: JobsSettings, *, memory_ratio: float) -> Part:
    """Ping, and compare what it holds with what it may."""
    password = settings.redis_password
    client = streams.connect(settings.redis_url, password.get_secret_value() if password else None)
    try:
        with streams.translated():
            client.ping()
            memory: dict[str, Any] = client.info("memory")
    except NightdeskError as error:
        return down(REDIS, str(error))
    finally:
        client.close()
    return redis_part(int(memory["used_memory"]), int(memory["maxmemory"]), memory_ratio)


def redis_part(used_bytes: int, limit_bytes: int, memory_ratio: float) -> Part:
    """Return how Redis is that holds so much; a limit of 0 is none."""
    is_full = limit_bytes > 0 and used_bytes > memory_ratio * limit_bytes
    share = f", {used_bytes / limit_bytes:.0%} full" if limit_bytes else ", no limit"
    make = degraded if is_full else well
    return make(REDIS, f"answers{share}", used_bytes=used_bytes, limit_bytes=limit_bytes)
