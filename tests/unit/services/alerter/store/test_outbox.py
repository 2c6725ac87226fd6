"""Deliveries on their way: which is next, how each ended, who stands in, and what a person need not hear any more."""

from collections import Counter

import pytest

from services.alerter.deciding import join
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import GIVE_UP_S, Outbox
from tests.unit.services.alerter.store.kept import Office

ROUTES = "routes: [{match: {severity: warning}, to: [slack]}]"
BOTH = "routes: [{match: {alertname: FeedSilent}, to: [slack, pager]}]"


@pytest.fixture
def office(file: StateFile) -> Office:
    return Office(file, ROUTES)


# --- which is next ---


def test_there_is_nothing_to_send_where_nothing_happened(office: Office) -> None:
    assert office.next("slack") is None
    assert office.outbox.next_due_s("slack") is None


def test_what_calls_a_person_is_sent_before_what_does_not(office: Office) -> None:
    office.fire("DiskLow", "warning")
    office.wait("1m")
    office.fire("FeedSilent", feed="binance")

    assert office.next("slack") == "firing FeedSilent binance"
    office.deliver("slack")
    assert office.next("slack") == "firing DiskLow"


def test_of_two_that_are_as_urgent_the_older_is_first(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fire("FeedSilent", feed="coinbase")

    assert office.next("slack") == "firing FeedSilent binance"


def test_each_channel_has_a_queue_of_its_own(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.wait("15m")

    assert (office.next("slack"), office.next("pager")) == (
        "firing FeedSilent binance",
        "escalation FeedSilent binance",
    )


def test_what_was_put_off_comes_when_it_is_due(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=20.0)

    assert office.next("slack") is None
    assert office.outbox.next_due_s("slack") == office.now_s + 20.0
    office.now_s += 20.0
    assert office.next("slack") == "firing FeedSilent binance"


def test_about_one_alert_a_channel_is_told_in_order(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=600.0)
    office.end("FeedSilent")
    office.fire("FeedSilent", feed="coinbase")
    office.wait("1m")

    assert office.next("slack") == "firing FeedSilent coinbase"
    office.deliver("slack")
    assert office.next("slack") is None
    office.wait("10m")
    office.deliver("slack")
    assert office.next("slack") == "resolved FeedSilent binance"


def test_a_channel_hears_that_an_alert_is_over_before_it_hears_that_it_fires_anew(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.deliver("slack")
    office.end("FeedSilent")
    office.wait("1m")
    office.fire("FeedSilent", feed="binance")
    office.fire("FeedSilent", feed="coinbase")

    assert office.next("slack") == "resolved FeedSilent binance"
    office.deliver("slack")
    assert office.next("slack") == "firing FeedSilent binance"


def test_what_holds_up_a_call_is_tried_at_once(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.deliver("slack")
    office.end("FeedSilent")
    office.wait("1m")
    office.fail("slack", again_s=600.0)
    assert office.next("slack") is None

    office.fire("FeedSilent", feed="binance")
    assert office.next("slack") == "resolved FeedSilent binance"


def test_what_holds_up_a_call_on_a_channel_that_is_left_alone_waits_for_it(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.deliver("slack")
    office.end("FeedSilent")
    office.wait("1m")
    office.refuse("slack", rest_s=600.0)
    office.fire("FeedSilent", feed="binance")

    assert office.next("slack") is None


def test_what_is_under_way_holds_up_what_is_about_the_same(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.start("slack")
    office.end("FeedSilent")
    office.wait("1m")

    assert office.next("slack") is None


def test_what_is_refused_each_time_does_not_hold_up_the_rest(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=60.0)
    office.fire("FeedSilent", feed="coinbase")
    office.wait("1m")

    assert office.next("slack") == "firing FeedSilent coinbase"


def test_what_was_refused_does_not_wait_behind_what_is_newer(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fire("FeedSilent", feed="coinbase")
    office.fail("slack", again_s=5.0)
    assert office.next("slack") == "firing FeedSilent coinbase"

    office.deliver("slack")
    office.wait("10s")
    office.fire("FeedSilent", feed="kraken")
    assert office.next("slack") == "firing FeedSilent binance"


def test_an_attempt_begins_once(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    delivery = office.outbox.next("slack")
    assert delivery is not None

    assert [office.outbox.start(delivery), office.outbox.start(delivery)] == [True, False]


# --- how it ended ---


def test_what_is_delivered_is_done(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.deliver("slack")

    assert office.states() == {"firing slack": "delivered"}
    assert office.outbox.queues() == {}


def test_what_fails_for_a_day_is_given_up(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    delivery = office.start("slack")
    office.now_s += GIVE_UP_S
    office.outbox.put_off(delivery, office._attempt("transient"), office.now_s + 1)
    assert office.states()["firing slack"] == "queued"

    office.now_s += 2
    office.fail("slack")
    assert office.states()["firing slack"] == "failed"
    assert office.stand_in() == []


def test_a_queue_says_since_when_it_waits_and_fails(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=30.0)
    office.fire("FeedSilent", feed="coinbase")
    (queue,) = office.outbox.queues().values()

    assert (queue.channel, queue.deliveries, queue.due_s, queue.failing_s) == (
        "slack",
        2,
        office.now_s,
        office.now_s,
    )


# --- who stands in ---


def test_another_channel_stands_in_for_one_that_fails_for_too_long(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=55.0)
    office.now_s += 55.0
    assert office.stand_in() == []

    office.fail("slack")
    office.now_s += 5.0
    assert office.stand_in() == ["pager"]
    assert office.next("pager") == "firing FeedSilent binance"
    assert office.stand_in() == []


def test_what_it_stood_in_for_may_still_arrive(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack")
    office.now_s += 60.0
    office.stand_in()

    assert office.states() == {"firing slack": "queued", "firing pager": "queued"}


def test_one_stands_in_for_another_until_one_delivers(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack")
    office.now_s += 60.0
    office.stand_in()
    office.fail("pager")
    office.now_s += 60.0
    assert office.stand_in() == ["phone"]

    office.deliver("phone")
    office.now_s += 600.0
    assert office.stand_in() == []


def test_nobody_stands_in_while_another_channel_is_about_to_deliver_the_same(file: StateFile) -> None:
    office = Office(file, BOTH)
    office.fire("FeedSilent", feed="binance")
    office.wait("30s")
    office.fail("slack")
    office.now_s += 59.0
    assert office.stand_in() == []

    office.deliver("pager")
    office.now_s += 600.0
    assert office.stand_in() == []


def test_only_who_makes_something_of_it_stands_in(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.wait("15m")
    office.deliver("pager")
    office.ack("FeedSilent")
    office.refuse("pager")

    assert office.states()["acknowledged pager"] == "queued"
    assert office.stand_in() == []


def test_what_is_refused_goes_to_another_at_once(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack")

    assert office.stand_in() == ["pager"]
    assert office.states() == {"firing slack": "failed", "firing pager": "queued"}


def test_what_waits_for_a_channel_that_was_refused_goes_to_another_and_is_not_sent_twice(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fire("FeedSilent", feed="coinbase")
    office.refuse("slack")

    assert office.stand_in() == ["pager", "pager"]
    office.now_s += 3600.0
    assert office.next("slack") is None


def test_what_is_new_for_a_channel_that_is_left_alone_goes_to_another_at_once(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=3600.0)
    office.stand_in()
    office.fire("FeedSilent", feed="coinbase")

    assert office.stand_in(["pager"]) == ["pager"]
    assert office.outbox.queues()["pager"].deliveries == 2


def test_what_the_only_channel_refused_is_tried_again_after_its_rest_and_in_order(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=60.0)
    office.end("FeedSilent")
    office.wait("50s")
    assert office.stand_in([]) == []
    assert office.next("slack") is None

    office.wait("10s")
    assert office.next("slack") == "firing FeedSilent binance"
    office.deliver("slack")
    assert office.next("slack") == "resolved FeedSilent binance"


def test_where_all_were_refused_one_that_rested_is_tried_again(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=60.0)
    office.stand_in(["pager"])
    office.refuse("pager", rest_s=3600.0)
    assert office.stand_in([]) == []

    office.now_s += 60.0
    assert office.stand_in(["slack"]) == ["slack"]
    assert office.states() == {"firing slack": "queued", "firing pager": "failed"}
    office.deliver("slack")
    assert office.states()["firing slack"] == "delivered"


def test_a_call_that_is_not_even_tried_for_too_long_goes_to_another(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.start("slack")  # and the server says nothing for a while
    office.fire("FeedSilent", feed="coinbase")
    office.now_s += 59.0
    assert office.stand_in() == []

    office.now_s += 1.0
    assert office.stand_in() == ["pager", "pager"]


def test_what_is_not_urgent_waits_for_its_turn(office: Office) -> None:
    office.fire("DiskLow", "warning")
    office.wait("30m")

    assert office.stand_in() == []


def test_who_stood_in_is_told_the_end(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack")
    given = office.outbox.stand_in(60.0, ["pager"], lambda _name, _kind: True)
    office.change(lambda turn: join(turn, given))
    office.deliver("pager")
    office.end("FeedSilent")
    office.wait("1m")

    assert office.next("pager") == "resolved FeedSilent binance"


# --- a channel that works again ---


def test_what_waited_for_a_channel_goes_as_soon_as_it_works_again(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=3600.0)
    office.fire("FeedSilent", feed="coinbase")
    assert office.next("slack") is None

    office.outbox.enable("slack")
    assert office.next("slack") == "firing FeedSilent coinbase"
    assert office.outbox.disabled() == {}


def test_a_pause_that_the_other_side_asked_for_is_kept_even_so(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=3600.0)
    office.outbox.enable("slack")

    assert office.next("slack") is None


def test_a_delivery_says_that_its_channel_works(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fire("FeedSilent", feed="coinbase")
    office.refuse("slack", rest_s=60.0)
    office.now_s += 60.0
    office.deliver("slack")

    assert office.outbox.disabled() == {}


def test_how_often_a_channel_was_refused_is_counted(office: Office) -> None:
    for again_s in (60.0, 120.0):
        office.outbox.disable("slack", "gone", office.now_s + again_s)

    assert office.outbox.disabled() == {
        "slack": {
            "channel": "slack",
            "since_s": office.now_s,
            "again_s": office.now_s + 120.0,
            "failures": 2,
            "reason": "gone",
        }
    }


# --- what nobody needs to hear any more ---


def test_what_is_under_way_when_somebody_acknowledges_is_not_tried_again(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    delivery = office.start("slack")
    office.ack("FeedSilent")
    office.outbox.put_off(delivery, office._attempt("transient"), office.now_s + 2)
    office.now_s += 600.0

    assert office.states()["firing slack"] == "withdrawn"
    assert office.next("slack") is None
    assert office.stand_in() == []


def test_what_is_under_way_when_somebody_acknowledges_may_still_arrive(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    delivery = office.start("slack")
    office.ack("FeedSilent")
    office.outbox.delivered(delivery, office._attempt("delivered"), "")

    assert office.states()["firing slack"] == "delivered"


def test_what_was_under_way_and_acknowledged_is_not_sent_again_after_a_restart(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.start("slack")
    office.ack("FeedSilent")

    assert office.outbox.recover(["slack", "pager", "phone"], office.now_s) == Counter()
    assert office.next("slack") is None


def test_a_call_that_tells_of_an_end_as_well_is_sent_even_when_it_was_acknowledged(office: Office) -> None:
    office.fire("FeedSilent", feed="binance", symbol="BTCUSDT")
    office.fire("FeedSilent", feed="binance", symbol="ETHUSDT")
    while office.next("slack"):
        office.deliver("slack")
    office.end("FeedSilent", symbol="BTCUSDT")
    office.wait("2m")
    office.fire("FeedSilent", feed="binance", symbol="SOLUSDT")
    office.ack("FeedSilent")

    (told,) = [one for one in office.told if len(one.message.alerts) == 2 and one.kind == "firing"]
    assert [one.ended_s is None for one in told.message.alerts] == [True, False]
    assert office.next("slack") is not None


def test_nobody_stands_in_for_a_call_that_was_acknowledged(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack")
    office.ack("FeedSilent")

    assert office.stand_in() == []
    office.now_s += 60.0
    assert office.next("slack") is None


def test_a_message_about_many_is_taken_back_once_nobody_is_needed_for_any(office: Office) -> None:
    office.fire_together("FeedSilent", label="feed", values=[f"feed{number}" for number in range(8)])
    numbers = sorted(office.state.alerts)
    for _ in range(4):
        office.deliver("slack")
    for number in numbers[4:-1]:
        office.ack_number(number)
    assert office.next("slack") == "firing 4 at once"

    office.ack_number(numbers[-1])
    assert office.next("slack") is None


def test_its_beginning_is_told_even_when_it_is_over_and_its_calls_are_not(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.wait("15m")
    office.end("FeedSilent")
    office.wait("1m")

    assert office.states() == {
        "firing slack": "queued",
        "escalation pager": "withdrawn",
        "resolved slack": "queued",
        "resolved pager": "queued",
    }


# --- after a start ---


def test_what_was_under_way_at_the_end_is_sent_again_and_counted(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.start("slack")

    assert office.outbox.recover(["slack"], office.now_s) == Counter({"slack": 1})
    assert office.next("slack") == "firing FeedSilent binance"


def test_while_nothing_ran_nothing_was_late(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.now_s += 3600.0
    office.outbox.recover(["slack", "pager"], office.now_s)

    assert office.stand_in() == []


def test_what_was_refused_before_a_restart_does_not_wait_behind_what_is_newer(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=5.0)
    office.now_s += 10.0
    office.fire("FeedSilent", feed="coinbase")
    office.now_s += 3600.0
    office.outbox.recover(["slack", "pager", "phone"], office.now_s + 60.0)

    assert office.next("slack") == "firing FeedSilent binance"
    office.deliver("slack")
    assert office.next("slack") == "firing FeedSilent coinbase"


def test_what_waits_for_a_channel_that_is_gone_goes_to_another(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.outbox.recover(["pager"], office.now_s)

    assert office.stand_in(["pager"]) == ["pager"]
    assert office.states() == {"firing slack": "failed", "firing pager": "queued"}


def test_what_waits_for_a_channel_that_is_gone_waits_for_one_that_comes(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.outbox.recover([], office.now_s)
    assert office.stand_in([]) == []

    office.now_s += 3600.0
    assert office.stand_in(["phone"]) == ["phone"]


def test_a_channel_that_was_left_alone_is_tried_soon_after_a_start(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=3600.0)
    office.outbox.recover(["slack"], office.now_s + 60.0)
    office.now_s += 60.0

    assert office.outbox.disabled()["slack"]["again_s"] == office.now_s
    assert office.next("slack") == "firing FeedSilent binance"


# --- what makes the dead-man's switch fall silent ---

CHANNELS = ("slack", "pager", "phone")


def test_nothing_is_stuck_where_everything_is_delivered(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.deliver("slack")
    office.now_s += 600.0

    assert (office.outbox.stuck_s(CHANNELS), office.outbox.unheard_s()) == (0.0, 0.0)


def test_what_nobody_tries_is_stuck(office: Office) -> None:
    office.fire("DiskLow", "warning")
    office.wait("30s")
    office.now_s += 200.0

    assert office.outbox.stuck_s(CHANNELS) == 200.0
    assert office.outbox.stuck_s(["pager"]) == 0.0


def test_an_attempt_that_does_not_end_is_stuck(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.start("slack")
    office.now_s += 200.0

    assert office.outbox.stuck_s(CHANNELS) == 200.0


def test_what_fails_and_is_tried_is_not_stuck_nor_what_waits_behind_it(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=600.0)
    office.end("FeedSilent")
    office.wait("200s")

    assert office.states() == {"firing slack": "queued", "resolved slack": "queued"}
    assert office.outbox.stuck_s(CHANNELS) == 0.0


def test_what_another_channel_delivered_is_not_stuck(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.now_s += 60.0
    office.stand_in()
    office.deliver("pager")
    office.now_s += 600.0

    assert (office.outbox.stuck_s(CHANNELS), office.outbox.unheard_s()) == (0.0, 0.0)


@pytest.mark.parametrize("how", ["fail", "refuse", "start"])
def test_a_call_that_reaches_nobody_is_unheard_whatever_is_tried(office: Office, how: str) -> None:
    office.fire("FeedSilent", feed="binance")
    getattr(office, how)("slack")
    office.now_s += 200.0
    office.stand_in([])

    assert office.outbox.unheard_s() == 200.0


def test_what_was_acknowledged_need_not_be_heard(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack")
    office.ack("FeedSilent")
    office.now_s += 200.0

    assert office.outbox.unheard_s() == 0.0


def test_what_is_not_urgent_may_fail_for_a_while(office: Office) -> None:
    office.fire("DiskLow", "warning")
    office.wait("30s")
    office.fail("slack")
    office.now_s += 200.0

    assert office.outbox.unheard_s() == 0.0


# --- receipts ---


def test_a_receipt_is_open_until_nobody_is_needed(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.wait("15m")
    office.deliver("pager", receipt="r1")
    (receipt,) = office.outbox.receipts()
    assert (receipt.channel, receipt.receipt, receipt.is_open) == ("pager", "r1", True)

    office.ack("FeedSilent")
    assert [one.is_open for one in office.outbox.receipts()] == [False]
    office.outbox.close_receipt(receipt)
    assert office.outbox.receipts() == []


def test_a_receipt_is_not_open_once_it_is_over(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.wait("15m")
    office.deliver("pager", receipt="r1")
    office.end("FeedSilent")
    office.wait("1m")

    assert [one.is_open for one in office.outbox.receipts()] == [False]


def test_every_attempt_is_kept(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack")
    office.now_s += 5
    office.deliver("slack")

    rows = office.file._connection.execute("SELECT outcome, at_s FROM attempts ORDER BY attempt_id").fetchall()
    assert [tuple(row) for row in rows] == [("transient", office.now_s - 5), ("delivered", office.now_s)]


def test_a_second_outbox_over_the_same_file_sees_the_same(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    again = Outbox(office.file, lambda: office.now_s).next("slack")

    assert again is not None
    assert again.message == office.told[0].message


def test_a_clock_that_is_set_back_holds_nothing_up(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.fail("slack", again_s=20.0)
    office.now_s -= 3600.0
    office.outbox.set_back(3600.0)
    assert office.outbox.next_due_s("slack") == office.now_s + 20.0

    office.now_s += 60.0
    assert office.stand_in() == ["pager"]


def test_a_channel_that_is_left_alone_rests_no_longer_for_it(office: Office) -> None:
    office.fire("FeedSilent", feed="binance")
    office.refuse("slack", rest_s=60.0)
    office.now_s -= 3600.0
    office.outbox.set_back(3600.0)

    assert office.outbox.disabled()["slack"]["again_s"] == office.now_s + 60.0
    assert office.stand_in() == ["pager"]
