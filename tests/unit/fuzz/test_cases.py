"""What was found by fuzzing stays mended, and the claims of the targets notice what they are there for."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nightdesk import frames
from nightdesk.errors import ConfigurationError
from nightdesk.ticks import Kind, Trade
from services.collector import spool
from services.collector.codec import Received, Subscription
from services.collector.spool import Record, Spool
from tests.fuzz.search import CASES
from tests.fuzz.target import BrokenClaimError
from tests.fuzz.targets import TARGETS, codecs, loaders


@cache
def inputs(name: str) -> list[bytes]:
    kept = [path.read_bytes() for path in sorted((CASES / name).glob("*"))]
    return [*TARGETS[name].seeds(), *kept]


def check_all(name: str) -> None:
    for data in inputs(name):
        TARGETS[name].check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_and_every_case_holds(name: str) -> None:
    check_all(name)


@st.composite
def changed(draw: st.DrawFn, name: str) -> bytes:
    """Draw an input after some changes, those of its target and of bytes."""
    data = draw(st.sampled_from(inputs(name)))
    random = draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(1, 4))):
        data = TARGETS[name].mutate(data, random, lambda part: changed_bytes(part, random))
    return data[: TARGETS[name].max_bytes]


def changed_bytes(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.randrange(4)) + data[at + random.randrange(4) :]


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_changes_in_them_the_claims_hold(name: str, data: st.DataObject) -> None:
    TARGETS[name].check(data.draw(changed(name)))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_the_claims_hold_for_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name].check(data)


def test_every_folder_of_cases_belongs_to_a_target() -> None:
    assert {folder.name for folder in CASES.iterdir()} <= set(TARGETS)


class BrokenCodec:
    """A codec with a mistake of the test's choice."""

    def __init__(self, received: Callable[[bytes, int], Received]) -> None:
        self._subscription = Subscription(
            feed="f", ws_url="", rest_url="", symbols=("A",), kinds=frozenset({Kind.TRADE})
        )
        self.receive = received

    def ready(self) -> bool:
        return True


def a_trade(symbol: str = "A", price: float = 1.0, received_ns: int = 0) -> Trade:
    return Trade(symbol, 1, price, 1.0, 1, 0, received_ns)


@pytest.mark.parametrize(
    ("receive", "claim"),
    [
        (lambda _raw, _now: ((), ()), "vanished"),
        (lambda _raw, now: ([a_trade("B", received_ns=now)], ()), "not subscribed"),
        (lambda _raw, now: ([a_trade(received_ns=now)] * 50, ()), "more ticks"),
        (lambda _raw, now: ([a_trade(price=float("inf"), received_ns=now)], ()), "a trade at inf"),
        (lambda _raw, _now: ([a_trade()], ()), "not received now"),
        (lambda _raw, _now: ((), ("stop",)), "unknown control"),
    ],
)
def test_the_claims_notice_a_codec_that_breaks_them(receive: Callable[[bytes, int], Received], claim: str) -> None:
    with pytest.raises(BrokenClaimError, match=claim):
        codecs.check([lambda: BrokenCodec(receive)])(b"0{}")  # type: ignore[list-item, return-value]


def test_an_error_of_another_type_is_no_refusal() -> None:
    def receive(_raw: bytes, _now_ns: int) -> Received:
        raise KeyError("symbol")

    with pytest.raises(KeyError):
        codecs.check([lambda: BrokenCodec(receive)])(b"0{}")  # type: ignore[list-item, return-value]


def test_the_claims_notice_a_decoder_that_loses_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames.Frame, "ticks", lambda _self: [])

    with pytest.raises(BrokenClaimError):
        check_all("frames")


def forgetful(self: Spool, place: spool.Place, max_bytes: int = spool.READ_BYTES) -> tuple[list[Record], spool.Place]:
    records, after = READ(self, place, max_bytes)
    return records[:-1], after


READ = Spool.read


@pytest.mark.parametrize("name", ["spool-segment", "spool-damage", "spool-folder"])
def test_the_claims_notice_a_spool_that_forgets_a_record(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(Spool, "read", forgetful)

    with pytest.raises(BrokenClaimError):
        check_all(name)


def test_the_claims_notice_damage_that_nobody_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Spool, "damaged_records", 0)

    with pytest.raises(BrokenClaimError, match="silence"):
        check_all("spool-segment")
    with pytest.raises(BrokenClaimError, match="silence"):
        check_all("spool-damage")


def complain(text: str) -> Callable[[Path], Sequence[object]]:
    def read(_path: Path) -> Sequence[object]:
        raise ConfigurationError(text)

    return read


@pytest.mark.parametrize("text", ["something is wrong", "x" * 10**6])
def test_the_claims_notice_a_complaint_that_helps_nobody(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(loaders, "read_feeds", complain(text))

    with pytest.raises(BrokenClaimError):
        check_all("feeds-file")


def test_the_claims_notice_a_secret_in_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loaders, "configuration", complain(f"TICKDB_API_KEY={loaders.SECRET} is wrong"))

    with pytest.raises(BrokenClaimError, match="tells a secret"):
        check_all("environment")
