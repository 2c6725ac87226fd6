"""Record orders: the api's second way to the database, as the one role of its own that may write.

Imports are rare and long: each has a connection of its own, in a thread.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from psycopg import conninfo

from nightdesk.errors import UnavailableError
from nightdesk.orders.batches import Placed
from nightdesk.orders.kinds import Kind
from nightdesk.orders.loading import load
from nightdesk.orders.models import Counts
from nightdesk.store.database import HinderedError, connect
from nightdesk.store.migrate import CLERK

Record: TypeAlias = Callable[[Kind, Iterable[Placed], bool], Counts]
"""Records a batch whole, with what its orders name if that is asked for; see ``nightdesk.orders.loading``."""

NAME: Final = "nightdesk-api-clerk"


class Clerk:
    """Record batches as the clerk; without its password nobody does."""

    def __init__(self, *, url: str, password: str | None) -> None:
        self._url = conninfo.make_conninfo(url, user=CLERK)
        self._password = password

    def record(self, kind: Kind, batch: Iterable[Placed], create: bool) -> Counts:  # noqa: FBT001  a port
        """Record a batch; raises BatchError when it is wrong, UnavailableError when nothing can be recorded now."""
        if self._password is None:
            raise UnavailableError("CLERK_PASSWORD is not set: nobody may record orders")
        try:
            with connect(self._url, self._password, name=NAME) as connection:
                return load(connection, kind, batch, create=create)
        except HinderedError as error:
            raise UnavailableError(f"the database could not record it now: {error}") from error
