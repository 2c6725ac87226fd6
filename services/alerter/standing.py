"""How the alerter is: the parts of its ``/health``, and what would make its dead-man's switch fall silent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from nightdesk.health import Part, Status
from services.alerter.alerts import Source
from services.alerter.deadman import Deadman
from services.alerter.delivery.roster import Roster
from services.alerter.desk import Desk
from services.alerter.messages import Tier
from services.alerter.own import Condition
from services.alerter.store.file import StateFile
from services.alerter.store.outbox import Outbox
from services.alerter.watch.watcher import Watcher

LATE_S: Final = 120.0
"""A call or a delivery that is due for longer is stuck: whatever holds it up, a person does not hear of it."""

NOBODY: Final = "nobody would be woken: no channel is configured; see docs/alerts.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Looks at everything that has to work for a person to be told."""

    desk: Desk
    watcher: Watcher
    roster: Roster
    outbox: Outbox
    file: StateFile
    deadman: Deadman | None
    wall_s: Callable[[], float]
    began_s: float

    def own(self) -> Condition:
        """Return what the alerter's own alerts are made from."""
        return Condition(
            now_s=self.wall_s(),
            began_s=self.began_s,
            answered_s=self.watcher.answered_s,
            answers_since_s=self.watcher.answers_since_s,
            silent_since_s=self.watcher.silent_since_s,
            evaluated_s=self.watcher.evaluated_s,
            unreachable_after_s=self.desk.policy.watch.unreachable_after,
            is_sure=self.watcher.is_sure,
            known=frozenset(
                one.name for one in self.desk.state.alerts.values() if one.is_firing and one.source is Source.ALERTER
            ),
            broken=self.roster.broken(),
            damage=self.file.damage,
            adrift_s=self.file.adrift_s,
        )

    def parts(self) -> Sequence[Part]:
        """Return the parts of ``/health``."""
        return [self._watching(), self._alerts(), self._channels(), self._outbox(), self._state(), *self._deadman()]

    def troubles(self) -> list[str]:
        """Return what keeps a person from being told; empty when nothing does."""
        late_s = max(self.desk.overdue_s(), self._late_s())
        found = []
        if self._silent_s() > self.desk.policy.watch.unreachable_after:
            found.append(f"Prometheus gives no sure answer for {self._silent_s():.0f} s")
        if late_s > LATE_S:
            found.append(f"something should have been told {late_s:.0f} s ago")
        return found

    def _silent_s(self) -> float:
        return self.wall_s() - min(self.watcher.answered_s, self.watcher.evaluated_s)

    def _late_s(self) -> float:
        """Return for how long something has been waiting that should have been delivered, or has reached nobody."""
        ready = [name for name in self.roster.channels if not self.roster.rests_s(name)]
        return max(self.outbox.stuck_s(ready), self.outbox.unheard_s())

    def _watching(self) -> Part:
        silent_s, limit_s = self._silent_s(), self.desk.policy.watch.unreachable_after
        is_good = silent_s <= limit_s and self.desk.is_ready
        waits = "has not given a sure answer yet" if not self.desk.is_ready else "gives no sure answer"
        return Part(
            part="watch",
            status=Status.OK if is_good else Status.DEGRADED if silent_s <= limit_s else Status.DOWN,
            detail="Prometheus answers and evaluates its rules" if is_good else f"Prometheus {waits}",
            age_s=silent_s,
            threshold_s=limit_s,
        )

    def _alerts(self) -> Part:
        firing = [one for one in self.desk.state.alerts.values() if one.is_firing]
        critical = [one for one in firing if one.tier is Tier.CRITICAL]
        open_ = [one for one in critical if one.acknowledged is None]
        named = ", ".join(sorted({one.name for one in critical})[:5])
        return Part(
            part="alerts",
            status=Status.DEGRADED if critical else Status.OK,
            detail=f"{len(firing)} firing, {len(critical)} critical{f': {named}' if named else ''}",
            facts={"firing": len(firing), "critical": len(critical), "unacknowledged": len(open_)},
        )

    def _channels(self) -> Part:
        names = sorted(self.roster.channels)
        resting = sorted(self.roster.disabled)
        if not names:
            return Part(part="channels", status=Status.OK, detail=NOBODY, facts={"configured": 0, "failing": 0})
        all_rest = len(resting) == len(names)
        told = f"{', '.join(resting)} failed for good; " if resting else ""
        return Part(
            part="channels",
            status=Status.DOWN if all_rest else Status.DEGRADED if resting else Status.OK,
            detail=f"{told}configured: {', '.join(names)}",
            facts={"configured": len(names), "failing": len(resting)},
        )

    def _outbox(self) -> Part:
        late_s = self._late_s()
        waiting = sum(queue.deliveries for queue in self.outbox.queues().values())
        return Part(
            part="outbox",
            status=Status.DEGRADED if late_s > LATE_S else Status.OK,
            detail=f"{waiting} deliveries wait" if waiting else "everything is delivered",
            age_s=max(0.0, late_s),
            threshold_s=LATE_S,
            facts={"waiting": waiting},
        )

    def _state(self) -> Part:
        adrift = self.file.adrift_s is not None
        return Part(
            part="state",
            status=Status.DEGRADED if adrift else Status.OK,
            detail="the disk takes nothing; going on in memory" if adrift else "on disk",
        )

    def _deadman(self) -> list[Part]:
        if self.deadman is None:
            return []
        good = not self.deadman.problem
        return [
            Part(
                part="deadman",
                status=Status.OK if good else Status.DEGRADED,
                detail="pinged" if good else self.deadman.problem,
            )
        ]
