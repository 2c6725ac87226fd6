"""A desk over a file of its own, for what changes it from outside: the watcher, the receipts, a turn of the clock."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from services.alerter.desk import Desk
from services.alerter.policy import Policy
from services.alerter.store.file import StateFile
from services.alerter.store.records import Records
from services.alerter.turn import Notification, Turn
from services.alerter.wording import Words
from tests.unit.services.alerter.stage import BASE, policy_of


class Told:
    """What a desk told, in its order."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []

    def take(self, turn: Turn) -> None:
        self.notifications += turn.notifications

    def story(self) -> list[str]:
        """Return why, to whom and what was told since the last time it was asked."""
        lines = [f"{one.kind} {','.join(one.channels) or '-'}: {one.message.title}" for one in self.notifications]
        self.notifications = []
        return lines


@contextmanager
def state_file(wall_s: Callable[[], float]) -> Iterator[StateFile]:
    """Open a state file that nobody else has."""
    with TemporaryDirectory() as directory:
        file = StateFile(Path(directory) / "alerter.sqlite", wall_s=wall_s)
        yield file
        file.close()


def desk_over(
    file: StateFile,
    wall_s: Callable[[], float],
    told: Told,
    *,
    policy: Policy | None = None,
    usable: Collection[str] = ("slack", "pager", "phone"),
) -> Desk:
    """Return a desk that knows what the file holds."""
    policy = policy or policy_of(BASE)
    return Desk(
        policy=policy,
        records=Records(file, lambda _channel, _kind: True),
        wording=Words(
            zone=policy.timezone,
            public_url=None,
            sign=lambda number, _now_s: f"{number}",
            per_day=policy.budget.per_day,
            digest_at="18:00",
        ),
        usable=lambda: frozenset(usable),
        wall_s=wall_s,
        on_turn=told.take,
    )
