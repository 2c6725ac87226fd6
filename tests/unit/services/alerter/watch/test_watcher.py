"""What the watcher makes of Prometheus: sure answers, unsure ones and none, and the time when nobody looked."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress

import pytest

from nightdesk.errors import UnavailableError
from services.alerter.alerts import NAME, SEVERITY, Episode, Report, Source, fingerprint_of
from services.alerter.desk import Desk
from services.alerter.observing import observe
from services.alerter.own import Condition, reports_of
from services.alerter.store.file import StateFile
from services.alerter.watch.prometheus import Snapshot
from services.alerter.watch.watcher import OVERLAP_S, Watcher
from tests.unit.services.alerter.desks import Told, desk_over, state_file
from tests.unit.services.alerter.stage import BASE, MONDAY_NOON, policy_of
from tests.virtual_time import run

POLICY = policy_of(BASE.replace("watch: {", "watch: {every: 5s, unreachable_after: 60s, "))
SILENT = {NAME: "FeedSilent", SEVERITY: "critical", "feed": "binance"}
WORDS = {"FeedSilent": {"summary": "{{ $labels.feed }} is silent", "description": "For {{ $value }} s."}}


class Asked:
    """Stands in for Prometheus: says what it is told to, and notes what it is asked."""

    def __init__(self) -> None:
        self.firing: list[Mapping[str, str]] = []
        self.pending: list[Mapping[str, str]] = []
        self.past: list[Episode] = []
        self.is_there = True
        self.has_past = True
        self.watchdog_s: Callable[[], float | None] = lambda: None
        self.watchdog_since_s = 0.0
        self.asked: list[tuple[float, float]] = []
        self.polls = 0

    async def snapshot(self) -> Snapshot:
        self.polls += 1
        self._check(self.is_there)
        return Snapshot(
            reports=[
                Report(labels=one, annotations={"summary": f"{one['feed']} is silent"}, started_s=MONDAY_NOON)
                for one in self.firing
            ],
            pending=frozenset(map(fingerprint_of, self.pending)),
            watchdog_s=self.watchdog_s(),
            watchdog_since_s=self.watchdog_since_s,
        )

    async def episodes(self, since_s: float, until_s: float) -> Sequence[Episode]:
        self.asked.append((since_s, until_s))
        self._check(self.has_past)
        return self.past

    async def words(self) -> Mapping[str, Mapping[str, str]]:
        self._check(self.has_past)
        return WORDS

    @staticmethod
    def _check(answers: bool) -> None:
        if not answers:
            raise UnavailableError("Prometheus does not answer")


class Night:
    """A watcher, its desk and its Prometheus; time is what a test says it is."""

    def __init__(self, file: StateFile) -> None:
        self.now_s = MONDAY_NOON
        self.asked = Asked()
        self.asked.watchdog_s = lambda: self.now_s - 2.0
        self.told = Told()
        self.file = file
        self.polls: list[str] = []
        self.began_s = self.now_s
        self.desk = self._new_desk()
        self.watcher = self._new_watcher()

    def poll(self, *, after_s: float = 5.0) -> None:
        """Ask once, after a while."""
        self.now_s += after_s
        asyncio.run(self.watcher.poll())

    def polls_for(self, seconds: float) -> None:
        """Ask every five seconds."""
        for _ in range(int(seconds // 5)):
            self.poll()

    def restart(self) -> None:
        """Begin anew with what the file holds."""
        self.desk = self._new_desk()
        self.watcher = self._new_watcher()
        self.began_s = self.now_s

    def own(self) -> list[str]:
        """Return the names of what the alerter says about Prometheus."""
        return [report.labels[NAME] for report in reports_of(self.standing())]

    def standing(self) -> Condition:
        return Condition(
            now_s=self.now_s,
            began_s=self.began_s,
            answered_s=self.watcher.answered_s,
            answers_since_s=self.watcher.answers_since_s,
            silent_since_s=self.watcher.silent_since_s,
            evaluated_s=self.watcher.evaluated_s,
            unreachable_after_s=POLICY.watch.unreachable_after,
            is_sure=self.watcher.is_sure,
            known=frozenset(alert.name for alert in self.desk.state.alerts.values()),
        )

    def _new_desk(self) -> Desk:
        return desk_over(self.file, lambda: self.now_s, self.told, policy=POLICY)

    def _new_watcher(self) -> Watcher:
        return Watcher(
            prometheus=self.asked,
            desk=self.desk,
            watching=POLICY.watch,
            wall_s=lambda: self.now_s,
            on_poll=lambda outcome, _seconds: self.polls.append(outcome),
        )


@pytest.fixture
def night() -> Iterator[Night]:
    with state_file(lambda: MONDAY_NOON) as file:
        yield Night(file)


# --- answers ---


def test_what_fires_is_told_with_the_first_sure_answer(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.poll()

    assert night.told.story() == ["firing slack: binance is silent"]
    assert night.polls == ["ok"]
    assert night.desk.state.watched_s == night.now_s


def test_a_first_start_has_no_past_to_read(night: Night) -> None:
    night.poll()

    assert night.asked.asked == []


def test_nobody_is_told_anything_before_an_answer_is_sure(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.asked.watchdog_s = lambda: None
    night.poll()

    assert not night.desk.is_ready
    assert night.told.story() == []
    assert [alert.name for alert in night.desk.state.alerts.values()] == ["FeedSilent"]
    assert night.polls == ["no_watchdog"]


def test_an_answer_without_a_watchdog_ends_nothing(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.poll()
    night.asked.firing = []
    night.asked.watchdog_s = lambda: None
    night.polls_for(50)

    assert night.told.story() == ["firing slack: binance is silent"]


def test_an_answer_with_a_watchdog_that_stands_still_ends_nothing(night: Night) -> None:
    stopped_s = night.now_s
    night.asked.firing = [SILENT]
    night.poll()
    night.asked.watchdog_s = lambda: stopped_s
    night.polls_for(55)
    night.asked.firing = []
    night.polls_for(300)

    assert night.told.story()[0] == "firing slack: binance is silent"
    assert [alert.is_firing for alert in night.desk.state.alerts.values()] == [True]


def test_what_is_not_reported_any_more_ends_after_a_while(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.poll()
    night.told.story()
    night.asked.firing = []
    night.polls_for(15)
    assert night.told.story() == []

    night.polls_for(5)
    assert night.told.story() == ["resolved slack: Over after 10 s: binance is silent"]


def test_what_is_pending_anew_is_not_over(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.poll()
    night.told.story()
    night.asked.firing, night.asked.pending = [], [SILENT]
    night.polls_for(120)

    assert night.told.story() == []


def test_a_prometheus_that_does_not_answer_ends_nothing(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.poll()
    night.told.story()
    night.asked.is_there = False
    night.polls_for(300)

    assert night.told.story() == []
    assert set(night.polls[1:]) == {"failed"}


# --- the time when nobody looked ---


def a_past(night: Night, begin_s: float, end_s: float, *, is_over: bool = True) -> Episode:
    return Episode(
        labels=SILENT, started_s=MONDAY_NOON + begin_s, last_s=MONDAY_NOON + end_s, is_over=is_over, apart_s=15.0
    )


def test_after_a_failed_answer_the_past_is_read_once(night: Night) -> None:
    night.polls_for(10)
    night.asked.is_there = False
    night.polls_for(60)
    night.asked.is_there = True
    night.polls_for(60)

    assert night.asked.asked == [(MONDAY_NOON + 10 - OVERLAP_S, MONDAY_NOON + 75)]


def test_an_evaluation_that_is_half_written_ends_nothing_that_the_same_answer_reports(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.polls_for(10)
    night.asked.past = [a_past(night, 0, 10)]
    night.poll(after_s=30)
    night.polls_for(30)

    assert [str(one.kind) for one in night.told.notifications] == ["firing"]


def test_what_came_and_went_meanwhile_is_told_in_the_words_of_its_rule(night: Night) -> None:
    night.polls_for(10)
    night.asked.is_there = False
    night.polls_for(300)
    night.asked.is_there = True
    night.asked.past = [a_past(night, 100, 160)]
    night.poll()
    (told,) = night.told.notifications

    assert told.message.title == "Came and went within 1 min: binance is silent"
    assert "For" not in told.message.text


def test_after_a_restart_the_past_is_read_from_the_last_good_answer_on(night: Night) -> None:
    night.polls_for(10)
    night.now_s += 3600
    night.restart()
    night.poll()

    assert night.asked.asked == [(MONDAY_NOON + 10 - OVERLAP_S, MONDAY_NOON + 3615)]


def test_the_past_is_read_no_further_back_than_the_policy_says(night: Night) -> None:
    night.polls_for(10)
    night.now_s += 10 * 86_400
    night.restart()
    night.poll()

    ((since_s, until_s),) = night.asked.asked
    assert until_s - since_s == POLICY.watch.catch_up + OVERLAP_S


def test_restarted_twice_it_tells_what_it_missed_once(night: Night) -> None:
    night.polls_for(10)
    night.now_s += 600
    night.asked.past = [a_past(night, 100, 160)]
    for _ in range(3):
        night.restart()
        night.poll()

    assert night.told.story() == ["missed slack: Came and went within 1 min: binance is silent"]


def test_answers_too_far_apart_leave_a_time_that_is_read_up_on(night: Night) -> None:
    night.polls_for(10)
    night.poll(after_s=7.0)
    assert night.asked.asked == []

    night.poll(after_s=8.0)
    assert len(night.asked.asked) == 1


def test_a_prometheus_that_began_anew_is_read_up_on_once_its_answers_are_sure(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.polls_for(10)
    night.told.story()
    night.asked.firing = []
    night.asked.watchdog_s = lambda: None
    night.polls_for(20)
    assert night.asked.asked == []

    night.asked.watchdog_s = lambda: night.now_s
    night.asked.firing = [SILENT]
    night.polls_for(60)
    assert len(night.asked.asked) == 1
    assert night.told.story() == []


def test_a_past_that_cannot_be_read_does_not_hide_what_fires_now(night: Night) -> None:
    night.polls_for(10)
    night.asked.is_there = False
    night.poll()
    night.asked.is_there, night.asked.has_past = True, False
    night.asked.firing = [SILENT]
    night.polls_for(30)

    assert night.told.story() == ["firing slack: binance is silent"]
    assert night.polls[-1] == "not_read_up"
    assert night.desk.state.watched_s == MONDAY_NOON + 10


def test_a_past_that_cannot_be_read_is_asked_for_again(night: Night) -> None:
    night.polls_for(10)
    night.asked.is_there = False
    night.poll()
    night.asked.is_there, night.asked.has_past = True, False
    night.polls_for(30)
    night.asked.has_past = True
    night.asked.past = [a_past(night, 11, 14)]
    night.polls_for(30)

    assert night.told.story() == ["missed slack: Came and went within 3 s: binance is silent"]
    assert {since_s for since_s, _ in night.asked.asked} == {MONDAY_NOON + 10 - OVERLAP_S}


# --- what the alerter says about Prometheus ---


def test_a_prometheus_that_answers_and_evaluates_is_well(night: Night) -> None:
    night.polls_for(300)

    assert night.own() == []


def test_a_prometheus_that_does_not_answer_for_too_long_is_said_so(night: Night) -> None:
    night.polls_for(10)
    night.asked.is_there = False
    night.polls_for(60)
    assert night.own() == []

    night.poll()
    assert night.own() == ["PrometheusUnreachable"]
    night.asked.is_there = True
    night.poll()
    assert night.own() == []


def test_a_prometheus_that_never_answered_is_said_so(night: Night) -> None:
    night.asked.is_there = False
    night.polls_for(60)
    assert night.own() == []

    night.poll()
    assert night.own() == ["PrometheusUnreachable"]


@pytest.mark.parametrize("watchdog", [None, MONDAY_NOON, MONDAY_NOON + 1e9, 1.0])
def test_a_watchdog_that_is_missing_stands_still_or_is_no_clock_is_said_so(
    night: Night, watchdog: float | None
) -> None:
    night.asked.watchdog_s = lambda: watchdog
    night.polls_for(125)

    assert night.own() == ["WatchdogMissing"]


def observe_own(night: Night) -> None:
    reports = reports_of(night.standing())
    night.desk.change(lambda turn: observe(turn, POLICY, reports, Source.ALERTER))


def test_a_restart_does_not_end_what_goes_on_to_be_wrong_with_prometheus(night: Night) -> None:
    night.asked.is_there = False
    night.polls_for(65)
    observe_own(night)
    night.restart()
    assert night.own() == ["PrometheusUnreachable"]

    night.poll()
    assert night.own() == ["PrometheusUnreachable"]
    night.asked.is_there = True
    night.poll()
    assert night.own() == []


def test_a_restart_does_not_end_what_goes_on_to_be_wrong_with_the_watchdog(night: Night) -> None:
    night.asked.watchdog_s = lambda: None
    night.polls_for(70)
    observe_own(night)
    night.restart()
    night.poll()
    assert night.own() == ["WatchdogMissing"]

    night.asked.watchdog_s = lambda: night.now_s
    night.poll()
    assert night.own() == []


def test_a_prometheus_that_is_back_is_given_time_to_evaluate_its_rules(night: Night) -> None:
    night.asked.is_there = False
    night.polls_for(600)
    night.asked.is_there = True
    night.asked.watchdog_s = lambda: None
    night.polls_for(60)
    assert night.own() == []

    night.polls_for(10)
    assert night.own() == ["WatchdogMissing"]


def test_a_machine_that_slept_is_no_reason_to_say_that_prometheus_is_away(night: Night) -> None:
    night.polls_for(10)
    woke_s = night.now_s + 7200
    night.now_s = woke_s
    assert night.own() == []

    night.asked.watchdog_s = lambda: MONDAY_NOON + 10  # it slept as well, and has not evaluated anything since
    night.poll(after_s=1.0)
    assert night.own() == []
    night.asked.is_there = False
    night.poll()
    assert night.own() == []


def test_a_clock_that_steps_back_is_no_reason_to_trust_old_answers(night: Night) -> None:
    night.polls_for(10)
    night.now_s -= 3600
    night.poll()
    stopped_s = night.now_s
    night.asked.watchdog_s = lambda: stopped_s
    night.polls_for(120)

    assert night.own() == ["WatchdogMissing"]


def test_a_clock_that_steps_back_leaves_no_time_unread(night: Night) -> None:
    night.polls_for(10)
    night.now_s -= 3600
    night.asked.is_there = False
    night.poll()
    night.asked.is_there = True
    night.poll()

    assert night.asked.asked == [(night.now_s - OVERLAP_S, night.now_s)]


def test_it_asks_as_often_as_the_policy_says(night: Night) -> None:
    async def a_minute() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(night.watcher.run(asyncio.sleep), 59.0)

    waiting: Coroutine[object, object, None] = a_minute()
    run(waiting)

    assert night.asked.polls == 12


# --- a Prometheus that has just started ---


def test_what_a_prometheus_that_has_just_started_does_not_say_is_not_over(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.polls_for(10)
    night.asked.is_there, night.asked.firing = False, []
    night.polls_for(35)
    night.asked.is_there, night.asked.watchdog_since_s = True, night.now_s
    night.asked.past = [Episode(labels=SILENT, started_s=MONDAY_NOON, last_s=night.now_s - 40, is_over=True)]
    night.polls_for(100)
    assert [alert.ended_s for alert in night.desk.state.alerts.values()] == [None]

    night.asked.firing = [SILENT]
    night.polls_for(60)

    assert [alert.alert_id for alert in night.desk.state.alerts.values()] == [1]
    assert [alert.ended_s for alert in night.desk.state.alerts.values()] == [None]


def test_what_it_does_not_say_for_long_enough_is_over(night: Night) -> None:
    night.asked.firing = [SILENT]
    night.polls_for(10)
    night.asked.firing, night.asked.watchdog_since_s = [], night.now_s
    night.polls_for(110)
    assert [alert.ended_s for alert in night.desk.state.alerts.values()] == [None]

    night.polls_for(60)

    assert not [alert for alert in night.desk.state.alerts.values() if alert.is_firing]
