"""Whatever channels do, in any order: each page reaches somebody, in order, and nobody after it was acknowledged."""

from collections.abc import Callable
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.alerter.deciding import join
from services.alerter.messages import Kind, Tier
from services.alerter.news import CALLS
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Delivery
from tests.unit.services.alerter.store.kept import FAILOVER_S, Office, takes

pytestmark = pytest.mark.slow

CHANNELS = ("slack", "pager", "phone")
FEEDS = ("a", "b")
Act: TypeAlias = Callable[["Rough"], object]


class Rough(Office):
    """An office whose channels do what they like; notes what arrived, and checks what may not."""

    def __init__(self, file: StateFile) -> None:
        super().__init__(file)
        self.rests = dict.fromkeys(CHANNELS, 0.0)
        self.arrived: list[tuple[str, Delivery]] = []

    def ready(self) -> list[str]:
        return [name for name in CHANNELS if self.rests[name] <= self.now_s]

    def courier(self, channel: str, outcome: str) -> None:
        """Let a channel's courier make one attempt, if it may and there is something."""
        if channel not in self.ready() or self.outbox.next(channel) is None:
            return
        if outcome == "delivered":
            self.take(channel)
        elif outcome == "fails":
            self.fail(channel, again_s=10.0)
        elif outcome == "refuses":
            self.refuse(channel, rest_s=60.0)
            self.rests[channel] = self.now_s + 60.0
        else:  # killed in the middle of it
            self.start(channel)
            self.restart()

    def take(self, channel: str) -> None:
        delivery = self.start(channel)
        self._check(channel, delivery)
        self.arrived.append((channel, delivery))
        self.outbox.delivered(delivery, self._attempt("delivered"), "")
        self.rests[channel] = 0.0

    def stand_in_all(self) -> None:
        given = self.outbox.stand_in(FAILOVER_S, self.ready(), takes)
        self.change(lambda turn: join(turn, given))

    def restart(self) -> None:
        """Forget everything but the file, and begin again."""
        self.state = self.loaded()
        self.outbox.recover(CHANNELS, self.now_s + 60.0)
        self.rests = {name: min(until_s, self.now_s + 60.0) for name, until_s in self.rests.items()}

    def settle_down(self) -> None:
        """Let every channel work from now on, and everything that waits arrive."""
        for _ in range(100):
            self.now_s += 30.0
            self.stand_in_all()
            for channel in self.ready():
                while self.outbox.next(channel) is not None:
                    self.take(channel)

    def _check(self, channel: str, delivery: Delivery) -> None:
        rows = self.file._connection.execute(
            "SELECT alert_id, ended_s, acknowledged_s FROM notified JOIN alerts USING (alert_id)"
            " WHERE notification_id = ?",
            [delivery.notification_id],
        ).fetchall()
        if delivery.kind in CALLS and not any(row["ended_s"] is not None for row in rows):
            assert any(row["acknowledged_s"] is None for row in rows), "somebody is called about what is acknowledged"
        numbers = {row["alert_id"] for row in rows}
        for other, earlier in self.arrived:
            if other == channel and numbers & {one.alert_id for one in earlier.message.alerts}:
                assert earlier.notification_id <= delivery.notification_id, "an alert is told out of order"


feeds = st.sampled_from(FEEDS)
acts: st.SearchStrategy[Act] = st.one_of(
    feeds.map(lambda feed: lambda office: office.fire("FeedSilent", feed=feed)),
    feeds.map(lambda feed: lambda office: office.end("FeedSilent", feed=feed)),
    st.just(lambda office: office.ack("FeedSilent")),
    st.sampled_from(["10s", "1m", "16m"]).map(lambda length: lambda office: office.wait(length)),
    st.just(lambda office: office.stand_in_all()),
    st.just(lambda office: office.restart()),
    st.tuples(st.sampled_from(CHANNELS), st.sampled_from(["delivered", "fails", "refuses", "killed"])).map(
        lambda both: lambda office: office.courier(*both)
    ),
)


@given(st.lists(acts, min_size=1, max_size=30))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_each_page_reaches_somebody_in_order_and_nobody_after_it_was_acknowledged(
    tmp_path_factory: pytest.TempPathFactory, happens: list[Act]
) -> None:
    file = StateFile(tmp_path_factory.mktemp("state") / "alerter.sqlite")
    office = Rough(file)
    for act in happens:
        act(office)
    office.settle_down()

    arrived = {delivery.notification_id for _, delivery in office.arrived}
    ends_arrived = {
        one.alert_id for _, delivery in office.arrived for one in delivery.message.alerts if one.ended_s is not None
    }
    for told in office.told:
        if told.tier is not Tier.CRITICAL or told.kind not in {Kind.FIRING, Kind.MISSED, Kind.RESOLVED}:
            continue
        rows = file._connection.execute(
            "SELECT alert_id, acknowledged_s FROM notified JOIN alerts USING (alert_id) WHERE notification_id = ?",
            [told.notification_id],
        )
        # A beginning may stay away where the alert was acknowledged, or its end tells of all of it.
        needed = told.kind is not Kind.FIRING or any(
            row["acknowledged_s"] is None and row["alert_id"] not in ends_arrived for row in rows
        )
        assert told.notification_id in arrived or not needed, f"nobody was told: {told}"
    assert office.outbox.unheard_s() == 0
    file.close()
