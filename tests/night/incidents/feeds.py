"""Feeds and symbols: an exchange that goes away, falls silent, limits, or changes its format; a market that is odd."""

import time
from typing import Final

from tests.night import configuration, week
from tests.night.configuration import THRESHOLDS
from tests.night.incidents.incident import Harm, Strike
from tests.night.scene import Scene

FEED_SILENCE_S: Final = 60.0
"""``threshold:feed_silence:seconds``."""

COLLECTORS_PATIENCE_S: Final = 60.0
"""``symbol_silence_s`` of config/feeds.yaml: the collector calls no symbol silent before, which for a real feed is
longer than the rule's own threshold here."""

SYMBOL_SILENCE_S: Final = THRESHOLDS["threshold:symbol_silence:seconds"]
CALLED_SILENT_S: Final = 12.0
"""After so long the understudy's collector calls a symbol silent: later than the look back that the rule takes."""

RECONNECTS: Final = 5
"""``threshold:reconnects:count``."""

CLOSES: Final = 6
CONNECT_LIMIT_S: Final = 15.0
LIMITED: Final = 5
REJECTED: Final = 10
REJECTED_SHARE: Final = 0.001
REJECTED_WINDOW_S: Final = 300.0
"""``threshold:rejected_messages``, and the rule's window."""

WIDER: Final = 1000.0
UNUSUAL: Final = 4.0
UNUSUAL_WINDOW_S: Final = 300.0
"""``threshold:market_unusual:ratio`` of the spread, and the rule's window."""

REFUSED_S: Final = 300.0


def gone(scene: Scene) -> Harm:
    """The exchange closes the connection and refuses every other."""
    scene.simulator.fault("refuse", seconds=REFUSED_S)
    scene.simulator.fault("close")
    return Harm(condition_s=time.time() + FEED_SILENCE_S, mend=scene.simulator.clear)


def mute_symbol(scene: Scene) -> Harm:
    """One symbol says nothing on any connection."""
    at_s = time.time()
    scene.simulator.fault("mute_symbol", symbol="SOLUSDT", seconds=REFUSED_S)
    return Harm(condition_s=at_s + max(COLLECTORS_PATIENCE_S, SYMBOL_SILENCE_S), mend=scene.simulator.clear)


def closed_often(scene: Scene) -> Harm:
    """The exchange closes one connection after the other."""
    closed_s = []
    for _ in range(CLOSES):
        since_s = scene.simulator.market().listening.since_s
        scene.simulator.fault("close")
        closed_s.append(time.time())
        scene.wait_for(lambda since_s=since_s: scene.simulator.market().listening.since_s > since_s, CONNECT_LIMIT_S)  # type: ignore[misc]
        scene.pause(0.5)
    return Harm(condition_s=closed_s[RECONNECTS - 1])


def limited(scene: Scene) -> Harm:
    """The exchange's REST interface says that it was asked too often; a new connection asks it for its books."""
    scene.simulator.fault("rate_limit", count=LIMITED, retry_after_s=1)
    at_s = time.time()
    scene.simulator.fault("close")
    return Harm(condition_s=at_s)


def changed_format(scene: Scene) -> Harm:
    """Trades keep their fields and have nonsense in them."""
    at_s = time.time()
    scene.simulator.fault("wrong_types", kind="trade", count=600)
    messages = (configuration.TRADES_PER_S + configuration.QUOTES_PER_S + configuration.DEPTH_PER_S) * REJECTED_WINDOW_S
    return Harm(condition_s=at_s + max(REJECTED, REJECTED_SHARE * messages) / configuration.TRADES_PER_S)


def silent_feed(name: str) -> Strike:
    """A feed of New York's symbols says nothing any more, in the middle of a session."""

    def strike(scene: Scene) -> Harm:
        last_s = scene.understudy.silence(name)
        return Harm(condition_s=last_s + FEED_SILENCE_S, mend=lambda: scene.understudy.resume(name))

    return strike


def silent_from_the_open(name: str) -> Strike:
    """A feed says nothing when its market opens."""

    def strike(scene: Scene) -> Harm:
        scene.understudy.silence(name)
        opens_s = next(one.open_s for one in week.SESSIONS if one.open_s > scene.clock.simulated_s(time.time()))
        condition_s = scene.clock.wall_s(opens_s) + FEED_SILENCE_S
        return Harm(condition_s=condition_s, mend=lambda: scene.understudy.resume(name))

    return strike


def silent_symbol(feed: str, symbol: str) -> Strike:
    """One symbol of New York says nothing any more while the rest of its feed goes on."""

    def strike(scene: Scene) -> Harm:
        last_s = scene.understudy.silence(symbol)
        scene.pause(last_s + CALLED_SILENT_S - time.time())
        scene.understudy.call_silent(feed, symbol)
        opened_s = max(one.open_s for one in week.SESSIONS if one.open_s <= scene.clock.simulated_s(last_s))
        since_s = max(last_s, scene.clock.wall_s(opened_s))
        return Harm(condition_s=since_s + SYMBOL_SILENCE_S, mend=lambda: scene.understudy.resume(symbol))

    return strike


def wide_spread(scene: Scene) -> Harm:
    """A symbol's spread is a thousand times its usual, so that its mean of five minutes soon is four times."""
    at_s = scene.understudy.widen("ADAUSDT", WIDER)
    reached_s = UNUSUAL_WINDOW_S * (UNUSUAL - 1) / (WIDER - 1)
    return Harm(condition_s=at_s + reached_s, mend=lambda: _as_usual(scene))


def _as_usual(scene: Scene) -> None:
    scene.understudy.widen("ADAUSDT", 1.0)
