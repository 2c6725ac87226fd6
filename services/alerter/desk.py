"""The one place where what the alerter knows is changed: a turn is decided, committed, and only then true."""

from collections.abc import Callable, Collection, Sequence
from math import inf
from typing import TypeVar

import structlog

from services.alerter.alerts import Alert
from services.alerter.deciding import acknowledge, decide
from services.alerter.news import Wording
from services.alerter.policy import Policy
from services.alerter.store.records import Records
from services.alerter.turn import Notification, State, Turn

log = structlog.get_logger()

T = TypeVar("T")


class Desk:
    """Changes the state, one turn at a time; for one thread."""

    def __init__(
        self,
        *,
        policy: Policy,
        records: Records,
        wording: Wording,
        usable: Callable[[], frozenset[str]],
        wall_s: Callable[[], float],
        on_turn: Callable[[Turn], None],
    ) -> None:
        """Load what was committed last; ``on_turn`` hears of every turn once it is."""
        self.policy = policy
        self.wording = wording
        self._records = records
        self._usable = usable
        self._wall_s = wall_s
        self._on_turn = on_turn
        self.state: State = records.load(policy, wall_s())
        self.is_ready = False
        """Whether it is known what fires: until then nobody is told anything."""

    def change(self, act: Callable[[Turn], T]) -> T:
        """Do something to the state, decide what follows from it, commit both, and return what it gave."""
        turn = Turn(self.state, self._wall_s())
        done = act(turn)
        if self.is_ready:
            decide(turn, self.policy, self.wording, self._usable())
        self._records.commit(turn)
        self.state = turn.state()
        _log(turn.notifications)
        self._on_turn(turn)
        return done

    def acknowledge(self, alert_ids: Collection[int], *, by: str, note: str = "", until_s: float = inf) -> list[Alert]:
        """Acknowledge alerts and what was told of their groups; return those that were not acknowledged before."""
        wanted = frozenset(alert_ids)
        return self.change(
            lambda turn: acknowledge(turn, self.policy, self.wording, wanted, by=by, note=note, until_s=until_s)
        )

    def overdue_s(self) -> float:
        """Return for how long the most overdue call has been waiting to be made; 0 when none is."""
        now_s = self._wall_s()
        return max((now_s - one.due_s for one in self.state.groups.values() if one.due_s is not None), default=0.0)


def _log(notifications: Sequence[Notification]) -> None:
    for one in notifications:
        log.info(
            "notification.created",
            notification=one.notification_id,
            kind=one.kind.value,
            tier=one.tier.value,
            title=one.message.title,
            text=one.message.text,
            items=one.message.items,
            channels=one.channels,
        )
