"""Every kind of channel that speaks HTTP, over the network: what a server may answer, and what it means."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from typing import Any

import pytest

from nightdesk.outbound import Bounds, call
from services.alerter.channel import Channel, LimitedError, PermanentError, Reason, TransientError
from services.alerter.channels import CHANNELS, make
from services.alerter.messages import Fact, Kind, Message, Tier
from tests.channel_server import SUCCESS, ChannelServer, Reply, hang, limited, ok, reset, status, trickle

pytestmark = pytest.mark.integration

KINDS = sorted(SUCCESS)
NOW_S = 1_772_366_400.0
BOUNDS = Bounds(timeout_s=(5.0, 10.0), deadline_s=15.0, max_answer_bytes=64 * 1024)
IMPATIENT = Bounds(timeout_s=(1.0, 0.3), deadline_s=0.6, max_answer_bytes=64 * 1024)
"""For servers that give no answer: a busy machine may take as long for one that is given."""

MESSAGE = Message(
    notification_id=17,
    kind=Kind.FIRING,
    tier=Tier.CRITICAL,
    title="Feed binance is silent",
    facts=(Fact("Since", "Sun 12:00:00 UTC, for 62 s"),),
    hint="Acknowledge on the server: make ack ID=3",
    dedup_key="FeedSilent/binance#3",
)

SECRETS: dict[str, Callable[[str], dict[str, str]]] = {
    "slack": lambda url: {"webhook_url": f"{url}/services/T0/B0/sEcReT"},
    "discord": lambda url: {"webhook_url": f"{url}/api/webhooks/1/sEcReT"},
    "telegram": lambda _url: {"bot_token": "123:sEcReT", "chat_id": "-100"},
    "pushover": lambda _url: {"app_token": "sEcReT", "user_key": "sEcReT"},
    "pagerduty": lambda _url: {"routing_key": "sEcReT"},
    "webhook": lambda url: {"url": f"{url}/in/sEcReT", "secret": "sEcReT"},
}


@pytest.fixture
def server() -> Iterator[ChannelServer]:
    with ChannelServer() as running:
        yield running


def a_channel(kind: str, url: str, bounds: Bounds = BOUNDS) -> Channel:
    options = CHANNELS[kind].options
    stand_in = {"api_url": url} if "api_url" in options.model_fields else {}
    chosen = options.model_validate({"kind": kind, **stand_in})
    return make(chosen, SECRETS[kind](url), call=partial(call, bounds=bounds), wall_s=lambda: NOW_S)


def refusal(
    kind: str, server: ChannelServer, reply: Reply, bounds: Bounds = BOUNDS
) -> PermanentError | LimitedError | TransientError:
    server.script("", reply)
    with pytest.raises((PermanentError, LimitedError, TransientError)) as failed:
        a_channel(kind, server.url, bounds).send(MESSAGE)
    assert "sEcReT" not in str(failed.value)
    return failed.value


every_kind = pytest.mark.parametrize("kind", KINDS)


def test_every_kind_but_mail_and_apprise_is_here() -> None:
    assert set(KINDS) == set(CHANNELS) - {"smtp", "apprise"}


@every_kind
def test_success_is_delivered_in_one_request(kind: str, server: ChannelServer) -> None:
    server.script("", SUCCESS[kind])

    assert a_channel(kind, server.url).send(MESSAGE).status == SUCCESS[kind].status
    (request,) = server.wait_for(1, within_s=10)
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert "Feed binance is silent" in json.dumps(request.json)


@pytest.mark.parametrize("kind", ["slack", "telegram", "pushover"])
def test_200_that_is_no_success_is_tried_again(kind: str, server: ChannelServer) -> None:
    error = refusal(kind, server, ok(b"<html>a captive portal</html>"))

    assert isinstance(error, TransientError)
    assert error.reason is Reason.UNEXPECTED_ANSWER


@every_kind
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (302, Reason.REFUSED),
        (400, Reason.REFUSED),
        (401, Reason.UNAUTHORIZED),
        (403, Reason.UNAUTHORIZED),
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
    ],
)
def test_a_refusal_is_permanent_and_says_what_the_server_said(
    kind: str, code: int, reason: Reason, server: ChannelServer
) -> None:
    error = refusal(kind, server, status(code, b"no_service", Location=server.url))

    assert isinstance(error, PermanentError)
    assert (error.reason, error.status, str(error)) == (reason, code, f"status {code}: no_service")
    assert len(server.requests()) == 1


@every_kind
def test_a_limit_in_seconds_is_honoured(kind: str, server: ChannelServer) -> None:
    error = refusal(kind, server, limited(7))

    assert isinstance(error, LimitedError)
    assert error.retry_after_s == 7


@every_kind
def test_a_limit_with_a_date_is_honoured(kind: str, server: ChannelServer) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW_S, UTC) + timedelta(seconds=90), usegmt=True)
    error = refusal(kind, server, limited(date))

    assert isinstance(error, LimitedError)
    assert error.retry_after_s == 90


@every_kind
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (status(500), Reason.SERVER_ERROR),
        (status(503, b"down"), Reason.SERVER_ERROR),
        (hang(60), Reason.TIMEOUT),
        (trickle(60, b"x" * 300), Reason.TIMEOUT),
        (reset(), Reason.CONNECTION),
        (ok(b"x" * 100_000), Reason.UNEXPECTED_ANSWER),
    ],
    ids=["500", "503", "hang", "trickle", "reset", "endless"],
)
def test_trouble_of_the_server_or_the_network_may_pass(
    kind: str, reply: Reply, reason: Reason, server: ChannelServer
) -> None:
    error = refusal(kind, server, reply, IMPATIENT if reason is Reason.TIMEOUT else BOUNDS)

    assert isinstance(error, TransientError)
    assert (error.reason, error.retryable) == (reason, True)


@every_kind
def test_nobody_listening_may_pass(kind: str) -> None:
    with ChannelServer() as gone:
        url = gone.url
    with pytest.raises(TransientError) as failed:
        a_channel(kind, url).send(MESSAGE)
    assert failed.value.reason is Reason.CONNECTION


def test_a_receipt_is_followed_until_it_is_acknowledged(server: ChannelServer) -> None:
    server.script("/1/messages.json", SUCCESS["pushover"])
    waiting, acknowledged = (ok(b'{"status":1,"acknowledged":%d,"expired":0}' % seen) for seen in (0, 1))
    server.script("/1/receipts/rcpt1.json", waiting, acknowledged)
    server.script("/1/receipts/rcpt1/cancel.json", ok(b'{"status":1}'))
    pushover: Any = a_channel("pushover", server.url)

    receipt = pushover.send(MESSAGE).receipt
    assert [pushover.is_acknowledged(receipt) for _ in range(2)] == [False, True]
    pushover.cancel(receipt)
    assert server.requests("/1/receipts/rcpt1/cancel")[0].json == {"token": "sEcReT"}


def test_apprise_reaches_what_its_address_names(server: ChannelServer) -> None:
    options = CHANNELS["apprise"].options.model_validate({"kind": "apprise"})
    channel = make(options, {"urls": f"json://127.0.0.1:{server.port}/one, json://127.0.0.1:{server.port}/two"})
    channel.send(MESSAGE)

    told = sorted(server.wait_for(2, within_s=10), key=lambda request: request.path)
    assert [request.path for request in told] == ["/one", "/two"]
    assert [request.json["title"] for request in told] == ["🔴 Feed binance is silent"] * 2

    server.script("/two", status(500))
    with pytest.raises(TransientError):
        channel.send(MESSAGE)
