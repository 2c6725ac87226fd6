"""The account finds each way in which a transition can go wrong: a check that cannot fail proves nothing."""

from dataclasses import replace

import pytest

from tests.alerting.account import (
    Account,
    Arrival,
    Fired,
    Labels,
    Telling,
    account,
    blamed,
    duplicates,
    episodes,
    lost_messages,
    needless_calls,
)

SURE_S = 3.0
EVERY_SECOND = range(10)
A: Labels = frozenset({("alertname", "FeedSilent"), ("feed", "a"), ("severity", "critical")})
B: Labels = frozenset({("alertname", "FeedSilent"), ("feed", "b"), ("severity", "critical")})

FIRED = [
    Fired(labels=A, began_s=10, last_s=20),
    Fired(labels=A, began_s=30, last_s=40),
    Fired(labels=B, began_s=12, last_s=13),
]
A1 = Telling(alert_id=1, labels=A, started_s=10)
A2 = Telling(alert_id=3, labels=A, started_s=30)
B1 = Telling(alert_id=2, labels=B, started_s=12, ended_s=13.5)


def ended(one: Telling, at_s: float) -> Telling:
    return replace(one, ended_s=at_s)


def came(number: int, at_s: float, *told: Telling, kind: str = "firing") -> Arrival:
    return Arrival(notification_id=number, kind=kind, at_s=at_s, told=told)


RIGHT = [
    came(1, 11, A1),
    came(2, 15, B1, kind="missed"),
    came(3, 22, ended(A1, 21), kind="resolved"),
    came(4, 31, A2),
    came(5, 35, A2, kind="repeat"),
    came(6, 43, ended(A2, 41), kind="resolved"),
]


def looked(arrivals: list[Arrival]) -> Account:
    return account(FIRED, arrivals, sure_s=SURE_S)


def wrong(sums: Account) -> tuple[int, int, int, int]:
    return sums.lost, sums.invented, sums.out_of_order, len(sums.duplicates)


def test_every_beginning_and_end_told_in_order_is_right() -> None:
    sums = looked(RIGHT)

    assert sums.findings == []
    assert wrong(sums) == (0, 0, 0, 0)
    assert (sums.transitions, sums.delivered, sums.missed, sums.joined) == (6, 6, 1, 0)
    assert (sums.beginnings_s, sums.ends_s) == ([1, 1, 3], [2, 3, 2])


def test_an_end_told_with_the_next_beginning_in_one_message_is_right() -> None:
    together = came(4, 31, A2, ended(A1, 21))

    assert wrong(looked([*RIGHT[:2], together, *RIGHT[4:]])) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("without", "lost", "words"),
    [
        ({2}, 2, "FeedSilent b: fired at 12.000, and nothing of it arrived"),
        ({3}, 1, "FeedSilent a: the end of alert 1 did not arrive"),
        ({6}, 1, "FeedSilent a: the end of alert 3 did not arrive"),
        ({4, 5, 6}, 2, "FeedSilent a: fired at 30.000, and nothing of it arrived"),
    ],
)
def test_a_lost_transition_is_found_and_named(without: set[int], lost: int, words: str) -> None:
    sums = looked([one for one in RIGHT if one.notification_id not in without])

    assert wrong(sums) == (lost, 0, 0, 0)
    assert sums.delivered == 6 - lost
    assert sums.findings == [words]


def test_a_beginning_that_was_told_with_its_end_only_is_missed_not_lost() -> None:
    sums = looked([one for one in RIGHT if one.notification_id != 1])

    assert (wrong(sums), sums.missed) == ((0, 0, 0, 0), 2)


def test_a_message_that_comes_twice_is_counted_as_often_as_it_is_too_many() -> None:
    assert wrong(looked([RIGHT[0], RIGHT[0], RIGHT[0], *RIGHT[1:]])) == (0, 0, 0, 2)
    assert duplicates(RIGHT) == []


def test_for_each_message_that_came_twice_the_kill_before_it_is_to_blame() -> None:
    kills = [(10.0, "start"), (20.0, "held"), (30.0, "start")]

    assert blamed([5.0, 21.0, 29.0, 31.0], kills) == {"no kill": 1, "held": 2, "start": 1}


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ((3, 2, 1, 4, 5, 6), "FeedSilent a: the beginning of alert 1 after the end of alert 1"),
        ((1, 2, 4, 3, 5, 6), "FeedSilent a: the end of alert 1 after the beginning of alert 3"),
        ((1, 2, 3, 4, 6, 5), "FeedSilent a: the beginning of alert 3 after the end of alert 3"),
    ],
)
def test_swapped_messages_about_one_alert_are_found(order: tuple[int, ...], words: str) -> None:
    by_number = {one.notification_id: one for one in RIGHT}
    sums = looked([by_number[number] for number in order])

    assert sums.out_of_order >= 1
    assert words in sums.findings


def test_a_message_that_comes_twice_in_a_row_is_in_order_and_one_that_comes_again_later_is_not() -> None:
    together = came(4, 31, A2, ended(A1, 21))
    before, after = RIGHT[:2], RIGHT[5:]

    assert wrong(looked([*before, together, together, *after])) == (0, 0, 0, 1)
    assert wrong(looked([*before, together, *after, together]))[2:] == (2, 1)


def test_messages_about_different_alerts_have_no_order() -> None:
    assert wrong(looked([RIGHT[1], RIGHT[0], *RIGHT[2:]])) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("made_up", "words"),
    [
        (Telling(alert_id=9, labels=A, started_s=25), "FeedSilent a: alert 9 was told and never fired"),
        (Telling(alert_id=9, labels=A, started_s=35), "FeedSilent a: alert 9 began within alert 3's time"),
        (
            Telling(alert_id=9, labels=frozenset({("alertname", "Rubbish")}), started_s=10),
            "Rubbish: alert 9 was told and never fired",
        ),
    ],
)
def test_what_was_told_and_never_fired_is_found(made_up: Telling, words: str) -> None:
    sums = looked([*RIGHT, came(7, 50, made_up), came(8, 60, ended(made_up, 55), kind="resolved")])

    assert sums.invented == 1
    assert words in sums.findings


def test_two_episodes_told_as_one_are_a_loss_but_where_they_are_too_close_to_tell() -> None:
    as_one = [came(1, 11, A1), came(2, 43, ended(A1, 41), kind="resolved")]
    close = [Fired(labels=A, began_s=10, last_s=27.5), Fired(labels=A, began_s=30, last_s=40, gone_s=2.5)]

    assert wrong(account(FIRED[:2], as_one, sure_s=SURE_S)) == (2, 0, 0, 0)
    sums = account(close, as_one, sure_s=SURE_S)
    assert (wrong(sums), sums.transitions, sums.joined) == ((0, 0, 0, 0), 2, 1)


def test_samples_that_are_apart_belong_to_two_episodes() -> None:
    assert episodes({A: [3, 1, 2, 4.5], B: [], frozenset(): [7]}, EVERY_SECOND, apart_s=1.5) == [
        Fired(labels=A, began_s=1, last_s=3),
        Fired(labels=A, began_s=4.5, last_s=4.5, gone_s=1.5),
        Fired(labels=frozenset(), began_s=7, last_s=7),
    ]


def test_a_time_in_which_no_rules_were_evaluated_ends_nothing() -> None:
    with_a_pause = [0, 1, 2, 9, 10, 11, 12, 13]

    assert episodes({A: [1, 2, 9, 10]}, with_a_pause, apart_s=1.5) == [Fired(labels=A, began_s=1, last_s=10)]
    assert episodes({A: [1, 11, 12]}, with_a_pause, apart_s=1.5) == [
        Fired(labels=A, began_s=1, last_s=1),
        Fired(labels=A, began_s=11, last_s=12, gone_s=3),
    ]


def test_a_message_noted_as_delivered_that_never_came_is_named() -> None:
    assert lost_messages([1, 2, 9], RIGHT) == ["message 9 is noted as delivered and never came"]
    assert lost_messages([1, 2], RIGHT) == []


def test_a_call_about_what_was_acknowledged_before_is_named() -> None:
    created_s = {one.notification_id: one.at_s for one in RIGHT}

    assert needless_calls(RIGHT, created_s, {3: 34.0}) == ["alert 3: a call (repeat) after it was acknowledged"]
    assert needless_calls(RIGHT, created_s, {3: 36.0}) == []
