"""Read what a report is made of, over one connection."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from psycopg.rows import dict_row

from nightdesk.reports.statements import statement
from nightdesk.store.database import Connection, translated

SNAPSHOT: Final = b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"


def rows_of(
    connection: Connection, names: Iterable[str], parameters: Mapping[str, object]
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each statement of ``nightdesk.reports``, by its name, all as of one moment."""
    found = {}
    with translated(), connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(SNAPSHOT)
        for name in names:
            found[name] = cursor.execute(statement(name).encode(), parameters).fetchall()
    return found
