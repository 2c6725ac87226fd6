"""How the alerter is: its parts, and what would keep a person from being told."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from nightdesk.health import Part, Status
from nightdesk.outbound import Received
from services.alerter.alerts import NAME, SEVERITY, Report, Source
from services.alerter.deadman import Deadman
from services.alerter.delivery.roster import Roster
from services.alerter.observing import observe
from services.alerter.standing import LATE_S, NOBODY, Standing
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Attempt, Outbox
from services.alerter.watch.watcher import Watcher
from tests.unit.services.alerter.delivery.channels import Scripted
from tests.unit.services.alerter.desks import Told, desk_over, state_file
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of
from tests.unit.services.alerter.watch.test_watcher import Asked

POLICY = policy_of(BASE)
SILENT = Report(labels={NAME: "FeedSilent", SEVERITY: "critical"}, started_s=MONDAY_NOON)
LOW = Report(labels={NAME: "DiskLow", SEVERITY: "warning"}, started_s=MONDAY_NOON)


class Shop:
    """A whole alerter but for its network, whose Prometheus answered just now."""

    def __init__(self, file: StateFile, *names: str) -> None:
        self.now_s = MONDAY_NOON
        self.file = file
        self.outbox = Outbox(file, self.wall_s)
        self.roster = Roster(
            policy=POLICY,
            channels={name: Scripted() for name in names},
            lacking={},
            outbox=self.outbox,
            wall_s=self.wall_s,
        )
        self.desk = desk_over(file, self.wall_s, Told(), policy=POLICY, usable=names)
        self.watcher = Watcher(
            prometheus=Asked(),
            desk=self.desk,
            watching=POLICY.watch,
            wall_s=self.wall_s,
            on_poll=lambda _outcome, _seconds: None,
        )
        self.deadman: Deadman | None = None
        self.desk.is_ready = True
        self.answered()

    def wall_s(self) -> float:
        return self.now_s

    def answered(self) -> None:
        """Let Prometheus have answered and evaluated its rules just now."""
        self.watcher.answered_s = self.watcher.evaluated_s = self.now_s
        self.watcher.silent_since_s = None

    def later(self, seconds: float) -> None:
        """Let time pass in which Prometheus answers and the desk looks."""
        self.now_s += seconds
        self.answered()
        self.desk.change(lambda _turn: None)

    def reports(self, *reports: Report) -> None:
        self.desk.change(lambda turn: observe(turn, self.desk.policy, reports, Source.PROMETHEUS))

    def standing(self) -> Standing:
        return Standing(
            desk=self.desk,
            watcher=self.watcher,
            roster=self.roster,
            outbox=self.outbox,
            file=self.file,
            deadman=self.deadman,
            wall_s=self.wall_s,
            began_s=MONDAY_NOON,
        )

    def troubles(self) -> list[str]:
        return self.standing().troubles()

    def part(self, name: str) -> Part:
        return next(part for part in self.standing().parts() if part.part == name)

    def deliver(self, channel: str) -> None:
        delivery = self.outbox.next(channel)
        assert delivery is not None
        self.outbox.start(delivery)
        self.outbox.delivered(delivery, Attempt(at_s=self.now_s, outcome="delivered"), "")

    def fail(self, channel: str) -> None:
        delivery = self.outbox.next(channel)
        assert delivery is not None
        self.outbox.start(delivery)
        self.outbox.put_off(delivery, Attempt(at_s=self.now_s, outcome="transient"), self.now_s + 5)


@pytest.fixture
def file() -> Iterator[StateFile]:
    with state_file(lambda: MONDAY_NOON) as made:
        yield made


@pytest.fixture
def shop(file: StateFile) -> Shop:
    return Shop(file, "slack", "pager")


# --- what keeps a person from being told ---


def test_nothing_does_where_all_is_well(shop: Shop) -> None:
    shop.reports(SILENT)
    shop.deliver("slack")
    shop.later(60)

    assert shop.troubles() == []


@pytest.mark.parametrize("silent", ["answered_s", "evaluated_s"])
def test_a_prometheus_that_does_not_answer_or_evaluate_does(shop: Shop, silent: str) -> None:
    shop.later(600)
    setattr(shop.watcher, silent, shop.now_s - 60)
    assert shop.troubles() == []

    setattr(shop.watcher, silent, shop.now_s - 61)
    assert shop.troubles() == ["Prometheus gives no sure answer for 61 s"]


def test_a_watcher_that_stands_still_does(shop: Shop) -> None:
    shop.now_s += 61

    assert shop.troubles() == ["Prometheus gives no sure answer for 61 s"]


def test_a_stuck_escalation_does(shop: Shop) -> None:
    shop.reports(SILENT)
    shop.deliver("slack")
    shop.now_s += 900 + LATE_S + 1  # the call was due, and nobody looked
    shop.answered()

    assert shop.troubles() == ["something should have been told 121 s ago"]
    shop.desk.change(lambda _turn: None)
    assert shop.troubles() == []


def test_a_stuck_outbox_does(shop: Shop) -> None:
    shop.reports(SILENT)
    shop.later(LATE_S)
    assert shop.troubles() == []

    shop.later(1)
    assert shop.troubles() == ["something should have been told 121 s ago"]
    shop.deliver("slack")
    assert shop.troubles() == []


def test_a_call_that_every_channel_fails_to_deliver_does(shop: Shop) -> None:
    shop.reports(SILENT)
    shop.fail("slack")
    shop.later(LATE_S + 1)

    assert shop.troubles() == ["something should have been told 121 s ago"]


def test_a_call_for_the_only_channel_which_is_left_alone_does(file: StateFile) -> None:
    shop = Shop(file, "slack")
    shop.roster.disable("slack", "gone")
    shop.reports(SILENT)
    shop.later(LATE_S + 1)

    assert shop.troubles() == ["something should have been told 121 s ago"]


def test_a_warning_for_a_channel_that_fails_does_not(shop: Shop) -> None:
    shop.desk.policy = policy_of(BASE + "routes: [{match: {alertname: DiskLow}, to: [slack]}]")
    shop.reports(LOW)
    shop.later(30)
    shop.fail("slack")
    shop.later(LATE_S + 1)

    assert shop.troubles() == []


def test_where_there_is_no_channel_nothing_waits(file: StateFile) -> None:
    shop = Shop(file)
    shop.reports(SILENT)
    shop.later(LATE_S + 1)

    assert shop.troubles() == []


# --- the parts of /health ---


@pytest.mark.parametrize(
    ("silent_s", "is_ready", "status"),
    [
        (10, True, Status.OK),
        (60, True, Status.OK),
        (61, True, Status.DOWN),
        (10, False, Status.DEGRADED),
        (61, False, Status.DOWN),
    ],
)
def test_watching_is_as_good_as_the_last_sure_answer(
    shop: Shop, silent_s: float, is_ready: bool, status: Status
) -> None:
    shop.now_s += silent_s
    shop.desk.is_ready = is_ready

    assert (shop.part("watch").status, shop.part("watch").age_s) == (status, silent_s)


def test_alerts_are_counted_and_the_critical_named(shop: Shop) -> None:
    assert (shop.part("alerts").status, shop.part("alerts").detail) == (Status.OK, "0 firing, 0 critical")

    shop.reports(SILENT, LOW)
    part = shop.part("alerts")
    assert (part.status, part.detail) == (Status.DEGRADED, "2 firing, 1 critical: FeedSilent")
    assert part.facts == {"firing": 2, "critical": 1, "unacknowledged": 1}

    shop.desk.acknowledge([1, 2], by="me")
    assert shop.part("alerts").facts == {"firing": 2, "critical": 1, "unacknowledged": 0}


def test_where_there_is_no_channel_that_is_said_in_plain_words(file: StateFile) -> None:
    part = Shop(file).part("channels")

    assert (part.status, part.detail) == (Status.OK, NOBODY)


def test_a_channel_that_failed_for_good_is_named(shop: Shop) -> None:
    assert shop.part("channels").detail == "configured: pager, slack"

    shop.roster.disable("slack", "gone")
    part = shop.part("channels")
    assert (part.status, part.detail) == (Status.DEGRADED, "slack failed for good; configured: pager, slack")

    shop.roster.disable("pager", "gone")
    assert shop.part("channels").status is Status.DOWN
    shop.roster.enable("pager")
    assert shop.part("channels").status is Status.DEGRADED


def test_the_outbox_says_how_much_waits_and_for_how_long(shop: Shop) -> None:
    assert shop.part("outbox").detail == "everything is delivered"

    shop.reports(SILENT)
    shop.later(30)
    part = shop.part("outbox")
    assert (part.status, part.detail, part.age_s, part.threshold_s) == (Status.OK, "1 deliveries wait", 30, LATE_S)
    shop.later(91)
    assert shop.part("outbox").status is Status.DEGRADED


def test_a_state_that_is_not_saved_is_said(shop: Shop) -> None:
    assert shop.part("state").detail == "on disk"

    shop.file.adrift_s = shop.now_s
    assert (shop.part("state").status, shop.standing().own().adrift_s) == (Status.DEGRADED, shop.now_s)


def test_the_switch_has_a_part_where_there_is_one(shop: Shop) -> None:
    assert "deadman" not in [part.part for part in shop.standing().parts()]

    shop.deadman = Deadman(
        url="https://switch.example",
        call=lambda *_: Received(status_code=200, headers={}, content=b""),
        troubles=shop.troubles,
        in_thread=at_once,
        on_ping=lambda: None,
    )
    assert shop.part("deadman").status is Status.DEGRADED
    asyncio.run(shop.deadman.ping())
    assert (shop.part("deadman").status, shop.part("deadman").detail) == (Status.OK, "pinged")


async def at_once(ask: Callable[[], None]) -> None:
    ask()


def test_its_own_alerts_are_made_from_how_it_is(shop: Shop) -> None:
    shop.roster.disable("pager", "gone")
    own = shop.standing().own()

    assert [(one.channel, one.reason, one.is_paged) for one in own.broken] == [("pager", "gone", True)]
    assert (own.now_s, own.answered_s, own.silent_since_s) == (shop.now_s, shop.now_s, None)
