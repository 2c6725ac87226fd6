"""A stage whose turns are kept in a file, and an office that plays the couriers over its outbox."""

from collections.abc import Callable, Sequence

from services.alerter.messages import Kind
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Attempt, Delivery, Outbox
from services.alerter.store.records import Records
from services.alerter.turn import State, Turn
from tests.unit.services.alerter.stage import MONDAY_NOON, Stage, T

FAILOVER_S = 60.0


def takes(channel: str, kind: Kind) -> bool:
    """Of acknowledgements only the pager makes anything."""
    return kind is not Kind.ACKNOWLEDGED or channel == "pager"


class Kept(Stage):
    """A stage whose turns are committed to a file."""

    def __init__(self, file: StateFile, more: str = "", *, at: float = MONDAY_NOON) -> None:
        super().__init__(more, at=at)
        self.file = file
        self.records = Records(file, takes)

    def change(self, act: Callable[[Turn], T]) -> T:
        turns: list[Turn] = []

        def watched(turn: Turn) -> T:
            turns.append(turn)
            return act(turn)

        done = super().change(watched)
        self.records.commit(turns[0])
        return done

    def loaded(self) -> State:
        return self.records.load(self.policy, self.now_s)


class Office(Kept):
    """Delivers what is next, or fails to, channel by channel."""

    def __init__(self, file: StateFile, more: str = "") -> None:
        super().__init__(file, more)
        self.outbox = Outbox(file, lambda: self.now_s)

    def next(self, channel: str) -> str | None:
        """Return what is next on a channel: its kind and what it is about."""
        delivery = self.outbox.next(channel)
        return None if delivery is None else f"{delivery.kind} {delivery.message.title.rpartition(': ')[2]}"

    def start(self, channel: str) -> Delivery:
        """Begin with the next delivery."""
        delivery = self.outbox.next(channel)
        assert delivery is not None, f"nothing is due on {channel}"
        assert self.outbox.start(delivery)
        return delivery

    def deliver(self, channel: str, *, receipt: str = "") -> None:
        """Deliver what is next."""
        self.outbox.delivered(self.start(channel), self._attempt("delivered"), receipt)

    def fail(self, channel: str, *, again_s: float = 5.0) -> None:
        """Fail with what is next, for now."""
        self.outbox.put_off(self.start(channel), self._attempt("transient"), self.now_s + again_s)

    def refuse(self, channel: str, *, rest_s: float = 60.0) -> None:
        """Fail with what is next for good, and leave the channel alone for a while."""
        self.outbox.put_off(self.start(channel), self._attempt("permanent"), self.now_s)
        self.outbox.disable(channel, "refused", self.now_s + rest_s)

    def stand_in(self, order: Sequence[str] = ("slack", "pager", "phone")) -> list[str]:
        """Let channels stand in for others; return which do."""
        return [one.channel for one in self.outbox.stand_in(FAILOVER_S, order, takes)]

    def states(self) -> dict[str, str]:
        """Return how every delivery is, by its kind and channel."""
        tables = "deliveries JOIN notifications USING (notification_id)"
        rows = self.file._connection.execute(f"SELECT kind, channel, state FROM {tables} ORDER BY delivery_id")
        return {f"{row['kind']} {row['channel']}": row["state"] for row in rows}

    def _attempt(self, outcome: str) -> Attempt:
        return Attempt(at_s=self.now_s, outcome=outcome)
