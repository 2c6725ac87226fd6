"""What fired while nobody looked is told as if somebody had, and what nobody can know is not taken for an end."""

from collections.abc import Mapping

from services.alerter.alerts import NAME, SEVERITY, Episode, Report, Source
from services.alerter.observing import observe, recall, settle
from services.alerter.turn import Turn
from tests.unit.services.alerter.stage import Stage

NOON = 1_000_000.0
FLAPPING = "flapping: {episodes: 3, within: 1h, hold: 15m}"


class Away(Stage):
    """A stage that Prometheus's past can be read to; times are seconds after noon."""

    def __init__(self, more: str = "") -> None:
        super().__init__(more, at=NOON)

    def at(self, seconds: float) -> None:
        """Let time pass without a look."""
        self.now_s = NOON + seconds

    def read_up(self, *times: tuple[float, float], since: float, apart: float = 12.0) -> None:
        """Read that FeedSilent fired between these times, and look at what fires now."""
        episodes = [self._episode(first, last, apart) for first, last in times]

        def act(turn: Turn) -> None:
            reports = self.reports.values()
            recall(turn, self.policy, episodes, words, since_s=NOON + since, asked_s=turn.now_s, reports=reports)
            observe(turn, self.policy, reports, Source.PROMETHEUS)
            settle(turn, self.policy, Source.PROMETHEUS, turn.now_s)

        self.change(act)

    def fires_since(self, seconds: float) -> None:
        """Let FeedSilent fire now, since then, without a look."""
        report = Report(labels=LABELS, annotations=words(LABELS), started_s=NOON + seconds)
        self.reports = {"it": report}

    def kinds(self) -> list[str]:
        return [line.split()[1] for line in self.story()]

    def _episode(self, first: float, last: float, apart: float) -> Episode:
        is_over = self.now_s - (NOON + last) >= apart
        return Episode(labels=LABELS, started_s=NOON + first, last_s=NOON + last, is_over=is_over, apart_s=apart)


LABELS = {NAME: "FeedSilent", SEVERITY: "critical", "feed": "binance"}


def words(labels: Mapping[str, str]) -> Mapping[str, str]:
    return {"summary": f"{labels[NAME]} {labels['feed']}"}


def away_since_it_fired() -> Away:
    stage = Away()
    stage.fire("FeedSilent", feed="binance")
    stage.story()
    return stage


def test_what_fired_before_and_fires_still_is_not_told_again() -> None:
    stage = away_since_it_fired()
    stage.at(300)
    stage.read_up((0, 295), since=5)

    assert stage.kinds() == []


def test_what_came_and_went_is_told_as_missed() -> None:
    stage = Away()
    stage.at(300)
    stage.read_up((100, 120), since=0)

    assert stage.kinds() == ["missed"]


def test_what_showed_only_after_the_last_look_is_told_though_its_samples_are_older() -> None:
    stage = Away()
    stage.at(300)
    stage.read_up((95, 95), since=100)

    assert stage.kinds() == ["missed"]


def test_what_was_seen_and_seen_to_end_is_not_told_again() -> None:
    stage = Away()
    stage.blink("FeedSilent", feed="binance", on="10s", off="15s")
    stage.story()
    stage.at(300)
    stage.read_up((0, 10), since=25)

    assert stage.kinds() == []


def test_what_ended_and_came_back_is_told_as_two() -> None:
    stage = away_since_it_fired()
    stage.at(300)
    stage.fires_since(200)
    stage.read_up((0, 60), (200, 295), since=5)
    stage.wait("1m")

    (told,) = stage.told
    assert [one.ended_s for one in told.message.alerts] == [None, NOON + 60]


def test_what_ended_too_lately_to_be_sure_ends_once_it_has_been_gone_for_long_enough() -> None:
    stage = away_since_it_fired()
    stage.reports.clear()
    stage.at(300)
    stage.read_up((0, 292), since=5)
    assert stage.kinds() == []

    stage.wait("20s")
    assert stage.kinds() == ["resolved"]


def test_a_rule_that_is_evaluated_once_a_minute_goes_on_from_one_sample_to_the_next() -> None:
    stage = away_since_it_fired()
    stage.at(300)
    stage.read_up((55, 295), since=5, apart=144)

    assert stage.kinds() == []


def test_what_is_over_by_the_past_and_fires_anew_by_now_is_told_as_two() -> None:
    stage = away_since_it_fired()
    stage.at(300)
    stage.fires_since(300)
    stage.read_up((0, 60), since=5)
    stage.wait("1m")

    (told,) = stage.told
    assert [one.started_s for one in told.message.alerts] == [NOON + 300, NOON]


def test_what_prometheus_reports_to_have_fired_ever_since_goes_on_though_its_last_sample_is_old() -> None:
    stage = away_since_it_fired()
    stage.at(300)
    stage.read_up((0, 280), since=5)
    stage.wait("1m")

    assert stage.kinds() == []
    assert [one.started_s for one in stage.firing()] == [NOON]


def test_an_episode_that_was_over_before_does_not_end_what_fires_since() -> None:
    stage = Away()
    stage.blink("FeedSilent", feed="binance", on="10s", off="20s")
    stage.fire("FeedSilent", feed="binance")
    stage.story()
    stage.at(60)
    stage.read_up((0, 10), (30, 55), since=35)
    stage.wait("1m")

    assert stage.kinds() == []
    assert [one.started_s for one in stage.firing()] == [NOON + 30]


def test_what_is_held_for_flapping_is_held_through_a_time_away() -> None:
    stage = Away(FLAPPING)
    for _ in range(3):
        stage.blink("FeedSilent", feed="binance")
    stage.story()
    stage.at(600)
    stage.fires_since(500)
    stage.read_up((500, 595), since=360)
    stage.wait("1m")

    assert stage.kinds() == []


def test_what_was_away_too_briefly_to_be_over_is_not_told_again_after_a_time_away() -> None:
    stage = away_since_it_fired()
    stage.reports.clear()
    stage.at(10)
    stage.look()
    stage.at(300)
    stage.fires_since(20)
    stage.read_up((0, 9), (20, 295), since=10)
    stage.wait("1m")

    assert stage.kinds() == []


def test_what_is_gone_for_long_enough_between_two_looks_is_told_as_two() -> None:
    stage = away_since_it_fired()
    stage.reports.clear()
    stage.at(10)
    stage.look()
    stage.at(40)
    stage.fires_since(38)
    stage.look()
    stage.wait("1m")

    (told,) = stage.told
    assert [one.ended_s for one in told.message.alerts] == [None, NOON + 10]


def test_what_prometheus_no_longer_reports_does_not_end_while_prometheus_is_not_asked() -> None:
    stage = away_since_it_fired()
    stage.reports.clear()
    stage.at(10)
    stage.look()
    stage.at(300)
    stage.change(lambda turn: settle(turn, stage.policy, Source.ALERTER, turn.now_s))
    assert stage.kinds() == []

    stage.fires_since(0)
    stage.look()
    assert stage.kinds() == []
    assert [one.started_s for one in stage.firing()] == [NOON]
