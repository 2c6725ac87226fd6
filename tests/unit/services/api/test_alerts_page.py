import html
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from markupsafe import escape

from nightdesk.alerting import Alert, Channel, Link, Notification, Silence
from nightdesk.matchers import read_matchers
from services.api.alerts_page import (
    View,
    about_link,
    after_link,
    nobody_would_be_woken,
    rendered,
    runbook_of,
    state_of,
)
from services.api.templates import Html
from tests.unit.services.api.alerts import (
    AT,
    LATER,
    a_channel,
    a_delivery,
    a_notification,
    a_silence,
    an_alert,
    an_attempt,
)

NOW = datetime(2026, 1, 5, 14, 45, tzinfo=UTC)


def a_page(
    *,
    firing: Sequence[dict[str, Any]] = (),
    ended: Sequence[dict[str, Any]] = (),
    older: int | None = None,
    told: Sequence[dict[str, Any]] = (),
    silences: Sequence[dict[str, Any]] = (),
    channels: Sequence[dict[str, Any]] = (),
) -> Html:
    view = View(
        firing=[Alert.model_validate(one) for one in firing],
        ended=[Alert.model_validate(one) for one in ended],
        older=older,
        told=[Notification.model_validate(one) for one in told],
        silences=[Silence.model_validate(one) for one in silences],
        channels=[Channel.model_validate(one) for one in channels],
        now=NOW,
    )
    return rendered(view, {"places": {}, "here": "", "elsewhere": {}, "is_logged_in": False})


def words(page: Html) -> str:
    """Return what a person reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split()).replace(" ,", ",")


def test_an_alert_says_what_broke_since_when_and_the_last_good_value() -> None:
    said = words(a_page(firing=[an_alert()]))

    assert "Firing now: 1" in said
    assert "critical BTC-USD of coinbase is silent for 15 min" in said
    assert "#12 SymbolSilent, since Mon 05 Jan 14:30 UTC, for 15 min" in said
    assert "Its market is open, and nothing has come." in said
    assert "Last good value: 67,000.5 at 14:15" in said


def test_an_alert_can_be_acknowledged_and_looked_up() -> None:
    page = a_page(firing=[an_alert()])

    assert '<form method="post" action="/alerts/12/ack"><button>Acknowledge #12</button></form>' in page
    assert 'href="/runbooks/SymbolSilent"' in page


def test_what_is_acknowledged_says_by_whom_and_has_no_button() -> None:
    known = an_alert(acknowledged_at=LATER, acknowledged_by="link", note="on it", state="acknowledged")

    page = a_page(firing=[known])

    assert "acknowledged by link at Mon 05 Jan 14:47 UTC: on it" in words(page)
    assert "/ack" not in page


def test_silencing_an_alert_is_prepared_with_its_very_labels() -> None:
    page = a_page(firing=[an_alert()])

    prepared = html.unescape(re.findall(r'id="match-12" name="match" value="([^"]*)"', page)[0])
    assert read_matchers(prepared) == {"alertname": "SymbolSilent", "symbol": "BTC-USD", "pair": r"a\.b"}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "firing, told at Mon 05 Jan 14:30 UTC"),
        ({"told_at": None}, "firing, nobody was told yet"),
        ({"hidden": True}, "hidden by a silence, or by another alert that explains it"),
        ({"ended_at": LATER, "state": "ended"}, "over"),
    ],
)
def test_who_knows_of_an_alert_is_said_in_words(changes: dict[str, Any], state: str) -> None:
    assert state_of(Alert.model_validate(an_alert(**changes))) == state


@pytest.mark.parametrize(
    ("runbook", "where"),
    [
        ("docs/runbooks/FeedSilent.md", "/runbooks/FeedSilent"),
        ("https://wiki.example.com/x", "https://wiki.example.com/x"),
        ("", None),
        ("javascript:alert(1)", None),
        ("docs/runbooks/..", None),
    ],
)
def test_a_runbook_is_linked_where_a_browser_reaches_it(runbook: str, where: str | None) -> None:
    assert runbook_of(Alert.model_validate(an_alert(runbook=runbook))) == where


def test_what_ended_says_how_long_it_was() -> None:
    said = words(a_page(ended=[an_alert(ended_at=LATER, state="ended")], older=7))

    assert "#12, Mon 05 Jan 14:30 UTC, over after 17 min 30 s" in said
    assert "Older" in said


def test_what_a_job_reported_has_no_end_to_speak_of() -> None:
    said = words(a_page(ended=[an_alert(ended_at=AT, state="ended", source="post")]))

    assert "#12, Mon 05 Jan 14:30 UTC Runbook" in said


def test_every_line_of_what_it_means_is_a_line() -> None:
    assert "<p>AAPL +5 %</p>\n<p>NVDA -4 %</p>" in a_page(firing=[an_alert(description="AAPL +5 %\nNVDA -4 %")])


def test_what_was_told_says_over_which_channels_and_what_failed_before() -> None:
    failed = an_attempt(outcome="transient", reason="server_error", status=500, detail="try later")

    said = words(a_page(told=[a_notification(a_delivery(failed, an_attempt()))]))

    assert "BTC-USD is silent firing, critical; slack-desk delivered" in said
    assert "Since: 14:30" in said
    assert "one of two" in said
    assert "14:30:00 UTC transient (server_error), HTTP 500, 120 ms: try later" in said
    assert "14:30:00 UTC delivered, HTTP 200, 120 ms" in said


def test_a_delivery_that_waits_says_when_it_is_due() -> None:
    said = words(a_page(told=[a_notification(a_delivery(state="queued", ended_at=None))]))

    assert "slack-desk: queued due at 14:30:00 UTC" in said


def test_what_no_channel_was_told_stands_here_all_the_same() -> None:
    assert "No channel was told: it stands in the log and here." in words(a_page(told=[a_notification()]))


def test_a_silence_says_what_it_hides_and_can_be_ended() -> None:
    page = a_page(silences=[a_silence()])

    assert "alertname=SymbolSilent, symbol=BTC.*" in words(page)
    assert "until Mon 05 Jan 14:47 UTC (2 min 30 s left), by me: maintenance" in words(page)
    assert 'action="/silences/3/end"' in page


def test_an_empty_desk_says_so() -> None:
    said = words(a_page(channels=[a_channel()]))

    assert [text for text in ("Nothing fires.", "Nothing has ended.", "Nothing is silenced.") if text not in said] == []


@pytest.mark.parametrize(
    ("states", "woken"),
    [
        (["not_configured", "not_configured"], False),
        ([], False),
        (["resting", "not_configured"], False),
        (["ready", "not_configured"], True),
        (["ready", "resting"], True),
    ],
)
def test_whether_anybody_would_be_woken_is_said_plainly(states: list[str], woken: bool) -> None:
    channels = [a_channel(state) for state in states]

    assert ("Nobody would be woken" in a_page(channels=channels)) is not woken
    assert (nobody_would_be_woken([Channel.model_validate(one) for one in channels]) is None) is woken


def test_every_field_of_a_form_has_a_label() -> None:
    page = a_page(firing=[an_alert(1), an_alert(2)], silences=[a_silence()])

    fields = re.findall(r'<input id="([^"]+)"', page)
    assert len(fields) == 9
    assert len(set(fields)) == len(fields)
    assert all(f'<label for="{field}">' in page for field in fields)
    assert len(re.findall("<input", page)) == len(fields)


EVIL = '"><script>alert(1)</script>'


def test_nothing_that_anybody_says_becomes_part_of_the_page() -> None:
    alert = an_alert(
        summary=EVIL, description=EVIL, last_good=EVIL, name=EVIL, tier=EVIL, runbook=f"https://{EVIL}",
        labels={"alertname": EVIL}, note=EVIL, acknowledged_by=EVIL, acknowledged_at=AT,
    )  # fmt: skip
    page = a_page(
        firing=[alert],
        ended=[alert | {"ended_at": LATER}],
        told=[
            a_notification(
                a_delivery(an_attempt(detail=EVIL, reason=EVIL), channel=EVIL, state=EVIL),
                title=EVIL, text=EVIL, facts=[[EVIL, EVIL]], items=[EVIL], kind=EVIL,
            )
        ],
        silences=[a_silence(match={"x": EVIL}, by=EVIL, reason=EVIL)],
        channels=[a_channel(channel=EVIL, detail=EVIL, kind=EVIL)],
    )  # fmt: skip

    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 20


def a_link(*alerts: dict[str, Any], is_open: bool) -> Link:
    return Link.model_validate({"title": "BTC is silent", "text": "Why.", "alerts": alerts, "open": is_open})


def test_a_link_says_what_it_is_about_and_has_one_button() -> None:
    page = about_link(a_link(an_alert(), is_open=True), "12-34-ab")

    assert page.count("<form") == page.count("<button") == 1
    assert '<form method="post" action="/ack/12-34-ab">' in page
    assert "BTC-USD of coinbase is silent for 15 min #12 SymbolSilent: firing" in words(page)


def test_a_link_that_is_of_no_more_use_has_no_button() -> None:
    page = about_link(a_link(an_alert(ended_at=LATER), is_open=False), "12-34-ab")

    assert "<button" not in page
    assert "nothing left to acknowledge" in page


def test_a_link_that_was_used_says_what_that_did() -> None:
    link = a_link(an_alert(acknowledged_at=AT, acknowledged_by="link"), is_open=False)

    assert "Acknowledged: #12, #14. Nobody is called about it any more." in words(after_link(link, [12, 14]))
    assert "acknowledged by link" in after_link(link, [])


@given(some.text(), some.text(), some.dictionaries(some.from_regex(r"[a-z]{1,5}", fullmatch=True), some.text()))
def test_any_text_can_be_shown(summary: str, runbook: str, labels: dict[str, str]) -> None:
    page = a_page(firing=[an_alert(summary=summary, runbook=runbook, labels=labels)])

    assert escape(summary) in page
