"""Whatever arrives: ticks that fit a frame, a control, or a refusal that is counted. Never silence."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk.errors import CodecError
from nightdesk.frames import decode, encode
from nightdesk.ticks import Tick
from services.collector.codec import Codec, Control, Reason, Received, receive_each
from tests.unit.services.collector.feeds.documented import (
    BINANCE,
    COINBASE,
    NOW_NS,
    TICKDB,
    binance,
    change,
    coinbase,
    snapshot,
    tickdb,
    trade,
)

pytestmark = pytest.mark.slow

FEEDS = {"binance": (binance, BINANCE), "coinbase": (coinbase, COINBASE), "tickdb": (tickdb, TICKDB)}
MANY = settings(max_examples=120, deadline=None)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([-1, 0, 2**63, 2**64, 1e308, "NaN", "Infinity", "-1", "0", "1e999", "", "0.1", "buy"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)


def changed(value: Any, draw: Callable[[Any], Any]) -> Any:
    """Return a message with one part of it replaced, removed or added to."""
    if isinstance(value, dict) and value and draw(st.integers(0, 9)):
        key = draw(st.sampled_from(sorted(value)))
        rest = {name: inner for name, inner in value.items() if name != key}
        return rest if draw(st.integers(0, 5)) == 0 else {**rest, key: changed(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], changed(value[place], draw), *value[place + 1 :]]
    return draw(JSON)


@st.composite
def damaged(draw: Callable[[Any], Any], messages: list[bytes]) -> bytes:
    """Draw a message that was documented before something happened to it."""
    raw: bytes = draw(st.sampled_from(messages))
    match draw(st.sampled_from(["as it is", "changed", "cut", "flipped"])):
        case "changed":
            return json.dumps(changed(json.loads(raw), draw)).encode()
        case "cut":
            return raw[: draw(st.integers(0, len(raw)))]
        case "flipped":
            place = draw(st.integers(0, len(raw) - 1))
            return raw[:place] + draw(st.binary(min_size=1, max_size=3)) + raw[place + 1 :]
    return raw


def check(receive: Callable[[], Received]) -> None:
    refused: CodecError | None = None
    ticks: Sequence[Tick] = ()
    controls: Sequence[Control] = ()
    try:
        ticks, controls = receive()
    except CodecError as error:
        refused = error
    if refused is None:
        assert ticks or controls
        assert not ticks or len(decode(encode(ticks)).ticks()) == len(ticks)
    else:
        assert refused.reason in set(Reason)


@pytest.mark.parametrize("feed", FEEDS)
@given(raw=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@MANY
def test_anything_at_all_is_read_or_refused(feed: str, raw: bytes) -> None:
    codec = FEEDS[feed][0]()

    check(lambda: codec.receive(raw, NOW_NS))


@pytest.mark.parametrize("feed", FEEDS)
@given(data=st.data())
@MANY
def test_a_connection_full_of_damage_is_read_or_refused_message_by_message(feed: str, data: st.DataObject) -> None:
    new, messages = FEEDS[feed]
    codec = new()
    for raw in data.draw(st.lists(damaged(messages), min_size=1, max_size=8)):
        check(lambda raw=raw: codec.receive(raw, NOW_NS))


@given(body=damaged([snapshot(3), snapshot(200, bids=[["1", "0"]], asks=[])]) | st.binary(max_size=60))
@MANY
def test_a_damaged_snapshot_is_read_or_refused(body: bytes) -> None:
    codec: Codec = binance()
    codec.receive(change(2, 4), NOW_NS)

    check(lambda: codec.fetched("BTCUSDT", body, NOW_NS))


@st.composite
def a_burst(draw: Callable[[Any], Any], messages: list[bytes]) -> list[bytes]:
    """Draw what one read may bring: trades in and out of order among damaged messages of every kind."""
    trades = st.builds(trade, st.integers(100, 104), m=st.booleans(), s=st.sampled_from(["BTCUSDT", "ETHUSDT"]))
    burst: list[bytes] = draw(st.lists(trades | damaged(messages), max_size=30))
    return burst


@pytest.mark.parametrize("feed", FEEDS)
@MANY
@given(data=st.data())
def test_what_comes_together_is_read_as_if_it_came_one_by_one(feed: str, data: st.DataObject) -> None:
    new_codec, messages = FEEDS[feed]
    burst = data.draw(a_burst(messages))
    one_by_one, together = new_codec(), new_codec()
    expected: list[str] = []
    found: list[str] = []

    by_one = receive_each(one_by_one.receive, burst, NOW_NS, lambda error, raw: expected.append(f"{error!r} {raw!r}"))
    at_once = together.receive_all(burst, NOW_NS, lambda error, raw: found.append(f"{error!r} {raw!r}"))

    # As text, for an empty side of a book is a NaN, which is equal to nothing.
    assert [list(map(repr, part)) for part in at_once] == [list(map(repr, part)) for part in by_one]
    assert found == expected
