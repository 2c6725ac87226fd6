"""The list of incidents is long enough, tells them apart, and computes a loop by the starts alone."""

from tests.night.incidents import INCIDENTS
from tests.night.incidents.services import looping_since, starts
from tests.night.judging import LEAST_INCIDENTS
from tests.night.week import Week

LOG = """\
2026-11-28 16:00:00,250 INFO spawned: 'worker' with pid 11
2026-11-28 16:00:01,500 INFO success: worker entered RUNNING state, process has stayed up for > than 1 seconds
2026-11-28 16:00:10,000 INFO spawned: 'worker-next' with pid 12
2026-11-28 16:00:20,000 INFO spawned: 'worker' with pid 13
"""


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    names = [one.name for one in INCIDENTS]

    assert len(set(names)) == len(names) >= LEAST_INCIDENTS + 5


def test_all_strike_within_the_week_in_the_order_of_the_list() -> None:
    moments_s = [one.at_s for one in INCIDENTS]

    assert moments_s == sorted(moments_s)
    assert moments_s[-1] < Week().length_s


def test_a_program_is_told_from_its_next_release_in_the_log_of_starts() -> None:
    found = list(starts(LOG, "worker"))

    assert len(found) == 2
    assert found[1] - found[0] == 19.75


def test_four_starts_within_a_quarter_of_an_hour_are_a_loop_and_older_ones_do_not_count() -> None:
    assert looping_since(iter([0.0, 10.0, 20.0])) is None
    assert looping_since(iter([0.0, 10.0, 20.0, 30.0])) == 30.0
    assert looping_since(iter([0.0, 10.0, 20.0, 901.0])) is None
    assert looping_since(iter([0.0, 10.0, 20.0, 905.0, 908.0])) == 908.0
