"""Fill the gaps of the ledger from the exchanges' own history: trades by their ids or times, else candles beside them.

Every page of trades passes the one rule of admission and is committed together with its bars and the smaller gap, so
that a backfill may be killed at any moment, run twice at once and run beside the live feed. What cannot be filled is
said so, with the reason. docs/gaps.md tells more.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import structlog
from pydantic import BeforeValidator, Field

from nightdesk.errors import UnavailableError
from nightdesk.runs import Json
from nightdesk.store.database import Connection
from services.jobs.backfill.estimate import Estimate, estimate, seconds
from services.jobs.backfill.filling import Filler, Found
from services.jobs.backfill.intervals import size
from services.jobs.backfill.ledger import GapLedger, LedgerGap, Verdict
from services.jobs.backfill.reaching import Reached, reach, reachable
from services.jobs.backfill.writing import Writer
from services.jobs.runner import job
from services.jobs.runner.job import Desk, FindingError

log = structlog.get_logger()

MOST_TOLD: Final = 200
"""Gaps that a result tells of one by one."""


def _moment(value: object) -> object:
    """Take what a person writes: nothing, a day, or a time, which is UTC unless it says otherwise."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError as error:
        raise ValueError("is no time; write 2026-03-01 or 2026-03-01T09:30, in UTC") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Arguments(job.Arguments):
    """Which gaps, and how much may be asked for them."""

    symbol: str = Field("", description="only this symbol; empty for all")
    feed: str = Field("", description="only this feed; empty for all")
    since: Moment = Field(None, alias="from", description="only gaps that end at this time or later; empty for all")
    until: Moment = Field(None, alias="to", description="only gaps that begin before this time; empty for all")
    dry_run: bool = Field(default=False, description="say what would be asked, and ask nothing")
    again: bool = Field(default=False, description="try gaps, too, that were given up")
    max_requests: int = Field(0, ge=0, description="ask at most so often; 0 for no limit")
    max_seconds: float = Field(1500.0, ge=0, description="begin nothing new after so long, seconds; 0 for no limit")


def run(desk: Desk, arguments: Arguments) -> Json:
    """Fill the oldest gap first.

    Raises UnavailableError when an exchange did not answer, and FindingError when one refuses what it should not.
    """
    with closing(desk.connect(f"nightdesk-{desk.job}")) as connection:
        return _Backfill(desk, arguments, connection).run()


class _Backfill:
    """One run."""

    def __init__(self, desk: Desk, arguments: Arguments, connection: Connection) -> None:
        self._desk = desk
        self._arguments = arguments
        self._connection = connection
        self._ledger = GapLedger(connection)
        self._writer = Writer(connection, now_ns=desk.clock.wall_ns, retention_days=desk.settings.retention_days)
        self._reached: dict[str, Reached] = {}
        self._began_s = desk.clock.monotonic_s()
        self._outcomes: Counter[str] = Counter()
        self._ticks: Counter[str] = Counter()
        self._candles = 0
        self._told: list[dict[str, Any]] = []
        self._unavailable: dict[str, UnavailableError] = {}
        self._ids_done = 0
        self._ids = 0

    def run(self) -> Json:
        """Do everything and return the result."""
        gaps = self._wanted()
        self._ids = sum(map(_weight, gaps))
        if self._arguments.dry_run:
            return self._plan(gaps)
        for gap in gaps:
            if gap.feed not in self._unavailable and self._may_go_on():
                self._fill(gap)
        result = self._result(gaps)
        log.info("backfill.done", **{name: value for name, value in result.items() if name != "details"})
        if self._unavailable:
            raise UnavailableError("; ".join(f"{feed}: {error}" for feed, error in self._unavailable.items()))
        if self._outcomes["refused"]:
            raise FindingError(f"{self._outcomes['refused']} gaps: the exchange refuses", result)
        return result

    def _wanted(self) -> list[LedgerGap]:
        wanted = self._arguments
        feeds = [name for name in reachable(self._desk) if wanted.feed in {"", name}]
        return self._ledger.unfilled(
            feeds, symbol=wanted.symbol or None, since=wanted.since, until=wanted.until, again=wanted.again
        )

    def _fill(self, gap: LedgerGap) -> None:
        missing = self._ledger.claim(gap, again=self._arguments.again)
        if missing is None:
            self._outcomes["elsewhere"] += 1
            return
        try:
            verdict, found = self._filler(gap.feed).fill(gap, missing)
        except UnavailableError as error:
            self._unavailable[gap.feed] = error
            log.warning("backfill.unavailable", feed=gap.feed, gap=gap.gap_id, error=str(error))
            return
        finally:
            self._release(gap)
        self._note(gap, verdict, found)

    def _release(self, gap: LedgerGap) -> None:
        if not self._connection.closed:
            self._ledger.release(gap)

    def _filler(self, feed: str) -> Filler:
        return Filler(
            connection=self._connection,
            ledger=self._ledger,
            writer=self._writer,
            reached=self._reach(feed),
            now_ns=self._desk.clock.wall_ns,
            retention_days=self._desk.settings.retention_days,
            may_go_on=self._may_go_on,
            on_ids=self._progress,
        )

    def _reach(self, feed: str) -> Reached:
        if feed not in self._reached:
            self._reached[feed] = reach(self._desk, feed, self._connection)
        return self._reached[feed]

    def _may_go_on(self) -> bool:
        wanted = self._arguments
        lasted_s = self._desk.clock.monotonic_s() - self._began_s
        asked = sum(one.rest.spent.requests for one in self._reached.values())
        return (not wanted.max_seconds or lasted_s < wanted.max_seconds) and (
            not wanted.max_requests or asked < wanted.max_requests
        )

    def _progress(self, gap: LedgerGap, ids: int) -> None:
        self._ids_done += ids
        self._desk.progress(self._ids_done, max(self._ids, self._ids_done), f"ids of missing {gap.kind.label}s")

    def _note(self, gap: LedgerGap, verdict: Verdict, found: Found) -> None:
        outcome = _outcome(verdict)
        self._outcomes[outcome] += 1
        self._ticks[gap.kind.label] += found.stored
        self._candles += found.candles
        told = {
            **_facts(gap), "outcome": outcome, "stored": found.stored, "candles": found.candles,
            "reason": verdict.reason,
        }  # fmt: skip
        self._told.append(told)
        log.info("backfill.gap", **told)

    def _result(self, gaps: Sequence[LedgerGap]) -> dict[str, Any]:
        spent = [one.rest.spent for one in self._reached.values()]
        untouched = len(gaps) - sum(self._outcomes.values())
        return {
            **self._said(gaps),
            "gaps": {**self._outcomes, **({"untouched": untouched} if untouched else {})},
            "trades": self._ticks["trade"],
            "agg_trades": self._ticks["agg_trade"],
            "candles": self._candles,
            "requests": sum(one.requests for one in spent),
            "weight": sum(one.weight for one in spent),
            "limited": sum(one.limited for one in spent),
            "waited_s": round(sum(one.waited_s for one in spent), 3),
            "seconds": round(self._desk.clock.monotonic_s() - self._began_s, 3),
            "details": self._told[:MOST_TOLD],
        }

    def _plan(self, gaps: Sequence[LedgerGap]) -> dict[str, Any]:
        """What would be asked; seconds are those that the slowest exchange's budget takes."""
        planned = [(gap, estimate(gap, self._reach(gap.feed).history)) for gap in gaps]
        weights: defaultdict[str, float] = defaultdict(float)
        for gap, one in planned:
            weights[gap.feed] += one.weight
        lasting = [seconds(weight, self._reach(feed).weight_per_minute) for feed, weight in weights.items()]
        return {
            **self._said(gaps),
            "dry_run": True,
            "gaps": {"wanted": len(gaps)},
            "ids": sum(one.ids for _, one in planned),
            "requests": sum(one.requests for _, one in planned),
            "weight": sum(weights.values()),
            "seconds": round(max(lasting, default=0.0), 1),
            "details": [_planned(gap, one) for gap, one in planned[:MOST_TOLD]],
        }

    def _said(self, gaps: Sequence[LedgerGap]) -> dict[str, str]:
        """What there is to say when there is nothing to fill."""
        if gaps:
            return {}
        wanted = self._arguments
        of = f" of {wanted.symbol}" if wanted.symbol else ""
        since = f" from {wanted.since.isoformat()}" if wanted.since else ""
        until = f" to {wanted.until.isoformat()}" if wanted.until else ""
        return {"note": f"the ledger has no gap{of}{since}{until} that is to be filled"}


def _weight(gap: LedgerGap) -> int:
    return size(gap.missing) if gap.missing else 1


def _outcome(verdict: Verdict) -> str:
    if verdict.quality == "bars":
        return "bars"
    return "refused" if verdict.reason.startswith("the exchange refuses") else verdict.state


def _facts(gap: LedgerGap) -> dict[str, Any]:
    bounds = {"from_id": gap.missing[0][0], "to_id": gap.missing[-1][1]} if gap.missing else {}
    return {
        "gap": gap.gap_id, "feed": gap.feed, "symbol": gap.symbol, "kind": gap.kind.label,
        "from": _iso(gap.from_us), "to": _iso(gap.to_us), "cause": gap.cause, **bounds,
    }  # fmt: skip


def _planned(gap: LedgerGap, one: Estimate) -> dict[str, Any]:
    return {**_facts(gap), "ids": one.ids, "requests": one.requests, "weight": one.weight}


def _iso(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat(timespec="milliseconds")
