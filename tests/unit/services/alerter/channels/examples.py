"""Messages to send, and somebody's API that answers as it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from services.alerter.channel import Channel
from services.alerter.channels import CHANNELS, make
from services.alerter.messages import Fact, Kind, Link, Message, Tier, Told

NOW_S = 1_772_366_400.0  # 2026-03-01 12:00:00 UTC

SECRETS: Mapping[str, Mapping[str, str]] = {
    "slack": {"webhook_url": "https://hooks.slack.example/services/T0AAAAAA/B0BBBBBB/sEcReTsEcReT"},
    "discord": {"webhook_url": "https://discord.example/api/webhooks/123456/tOkEn-sEcReT"},
    "telegram": {"bot_token": "123456:AAsEcReTsEcReT", "chat_id": "-1000123"},
    "pushover": {"app_token": "aPpToKeNsEcReT", "user_key": "uSeRkEySeCrEt"},
    "pagerduty": {"routing_key": "rOuTiNgKeYsEcReT"},
    "smtp": {
        "url": "smtp://nobody:pAsSsEcReT@127.0.0.1:9",
        "sender": "Nightdesk <desk@sender.example>",
        "recipients": "one@there.example, Two <two@there.example>",
    },
    "webhook": {"url": "https://hook.example/in/pAtHsEcReT?key=qUeRySeCrEt", "secret": "sIgNiNgSeCrEt"},
    "apprise": {"urls": "json://user:pAsSsEcReT@127.0.0.1:9/pAtHsEcReT"},
}


@dataclass
class FakeAnswer:
    status_code: int = 200
    content: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeApi:
    """Answers in turn, the last answer again and again; raises what is an error."""

    answers: list[FakeAnswer | Exception] = field(default_factory=lambda: [FakeAnswer()])
    asked: list[tuple[str, str, Mapping[str, str], bytes | None]] = field(default_factory=list)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> FakeAnswer:
        self.asked.append((method, url, headers, body))
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


def answering(*answers: FakeAnswer | Exception) -> FakeApi:
    return FakeApi(list(answers))


def a_channel(kind: str, api: FakeApi | None = None, **options: Any) -> Channel:
    """Return a channel of this kind that calls the fake."""
    return make(
        CHANNELS[kind].options.model_validate({"kind": kind, **options}),
        SECRETS[kind],
        call=api or FakeApi(),
        wall_s=lambda: NOW_S,
    )


def a_message(**changes: Any) -> Message:
    """Return a message that calls somebody."""
    fields: dict[str, Any] = {
        "notification_id": 17,
        "kind": Kind.FIRING,
        "tier": Tier.CRITICAL,
        "title": "Feed binance is silent",
        "text": "No message for 62 s & the socket is open. Nothing of it is stored.",
        "facts": (
            Fact("Since", "Sun 12:00:00 UTC, for 62 s"),
            Fact("Last good value", "BTCUSDT 64,250.10 at 11:58:58 UTC"),
        ),
        "links": (Link("Runbook", "https://desk.example/runbooks/FeedSilent"),),
        "acknowledge_url": "https://desk.example/ack/17.abc?x=1&y=2",
        "hint": "Acknowledge on the server: make ack ID=3",
        "dedup_key": "FeedSilent/binance#3",
    }
    return Message(**{**fields, **changes})


def _texts(most: int) -> st.SearchStrategy[str]:
    """Return texts, long ones among them: a few characters that escaping makes longer, many times."""
    characters = st.text(max_size=most)
    awkward = st.text(alphabet="a &<>*_|\\`[]()\"'\n\r\t\0\u2028é🔴\ud800", max_size=40)
    return st.one_of(characters, st.builds(lambda text, times: text * times, awkward, st.integers(1, most // 4)))


URLS = st.one_of(
    st.none(),
    st.text(max_size=50),
    st.builds("https://desk.example/{}".format, st.text(max_size=30)),
    st.builds(lambda times: "https://desk.example/" + "a" * times, st.integers(0, 9000)),
)

MESSAGES = st.builds(
    Message,
    notification_id=st.integers(1, 10**9),
    kind=st.sampled_from(Kind),
    tier=st.sampled_from(Tier),
    title=_texts(2000),
    text=_texts(9000),
    facts=st.lists(st.builds(Fact, _texts(200), _texts(3000)), max_size=40).map(tuple),
    items=st.lists(_texts(800), max_size=80).map(tuple),
    links=st.lists(st.builds(Link, _texts(200), URLS.map(lambda url: url or "")), max_size=12).map(tuple),
    acknowledge_url=URLS,
    hint=_texts(2000),
    dedup_key=_texts(600),
    alerts=st.just((Told(alert_id=3, labels={"feed": "binance"}, started_s=NOW_S - 62),)),
)
"""Any message, however long and whatever is in it."""
