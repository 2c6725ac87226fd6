"""The storm is the same for the same seed, and every state lasts as long as it has to."""

from itertools import islice, pairwise
from random import Random

from tests.alerting.storm import Change, Weather, changes, names

WEATHER = Weather(feeds=2, symbols=3, fires_s=(1.0, 2.0), gone_s=(4.0, 6.0))


def some(seed: int) -> list[Change]:
    return list(islice(changes(WEATHER, Random(seed)), 500))


def test_the_same_seed_makes_the_same_storm() -> None:
    assert some(1) == some(1)
    assert some(1) != some(2)


def test_changes_come_in_order_and_every_alert_takes_part() -> None:
    happened = some(1)

    assert [one.at_s for one in happened] == sorted(one.at_s for one in happened)
    assert {one.series for one in happened} == set(names(WEATHER))
    assert len(names(WEATHER)) == 12


def test_each_alert_fires_and_is_gone_by_turns_for_the_times_it_is_given() -> None:
    for name in names(WEATHER):
        mine = [one for one in some(1) if one.series == name]
        assert [one.fires for one in mine] == [number % 2 == 0 for number in range(len(mine))]
        for one, other in pairwise(mine):
            least, most = WEATHER.fires_s if one.fires else WEATHER.gone_s
            assert least <= other.at_s - one.at_s <= most
