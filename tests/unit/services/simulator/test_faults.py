import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.faults import FAULTS, Board, Burst, FaultError, Gap, Refuse, fault_of
from tests.unit.services.simulator.making import SYMBOLS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["fault", "symbol", "seconds", "count", "code", "kind", "connection", "status", "form", "factor", "other"]
)


def problems(**described: object) -> list[tuple[str, str]]:
    with pytest.raises(FaultError) as caught:
        fault_of(described, SYMBOLS)
    return caught.value.problems


def test_a_fault_has_defaults() -> None:
    assert fault_of({"fault": "gap"}, SYMBOLS) == Gap(count=1, kind="trade")


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "mute_symbol"])
def test_every_fault_needs_no_more_than_its_name(name: str) -> None:
    assert type(fault_of({"fault": name}, SYMBOLS)) is FAULTS[name]


@pytest.mark.parametrize(
    ("field", "described"),
    [
        ("fault", {"fault": "nope"}),
        ("fault", {}),
        ("count", {"fault": "gap", "count": 0}),
        ("count", {"fault": "reorder", "count": 1}),
        ("symbol", {"fault": "gap", "symbol": "NOPE"}),
        ("symbol", {"fault": "mute_symbol"}),
        ("kind", {"fault": "gap", "kind": "news"}),
        ("code", {"fault": "close", "code": 1006}),
        ("code", {"fault": "close", "code": 99}),
        ("seconds", {"fault": "burst", "seconds": -1}),
        ("sconds", {"fault": "burst", "sconds": 1}),
        ("status", {"fault": "rate_limit", "status": 500}),
        ("form", {"fault": "rate_limit", "form": "week"}),
    ],
)
def test_what_is_wrong_is_named(field: str, described: dict[str, object]) -> None:
    assert [name for name, _message in problems(**described)] == [field]


@given(described=st.dictionaries(FIELDS, JSON | st.sampled_from(list(FAULTS)), max_size=5) | JSON)
def test_nonsense_is_refused_and_never_crashes(described: object) -> None:
    try:
        outcome: object = type(fault_of(described, SYMBOLS))
    except FaultError as error:
        outcome = error.problems

    assert outcome


def test_a_fault_ends_with_its_time() -> None:
    board = Board()
    board.add(Burst(factor=3, seconds=2), now_ms=1000)

    assert board.factor("BTCUSDT", 2999) == 3
    assert board.factor("BTCUSDT", 3000) == 1
    board.sweep(3000)
    assert len(board) == 0


def test_a_burst_may_concern_one_symbol() -> None:
    board = Board()
    board.add(Burst(factor=3, symbol="BTCUSDT"), now_ms=0)

    assert (board.factor("BTCUSDT", 1), board.factor("ETHUSDT", 1)) == (3, 1)


def test_a_counted_fault_ends_when_used_up() -> None:
    board = Board()
    board.add(Refuse(count=2, status=503), now_ms=0)

    assert [board.use(Refuse, 1) is not None for _ in range(3)] == [True, True, False]


def test_a_fault_is_shown_with_what_is_left() -> None:
    board = Board()
    active = board.add(Refuse(count=2, status=503, seconds=5), now_ms=1000)
    board.use(Refuse, 1000)

    assert active.as_json() == {
        "id": 1,
        "fault": "refuse",
        "seconds": 5.0,
        "count": 2,
        "status": 503,
        "since": 1.0,
        "until": 6.0,
        "left": 1,
    }
