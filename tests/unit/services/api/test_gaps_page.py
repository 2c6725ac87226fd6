from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.api.gaps_page import extent, line, outcome
from services.api.models import Gap, GapState

AT = datetime(2026, 11, 19, 2, 0, tzinfo=UTC)


def a_gap(**changes: Any) -> Gap:
    return Gap.model_validate({
        "gap_id": 1, "feed": "simulator", "symbol": "BTCUSDT", "kind": "trade", "from_id": 5, "to_id": 9,
        "from_time": AT, "to_time": AT + timedelta(minutes=2), "missing_ids": 0, "missing": [], "cause": "disconnected",
        "state": "open", "source": "", "quality": "", "reason": "", "tries": 0, "opened_at": AT, "updated_at": AT,
        **changes,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "5 ids"),
        ({"missing_ids": 3}, "3 of 5 ids"),
        ({"to_id": 5}, "1 id"),
        ({"from_id": None, "to_id": None}, "2 min"),
        ({"from_id": None, "to_id": None, "to_time": None}, "since then"),
        ({"from_id": None, "to_id": None, "from_time": None, "to_time": None}, "not known"),
    ],
)
def test_a_gap_is_as_large_as_its_ids_or_its_time(changes: dict[str, Any], words: str) -> None:
    assert extent(a_gap(**changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "filled", "source": "binance historicalTrades", "quality": "trades"},
         "binance historicalTrades, trade by trade"),
        ({"state": "filled"}, "the missing ids came after all"),
        ({"state": "open"}, ""),
        ({"state": "open", "tries": 1}, "tried 1 time"),
        ({"state": "unfillable", "reason": "no history", "tries": 2}, "no history; tried 2 times"),
        ({"state": "unfillable", "reason": "no trades", "source": "kraken OHLC", "quality": "bars"},
         "no trades; in part: kraken OHLC, candles only"),
    ],
)  # fmt: skip
def test_what_became_of_a_gap_is_said(changes: dict[str, Any], words: str) -> None:
    assert outcome(a_gap(**changes)) == words


@pytest.mark.parametrize("state", list(GapState))
def test_every_state_has_a_mark(state: GapState) -> None:
    assert line(a_gap(state=state)).mark in {"ok", "degraded", "down"}
