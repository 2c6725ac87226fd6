"""What was, as it is shown: the newest first, each notification with its deliveries and every attempt."""

import pytest

from services.alerter.messages import Kind
from services.alerter.store.file import StateFile
from services.alerter.store.history import KEPT_S, History
from tests.unit.services.alerter.store.kept import Office


@pytest.fixture
def office(file: StateFile) -> Office:
    return Office(file)


@pytest.fixture
def history(office: Office) -> History:
    return History(office.file)


def test_alerts_are_shown_the_newest_first_in_pages(office: Office, history: History) -> None:
    for feed in ("a", "b", "c"):
        office.fire("FeedSilent", feed=feed)
    first = history.alerts(firing=False, before=None, limit=2)
    second = history.alerts(firing=False, before=first[-1].alert_id, limit=2)

    assert [[one.labels["feed"] for one in page] for page in (first, second)] == [["c", "b"], ["a"]]


def test_what_fires_can_be_asked_for_alone(office: Office, history: History) -> None:
    office.fire("FeedSilent", feed="a")
    office.fire("FeedSilent", feed="b")
    office.end("FeedSilent", feed="b")
    office.wait("1m")

    assert [one.labels["feed"] for one in history.alerts(firing=True, before=None, limit=9)] == ["a"]


def test_an_alert_is_shown_as_it_is(office: Office, history: History) -> None:
    office.fire("FeedSilent", feed="a", note='a "quoted"\nline \\ 🔥')
    office.ack("FeedSilent", by="me")

    assert history.alert(1) == office.state.alerts[1]
    assert history.alert(2) is None


def test_a_notification_has_its_message_its_deliveries_and_every_attempt(office: Office, history: History) -> None:
    office.fire("FeedSilent", feed="a")
    office.fail("slack")
    office.now_s += 5
    office.deliver("slack")
    office.fire("FeedSilent", feed="b")
    newest, oldest = history.notifications(alert_id=None, before=None, limit=9)

    assert oldest["message"] == office.told[0].message
    (delivery,) = oldest["deliveries"]
    assert (delivery["channel"], delivery["state"]) == ("slack", "delivered")
    assert [one["outcome"] for one in delivery["attempts"]] == ["transient", "delivered"]
    assert [one["attempts"] for one in newest["deliveries"]] == [[]]


def test_the_notifications_of_one_alert_can_be_asked_for(office: Office, history: History) -> None:
    office.fire("FeedSilent", feed="a")
    office.fire("FeedSilent", feed="b")
    office.wait("15m")

    kinds = [one["kind"] for one in history.notifications(alert_id=1, before=None, limit=9)]
    assert kinds == [Kind.ESCALATION, Kind.FIRING]
    assert history.notifications(alert_id=99, before=None, limit=9) == []


def test_notifications_come_in_pages(office: Office, history: History) -> None:
    for feed in ("a", "b", "c"):
        office.fire("FeedSilent", feed=feed)
    (first,) = history.notifications(alert_id=None, before=None, limit=1)
    (second,) = history.notifications(alert_id=None, before=first["notification_id"], limit=1)

    assert (first["notification_id"], second["notification_id"]) == (3, 2)


def test_what_a_notification_told_of_is_known_by_its_number(office: Office, history: History) -> None:
    office.fire_together("FeedSilent", label="symbol", values=["x", "y"])

    assert history.notified(1) == [1, 2]
    assert history.message(1) == office.told[0].message
    assert (history.notified(9), history.message(9)) == ([], None)


def test_what_came_and_went_unseen_is_shown_as_well(office: Office, history: History) -> None:
    office.post("info", "said and done")

    assert [one.labels["title"] for one in history.alerts(firing=False, before=None, limit=9)] == ["said and done"]


def test_silences_are_shown_the_newest_first_and_the_ended_if_asked(office: Office, history: History) -> None:
    office.silence("1h", alertname="A")
    office.silence("3h", alertname="B")
    office.now_s += 7200

    assert [one.match for one in history.silences(now_s=office.now_s, ended=False)] == [{"alertname": "B"}]
    assert [one.match for one in history.silences(now_s=office.now_s, ended=True)] == [
        {"alertname": "B"},
        {"alertname": "A"},
    ]


def test_what_is_older_than_a_quarter_is_forgotten_with_all_that_belongs_to_it(
    office: Office, history: History
) -> None:
    office.fire("FeedSilent", feed="a")
    office.deliver("slack")
    office.end("FeedSilent")
    office.wait("1m")
    office.deliver("slack")
    history.prune(office.now_s + KEPT_S - 3600)
    assert len(history.notifications(alert_id=None, before=None, limit=9)) == 2

    history.prune(office.now_s + KEPT_S + 1)
    tables = ("alerts", "notifications", "notified", "deliveries", "attempts")
    counts = [office.file._connection.execute(f"SELECT count(*) FROM {one}").fetchone()[0] for one in tables]
    assert counts == [0] * 5


def test_what_still_fires_or_waits_is_kept_however_old_it_is(office: Office, history: History) -> None:
    office.fire("FeedSilent", feed="a")
    history.prune(office.now_s + 2 * KEPT_S)

    assert history.alert(1) is not None
    assert len(history.notifications(alert_id=None, before=None, limit=9)) == 1
