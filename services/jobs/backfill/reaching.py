"""How a job reaches an exchange's past: its language, and a share of what may be asked of it."""

from dataclasses import dataclass
from typing import Final

from nightdesk.exchanges.histories import HISTORIES
from nightdesk.exchanges.history import Candle, History, stretches
from nightdesk.exchanges.shared_rest import SharedRest
from nightdesk.feeds_config import FeedConfig
from nightdesk.store.budgets import SharedBudget, budget_name
from nightdesk.store.database import Connection
from services.jobs.runner.job import Desk

SHARE: Final = 0.5
"""The part of ``rest_weight_per_minute`` that jobs may use together. The collector, which counts for itself, asks
little but all at once, when its books begin anew: half is always left to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One feed's exchange: what it can be asked, and how."""

    history: History
    rest: SharedRest
    weight_per_minute: float

    def candles(self, symbol: str, from_ns: int, to_ns: int) -> list[Candle]:
        """Return the exchange's one-minute candles that open in a span of time; raises as ``SharedRest.get`` does."""
        found: list[Candle] = []
        for one in stretches(from_ns, to_ns, self.history.candles_a_page):
            body = self.rest.get(self.history.candles(symbol, one.from_ns, one.to_ns))
            found += [candle for candle in self.history.read_candles(body) if from_ns <= candle.open_ns < to_ns]
        return found


def reachable(desk: Desk) -> list[str]:
    """Return the feeds whose exchange's past can be read."""
    return [name for name, config in desk.feeds.items() if config.codec in HISTORIES]


def reach(desk: Desk, feed: str, connection: Connection) -> Reached:
    """Return how to ask a feed's exchange; the budget's row is reached over ``connection``."""
    return reach_by(desk, desk.feeds[feed], connection)


def reach_by(desk: Desk, config: FeedConfig, connection: Connection) -> Reached:
    """Return how to ask the exchange of a feed, whether it is collected or not."""
    history = HISTORIES[config.codec](config.rest_url)
    key = config.api_key.get_secret_value()
    share = config.rest_weight_per_minute * SHARE
    rest = SharedRest(
        history,
        budget=SharedBudget(connection, budget_name(config.rest_url, key), weight_per_minute=share),
        weight_per_minute=config.rest_weight_per_minute,
        headers=history.headers(key),
        call=desk.call,
        clock=desk.clock,
        random=desk.random,
    )
    return Reached(history=history, rest=rest, weight_per_minute=share)
