"""Deliveries on their way: which is next, how it went, and who stands in. Each call is one transaction.

``queued`` waits until it is due, ``sending`` is under way, ``delivered``, ``failed`` and ``withdrawn`` are ends. One
that was under way when the process was killed is sent again: at least once, and counted.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.alerter.messages import Kind, Message, Tier
from services.alerter.store.file import Row, StateFile, Values
from services.alerter.store.records import decoded

GIVE_UP_S: Final = 86_400.0
"""After a day of failing, a delivery is history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message for one channel."""

    delivery_id: int
    notification_id: int
    channel: str
    kind: Kind
    tier: Tier
    created_s: float
    attempts: int
    failing_s: float | None
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one attempt went: when it began, its outcome, a closed reason, the HTTP status, seconds, and words."""

    at_s: float
    outcome: str
    reason: str = ""
    status: int | None = None
    latency_s: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits for one channel; ``due_s`` is when the most overdue was due."""

    channel: str
    deliveries: int
    due_s: float
    failing_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery that a person may acknowledge where it arrived; ``is_open`` while anything in it needs that."""

    delivery_id: int
    notification_id: int
    channel: str
    receipt: str
    is_open: bool


class StandIn(NamedTuple):
    """A channel that took over what another did not deliver, and the groups that it tells of."""

    channel: str
    groups: tuple[str, ...]


class Outbox:
    """The deliveries of the state file."""

    def __init__(self, file: StateFile, wall_s: Callable[[], float]) -> None:
        self._file = file
        self._wall_s = wall_s

    def recover(self, channels: Collection[str], soon_s: float) -> Counter[str]:
        """Go on after a start, with these channels; return how many deliveries a channel were under way at the end.

        Channels that were left alone are tried by ``soon_s`` at the latest.
        """
        now_s = self._wall_s()
        interrupted = self._file.change("interrupted")
        self._file.write(
            [
                ("not_late", {"now_s": now_s}),
                ("gone_channels", {"now_s": now_s, "channels": json.dumps(sorted(channels))}),
                ("try_soon", {"soon_s": soon_s}),
                ("hurry_soon", {"soon_s": soon_s}),
            ]
        )
        return Counter(row["channel"] for row in interrupted)

    def next(self, channel: str) -> Delivery | None:
        """Return what is to be sent on a channel now."""
        rows = self._file.rows("next_delivery", channel=channel, now_s=self._wall_s())
        return _delivery(rows[0]) if rows else None

    def next_due_s(self, channel: str) -> float | None:
        """Return when something that waits comes due; None when nothing waits."""
        due_s: float | None = self._file.rows("next_due", channel=channel, now_s=self._wall_s())[0]["due_s"]
        return due_s

    def start(self, delivery: Delivery) -> bool:
        """Note that an attempt is under way; return False where the delivery was withdrawn meanwhile."""
        return bool(self._file.change("start_delivery", delivery_id=delivery.delivery_id))

    def delivered(self, delivery: Delivery, attempt: Attempt, receipt: str) -> None:
        """Note that a message arrived, and that its channel works."""
        self._file.write([*self._end(delivery, "delivered", attempt, receipt), *self._enable(delivery.channel)])

    def failed(self, delivery: Delivery, attempt: Attempt) -> None:
        """Note that a message will not arrive on this channel."""
        self._file.write(self._end(delivery, "failed", attempt, ""))

    def put_off(self, delivery: Delivery, attempt: Attempt, due_s: float) -> None:
        """Note that a message has to be sent later, unless it was withdrawn; after a day of that it failed."""
        if self._wall_s() - delivery.created_s > GIVE_UP_S:
            self.failed(delivery, attempt)
            return
        later = {"delivery_id": delivery.delivery_id, "due_s": due_s, "now_s": self._wall_s()}
        self._file.write([("put_off_delivery", later), _tried(delivery, attempt)])

    def disable(self, channel: str, reason: str, again_s: float) -> None:
        """Leave a channel alone until ``again_s``; what waits for it may go to another."""
        values = {"channel": channel, "reason": reason, "again_s": again_s, "now_s": self._wall_s()}
        self._file.write([("disable", values), ("put_off_channel", {"channel": channel, "due_s": again_s})])

    def enable(self, channel: str) -> None:
        """Use a channel again."""
        self._file.write(self._enable(channel))

    def disabled(self) -> dict[str, Row]:
        """Return the channels that failed for good, by name."""
        return {row["channel"]: row for row in self._file.rows("disabled")}

    def stand_in(self, failing_for_s: float, order: Sequence[str], takes: Callable[[str, Kind], bool]) -> list[StandIn]:
        """Give what failed, or has been failing for so long, to the next channel; return who stands in for what.

        ``order`` has the channels that can be used. Where all of them were tried, one that gave up is tried again.
        """
        given: list[StandIn] = []
        now_s = self._wall_s()
        for row in self._file.rows("failing", since_s=now_s - failing_for_s, after_s=now_s - GIVE_UP_S):
            tried = {
                one["channel"]: one["ended_s"] is not None
                for one in self._file.rows("channels_of", notification_id=row["notification_id"])
            }
            usable = [name for name in order if name != row["channel"] and takes(name, Kind(row["kind"]))]
            fresh, ended = (
                next((name for name in usable if name not in tried), None),
                next((name for name in usable if tried.get(name)), None),
            )
            if (stand_in := fresh or ended) is not None:
                self._file.write(self._stand_in(row, stand_in, is_again=fresh is None))
                given.append(StandIn(channel=stand_in, groups=tuple(json.loads(row["groups"]))))
        return given

    def set_back(self, by_s: float) -> None:
        """Let nothing wait longer because the clock was set back."""
        self._file.write([("set_back_deliveries", {"by_s": by_s}), ("set_back_channels", {"by_s": by_s})])

    def queues(self) -> Mapping[str, Queue]:
        """Return what waits, by channel."""
        return {row["channel"]: Queue(**row) for row in self._file.rows("outbox")}

    def receipts(self) -> list[Receipt]:
        """Return the deliveries that may still be acknowledged where they arrived."""
        return [Receipt(**{**row, "is_open": bool(row["is_open"])}) for row in self._file.rows("receipts")]

    def close_receipt(self, receipt: Receipt) -> None:
        """Ask no more about a delivery."""
        self._file.write([("close_receipt", {"delivery_id": receipt.delivery_id})])

    def stuck_s(self, channels: Collection[str]) -> float:
        """Return for how long the most overdue delivery has waited that one of these channels could take; 0 if none."""
        return self._since("stuck", channels=json.dumps(sorted(channels)))

    def unheard_s(self) -> float:
        """Return for how long something urgent has reached nobody, whatever was tried; 0 when nothing has not."""
        return self._since("unheard", after_s=self._wall_s() - GIVE_UP_S)

    def _since(self, name: str, **values: object) -> float:
        since_s: float | None = self._file.rows(name, **values)[0]["since_s"]
        return 0.0 if since_s is None else max(0.0, self._wall_s() - since_s)

    def _enable(self, channel: str) -> list[tuple[str, Values]]:
        return [("enable", {"channel": channel}), ("hurry_channel", {"channel": channel, "now_s": self._wall_s()})]

    def _stand_in(self, row: Row, channel: str, *, is_again: bool) -> Iterator[tuple[str, Values]]:
        now_s = self._wall_s()
        yield "stood_in", {"delivery_id": row["delivery_id"], "now_s": now_s}
        if is_again:
            yield "reopen", {"notification_id": row["notification_id"], "channel": channel, "now_s": now_s}
        else:
            shared = {"notification_id": row["notification_id"], "urgency": row["urgency"]}
            yield "put_delivery", {**shared, "channel": channel, "due_s": now_s}

    def _end(self, delivery: Delivery, state: str, attempt: Attempt, receipt: str) -> list[tuple[str, Values]]:
        values = {"delivery_id": delivery.delivery_id, "state": state, "now_s": self._wall_s(), "receipt": receipt}
        return [("end_delivery", values), _tried(delivery, attempt)]


def _tried(delivery: Delivery, attempt: Attempt) -> tuple[str, Values]:
    named = {name: getattr(attempt, name) for name in attempt.__slots__}
    return "put_attempt", {"delivery_id": delivery.delivery_id, **named}


def _delivery(row: Row) -> Delivery:
    return Delivery(
        delivery_id=row["delivery_id"],
        notification_id=row["notification_id"],
        channel=row["channel"],
        kind=Kind(row["kind"]),
        tier=Tier(row["tier"]),
        created_s=row["created_s"],
        attempts=row["attempts"],
        failing_s=row["failing_s"],
        message=decoded(row["message"]),
    )
