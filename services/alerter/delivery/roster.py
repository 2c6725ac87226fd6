"""Which channels there are, and which of them can be used now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from services.alerter.channel import Channel
from services.alerter.messages import Kind
from services.alerter.own import Broken
from services.alerter.policy import Policy
from services.alerter.store.outbox import Outbox

log = structlog.get_logger()

AGAIN_BASE_S: Final = 60.0
AGAIN_CAP_S: Final = 3600.0
"""A channel that failed for good is tried again after a minute, then after longer and longer, up to an hour."""

FAILING_S: Final = 900.0
"""How long a channel may fail for now, with something to deliver, before a person is told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """A channel that failed for good: since when, why, and when it is tried again. Unix seconds."""

    since_s: float
    again_s: float
    failures: int
    reason: str


class Roster:
    """The configured channels by name; the others with the variables that they lack."""

    def __init__(
        self,
        *,
        policy: Policy,
        channels: Mapping[str, Channel],
        lacking: Mapping[str, Sequence[str]],
        outbox: Outbox,
        wall_s: Callable[[], float],
    ) -> None:
        self._policy = policy
        self.channels = channels
        self.lacking = lacking
        self._outbox = outbox
        self._wall_s = wall_s
        self.recovered = outbox.recover(channels, wall_s() + AGAIN_BASE_S)
        """How many deliveries a channel were under way when the process ended."""

        self._disabled = self._known()

    @property
    def disabled(self) -> Mapping[str, Disabled]:
        """The channels that failed for good."""
        return self._disabled

    def takes(self, name: str, kind: Kind) -> bool:
        """Return whether a message of this kind means something to a channel; False for one that is not configured."""
        channel = self.channels.get(name)
        return channel is not None and kind in channel.takes

    def rests_s(self, name: str) -> float:
        """Return for how many seconds a channel is left alone."""
        known = self._disabled.get(name)
        return 0.0 if known is None else max(0.0, known.again_s - self._wall_s())

    def usable(self) -> frozenset[str]:
        """Return the channels that can be used now; where all of them failed, all of them: one may work again."""
        good = frozenset(name for name in self.channels if not self.rests_s(name))
        return good or frozenset(self.channels)

    def stand_ins(self) -> list[str]:
        """Return who may stand in for another channel, in the policy's order."""
        return [name for name in self._policy.order if name in self.channels and not self.rests_s(name)]

    def disable(self, name: str, reason: str) -> None:
        """Leave a channel alone for a while."""
        known = self._disabled.get(name)
        failures = 1 if known is None else known.failures + 1
        now_s = self._wall_s()
        again_s = now_s + min(AGAIN_CAP_S, AGAIN_BASE_S * 2 ** (failures - 1))
        since_s = now_s if known is None else known.since_s
        self._disabled[name] = Disabled(since_s=since_s, again_s=again_s, failures=failures, reason=reason)
        self._outbox.disable(name, reason, again_s)
        log.error("channel.disabled", channel=name, reason=reason, again_in_s=round(again_s - now_s))

    def enable(self, name: str) -> None:
        """Use a channel as before: it delivered."""
        if self._disabled.pop(name, None) is not None:
            self._outbox.enable(name)
            log.info("channel.enabled", channel=name)

    def set_back(self, by_s: float) -> None:
        """Leave no channel alone for longer because the clock was set back."""
        self._outbox.set_back(by_s)
        self._disabled = self._known()

    def broken(self) -> tuple[Broken, ...]:
        """Return the channels that failed for good, or have failed for long, as the alerter tells of them."""
        paged = {name for step in self._policy.page.steps for name in step.channels}
        found = {name: (one.since_s, one.reason) for name, one in self._disabled.items()}
        for name, queue in self._outbox.queues().items():
            since_s = queue.failing_s
            if name in self.channels and since_s and self._wall_s() - since_s > FAILING_S:  # 0 while left alone
                found.setdefault(name, (since_s, "it fails again and again"))
        return tuple(
            Broken(channel=name, since_s=since_s, reason=reason, is_paged=name in paged)
            for name, (since_s, reason) in sorted(found.items())
        )

    def _known(self) -> dict[str, Disabled]:
        known = {name: row for name, row in self._outbox.disabled().items() if name in self.channels}
        return {
            name: Disabled(**{key: value for key, value in row.items() if key != "channel"})
            for name, row in known.items()
        }
