"""News in words, as a person reads them, of every kind; and whatever a rule writes, they are bounded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.alerter import wording
from services.alerter.alerts import NAME, SEVERITY, Acknowledgement, Alert, Source, fingerprint_of
from services.alerter.messages import MAX_TOLD, Kind, Message, Tier
from services.alerter.news import News
from services.alerter.wording import MAX_ITEMS, MAX_LINE, MAX_TEXT, Words

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
WORDS = {
    "summary": "binance is silent",
    "description": "Nothing was heard for 62 s: no trade is recorded.",
    "last_good": "BTCUSDT at 50000.5, 62 s ago",
    "runbook_url": "docs/runbooks/FeedSilent.md",
}
TOLD = Acknowledgement(at_s=NOON + 300, by="me", note="on it")


def an_alert(
    number: int = 1,
    name: str = "FeedSilent",
    *,
    words: Mapping[str, str] = WORDS,
    tier: Tier = Tier.CRITICAL,
    started_s: float = NOON,
    ended_s: float | None = None,
    word: Acknowledgement | None = None,
    **labels: str,
) -> Alert:
    every = {NAME: name, SEVERITY: tier.value, **(labels or {"feed": "binance"})}
    return Alert(
        alert_id=number,
        fingerprint=fingerprint_of(every),
        source=Source.PROMETHEUS,
        tier=tier,
        group="g",
        labels=every,
        annotations=words,
        started_s=started_s,
        seen_s=started_s,
        ended_s=ended_s,
        acknowledged=word,
    )


def summary(text: str) -> dict[str, str]:
    return {"summary": text}


def a_post(number: int = 7, *, tier: Tier = Tier.INFO, **fields: str) -> Alert:
    labels = {NAME: "Notification", SEVERITY: tier.value, "title": "3 movers before the open", **fields}
    words = {"summary": "3 movers before the open", "description": "NVDA +4 %\nAMD +3 %"}
    return replace(
        an_alert(number, words=words, tier=tier),
        labels=labels,
        source=Source.POST,
        is_momentary=tier is not Tier.CRITICAL,
        ended_s=None if tier is Tier.CRITICAL else NOON,
    )


def said(
    kind: Kind,
    *,
    firing: tuple[Alert, ...] = (),
    ended: tuple[Alert, ...] = (),
    after_s: float = 62.0,
    public_url: str | None = None,
    zone: str = "UTC",
) -> Message:
    words = Words(
        zone=ZoneInfo(zone),
        public_url=public_url,
        sign=lambda number, now_s: f"{number}-token",
        per_day=7,
        digest_at="07:30 and 18:00",
    )
    tier = Tier.INFO if kind in {Kind.NOTICE, Kind.DIGEST} else Tier.CRITICAL
    return words(News(kind=kind, tier=tier, firing=firing, ended=ended, dedup_key="key"), 42, NOON + after_s)


def read(message: Message) -> str:
    """Return a message as one text, to be read by eye."""
    lines = [message.title, message.text, *(f"{name}: {text}" for name, text in message.facts)]
    lines += [f"- {item}" for item in message.items]
    lines += [f"[{label}] {url}" for label, url in message.links]
    lines += [f"[Acknowledge] {message.acknowledge_url}"] if message.acknowledge_url else []
    return "\n".join(line for line in [*lines, message.hint] if line)


# --- one alert, from its beginning to its end ---


def test_what_fires_says_what_broke_since_when_what_it_means_and_what_to_do() -> None:
    assert read(said(Kind.FIRING, firing=(an_alert(),))) == (
        "binance is silent\n"
        "Nothing was heard for 62 s: no trade is recorded.\n"
        "Since: Mon 12:00:00 UTC, for 1 min 2 s\n"
        "Last good value: BTCUSDT at 50000.5, 62 s ago\n"
        "Runbook: docs/runbooks/FeedSilent.md\n"
        "Alert: FeedSilent #1\n"
        "Acknowledge on the server: make ack ID=1"
    )


def test_with_an_address_from_outside_it_has_links_that_work() -> None:
    message = said(Kind.FIRING, firing=(an_alert(),), public_url="https://desk.example.com")

    assert read(message) == (
        "binance is silent\n"
        "Nothing was heard for 62 s: no trade is recorded.\n"
        "Since: Mon 12:00:00 UTC, for 1 min 2 s\n"
        "Last good value: BTCUSDT at 50000.5, 62 s ago\n"
        "Alert: FeedSilent #1\n"
        "[Runbook] https://desk.example.com/runbooks/FeedSilent\n"
        "[Alerts] https://desk.example.com/alerts\n"
        "[Grafana] https://desk.example.com/grafana/\n"
        "[Acknowledge] https://desk.example.com/ack/42-token\n"
        "Acknowledge on the server: make ack ID=1"
    )


def test_without_an_address_from_outside_there_is_no_link_that_leads_nowhere() -> None:
    message = said(Kind.FIRING, firing=(an_alert(),))

    assert (message.links, message.acknowledge_url) == ((), None)


def test_times_are_those_of_the_persons_zone() -> None:
    facts = dict(said(Kind.FIRING, firing=(an_alert(),), zone="America/New_York").facts)

    assert facts["Since"] == "Mon 07:00:00 EST, for 1 min 2 s"


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (Kind.FIRING, "binance is silent"),
        (Kind.ESCALATION, "Nobody has acknowledged for 15 min 2 s: binance is silent"),
        (Kind.REPEAT, "Still firing after 15 min 2 s: binance is silent"),
    ],
)
def test_each_call_says_which_it_is(kind: Kind, title: str) -> None:
    message = said(kind, firing=(an_alert(),), after_s=902)

    assert message.title == title
    assert message.hint == "Acknowledge on the server: make ack ID=1"


def test_what_is_acknowledged_says_by_whom_and_asks_for_nothing() -> None:
    message = said(Kind.ACKNOWLEDGED, firing=(an_alert(word=TOLD),), public_url="https://desk.example.com")

    assert message.title == "Acknowledged by me: binance is silent"
    assert dict(message.facts)["Acknowledged"] == "Mon 12:05:00 UTC by me"
    assert (message.acknowledge_url, message.hint) == (None, "")


def test_what_is_over_says_from_when_to_when() -> None:
    message = said(Kind.RESOLVED, ended=(an_alert(ended_s=NOON + 750, word=TOLD),), after_s=765)

    assert read(message) == (
        "Over after 12 min 30 s: binance is silent\n"
        "Nothing was heard for 62 s: no trade is recorded.\n"
        "From: Mon 12:00:00 UTC to Mon 12:12:30 UTC\n"
        "Acknowledged: Mon 12:05:00 UTC by me\n"
        "Runbook: docs/runbooks/FeedSilent.md\n"
        "Alert: FeedSilent #1"
    )


def test_what_came_and_went_unseen_says_so() -> None:
    message = said(Kind.MISSED, ended=(an_alert(ended_s=NOON + 40),), after_s=3600)

    assert read(message).splitlines()[:3] == [
        "Came and went within 40 s: binance is silent",
        "It fired and was over before anybody could be told. Nothing was heard for 62 s: no trade is recorded.",
        "From: Mon 12:00:00 UTC to Mon 12:00:40 UTC",
    ]


# --- several at once ---


def test_several_of_one_name_are_counted_and_listed() -> None:
    firing = tuple(
        an_alert(number, "SymbolSilent", words=summary(f"{symbol} is silent"), started_s=NOON + number, symbol=symbol)
        for number, symbol in enumerate(["BTCUSDT", "ETHUSDT", "SOLUSDT"], start=1)
    )
    ended = (an_alert(4, "SymbolSilent", words={"summary": "XRPUSDT is silent"}, ended_s=NOON + 30),)

    assert read(said(Kind.FIRING, firing=firing, ended=ended)) == (
        "SymbolSilent: 3 at once\n"
        "Since: Mon 12:00:01 UTC, for 1 min 1 s\n"
        "Alert: SymbolSilent #1, #2, #3, #4\n"
        "- BTCUSDT is silent (1 min 1 s)\n"
        "- ETHUSDT is silent (1 min)\n"
        "- SOLUSDT is silent (59 s)\n"
        "- over: XRPUSDT is silent (Mon 12:00:00 UTC to Mon 12:00:30 UTC)\n"
        "Acknowledge on the server: make ack ID=1"
    )


def test_several_of_several_names_are_named_with_their_counts() -> None:
    names = ["A", "B", "B", "C", "D", "E", "F", "F", "F"]
    firing = tuple(an_alert(number, name, symbol=f"{number}") for number, name in enumerate(names, start=1))
    message = said(Kind.FIRING, firing=firing)

    assert message.title == "9 alerts at once: F 3, B 2, A 1, C 1, D 1"
    assert dict(message.facts)["Alert"] == "A #1, #2, #3, #4, #5 ..."


def test_a_list_that_is_too_long_is_cut_and_says_so() -> None:
    firing = tuple(an_alert(number, symbol=f"{number}") for number in range(1, 5001))
    message = said(Kind.FIRING, firing=firing)

    assert len(message.items) == MAX_ITEMS + 1
    assert message.items[-1] == "and 4800 more"
    assert (len(message.alerts), message.more_alerts) == (MAX_TOLD, 5000 - MAX_TOLD)


# --- digest, budget, posts, test ---


def test_a_digest_has_a_line_for_each_thing_the_most_frequent_first() -> None:
    often = tuple(
        an_alert(
            number, "Reconnecting", words=summary("binance reconnects"), started_s=NOON + at, ended_s=NOON + at + 20
        )
        for number, at in enumerate([0, 600, 1200], start=1)
    )
    going_on = an_alert(4, "GapOpen", words={"summary": "A gap is open"}, started_s=NOON + 1800)
    message = said(Kind.DIGEST, firing=(replace(going_on, told_s=NOON),), ended=(*often, a_post()), after_s=21_600)

    assert read(message) == (
        "Digest: 4 new, 1 going on, 4 over\n"
        "- A gap is open (Mon 12:30:00 UTC, going on)\n"
        "- binance reconnects (3 times, Mon 12:20:00 UTC, over after 20 s)\n"
        "- 3 movers before the open (Mon 12:00:00 UTC)"
    )


def test_the_end_of_the_budget_says_where_the_rest_is() -> None:
    assert read(said(Kind.NOTICE)) == (
        "The budget of 7 messages a day is used up\n"
        "What else comes today and is not critical waits for the digest at 07:30 and 18:00."
    )


def test_what_a_job_says_is_told_as_it_said_it() -> None:
    assert read(said(Kind.MESSAGE, ended=(a_post(job="scan", universe="sp500"),))) == (
        "3 movers before the open\nNVDA +4 %\nAMD +3 %\njob: scan\nuniverse: sp500"
    )


def test_what_a_job_says_that_is_critical_asks_for_an_acknowledgement() -> None:
    message = said(Kind.FIRING, firing=(a_post(tier=Tier.CRITICAL, job="momentum"),))

    assert message.title == "3 movers before the open"
    assert message.hint == "Acknowledge on the server: make ack ID=7"


def test_a_test_names_its_channel_and_asks_for_nothing() -> None:
    message = wording.test_message(42, "slack-desk")

    assert (message.title, message.kind, message.dedup_key) == (
        "Test of the channel slack-desk",
        Kind.TEST,
        "nightdesk-test-42",
    )
    assert (message.acknowledge_url, message.hint) == (None, "")


# --- rules that say little, or too much ---


def test_a_rule_without_words_is_told_by_its_labels() -> None:
    message = said(Kind.FIRING, firing=(an_alert(words={}, feed="binance", shard="3"),))

    assert message.title == "FeedSilent (feed=binance, shard=3)"
    assert (message.text, [name for name, _ in message.facts]) == ("", ["Since", "Alert"])


def test_a_summary_of_nothing_but_spaces_is_none() -> None:
    assert said(Kind.FIRING, firing=(an_alert(words={"summary": " \n "}),)).title == "FeedSilent (feed=binance)"


def test_a_title_is_one_line_whatever_it_is_made_of() -> None:
    words = {"summary": "a\r\nBcc: everybody\x0b\u2028and 'so' \"on\" 🔥"}

    assert said(Kind.FIRING, firing=(an_alert(words=words),)).title == "a Bcc: everybody and 'so' \"on\" 🔥"


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://wiki.example.com/feeds", "https://wiki.example.com/feeds"),
        ("docs/runbooks/FeedSilent.md", "https://desk.example.com/runbooks/FeedSilent"),
        ("../../../etc/passwd", "https://desk.example.com/runbooks/passwd"),
        ("javascript:alert(1)", "https://desk.example.com/runbooks/javascript:alert(1)"),
    ],
)
def test_a_runbook_is_where_a_browser_reaches_it(url: str, link: str) -> None:
    words = {**WORDS, "runbook_url": url}
    message = said(Kind.FIRING, firing=(an_alert(words=words),), public_url="https://desk.example.com")

    assert message.links[0] == ("Runbook", link)


def test_ten_thousand_characters_are_cut_and_the_end_shows_it() -> None:
    long = "x" * 10_000
    words = {"summary": long, "description": long, "last_good": long, "runbook_url": long}
    message = said(Kind.FIRING, firing=(an_alert(words=words), an_alert(2, words=words, feed=long)))

    assert message.text.endswith("x ...")
    assert bounded(message)


def bounded(message: Message) -> bool:
    lines = [message.title, *message.items, *(part for fact in message.facts for part in fact)]
    return (
        all(len(line) <= MAX_LINE and "\n" not in line for line in lines)
        and len(message.text) <= MAX_TEXT
        and len(message.items) <= MAX_ITEMS + 1
        and len(message.alerts) <= MAX_TOLD
        and bool(message.title)
    )


texts = st.text(max_size=40) | st.text(min_size=500, max_size=600)
moments = st.floats(0, 4e9)
words_of_rules = st.dictionaries(st.sampled_from([*WORDS, "more"]), texts)


@st.composite
def alerts(draw: st.DrawFn, *, over: bool) -> Alert:
    started_s = draw(moments)
    alert = an_alert(
        draw(st.integers(1, 2**53)),
        draw(texts),
        words=draw(words_of_rules),
        tier=draw(st.sampled_from(Tier)),
        started_s=started_s,
        ended_s=started_s + draw(st.floats(0, 1e6)) if over else None,
        word=draw(st.none() | st.just(TOLD)),
        label=draw(texts),
    )
    return replace(alert, source=draw(st.sampled_from(Source)), is_momentary=draw(st.booleans()))


@settings(max_examples=50)
@given(
    st.sampled_from(sorted(set(Kind) - {Kind.TEST, Kind.NOTICE})),
    st.lists(alerts(over=False), max_size=4),
    st.lists(alerts(over=True), max_size=4),
    moments,
    st.none() | st.just("https://desk.example.com"),
)
def test_whatever_happens_there_are_words_for_it_and_they_are_bounded(
    kind: Kind, firing: list[Alert], ended: list[Alert], now_s: float, public_url: str | None
) -> None:
    assume(ended if kind in {Kind.RESOLVED, Kind.MISSED} else firing or (kind is Kind.MESSAGE and ended))
    message = said(kind, firing=tuple(firing), ended=tuple(ended), after_s=now_s - NOON, public_url=public_url)

    assert bounded(message)


# --- moments in a rule's words ---


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-23 11:59:58.054 +0000 UTC", "Mon 06:59:58 EST"),
        ("2026-11-23 11:59:58 +0000 UTC", "Mon 06:59:58 EST"),
        ("2026-11-01 11:59:58 +0000 UTC", "2026-11-01 06:59:58 EST"),
        ("2026-13-41 11:59:58 +0000 UTC", "2026-13-41 11:59:58 +0000 UTC"),
        ("0001-01-01 00:00:00 +0000 UTC", "0001-01-01 00:00:00 +0000 UTC"),
        ("2026-11-23 11:59:58 CET", "2026-11-23 11:59:58 CET"),
    ],
)
def test_what_a_rule_writes_of_a_moment_is_told_in_the_zone_of_the_person(written: str, read: str) -> None:
    words = {"summary": f"silent since {written}", "description": f"since {written}.", "last_good": f"at {written}"}

    message = said(Kind.FIRING, firing=(an_alert(words=words),), zone="America/New_York")

    assert message.title == f"silent since {read}"
    assert message.text == f"since {read}."
    assert f"at {read}" in [fact.text for fact in message.facts]


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/reports/daily/2026-11-19", "https://desk.example.com/reports/daily/2026-11-19"),
        ("/reports/a b", "https://desk.example.com/reports/a%20b"),
        ("https://elsewhere.example.com/reports/", None),
        ("//elsewhere.example.com/reports/", None),
    ],
)
def test_a_message_that_sums_up_a_report_links_to_it(path: str, link: str | None) -> None:
    message = said(Kind.FIRING, firing=(a_post(report=path),), public_url="https://desk.example.com")

    assert dict(message.links).get("Report") == link


def test_only_a_posts_label_is_a_report() -> None:
    of_a_rule = replace(an_alert(1), labels={NAME: "FeedSilent", "report": "/reports/daily/2026-11-19"})

    assert "Report" not in dict(said(Kind.FIRING, firing=(of_a_rule,), public_url="https://desk.example.com").links)
