"""The rows of the table, one file a measurement; a new one is a file and a line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.rows import (
    archive,
    backfill,
    collector,
    depth,
    digest,
    latency,
    limit,
    limit_copy,
    limit_json,
    limit_xadd,
    logged,
    memory,
    orders,
    pages,
    pipeline,
    scheduler,
)
from bench.workbench import Workbench

LIMIT: Final = "limit"
"""The row that every other one is compared with, unless it says otherwise."""

PICOWS: Final = "picows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement and what it is compared with.

    ``seconds`` is how long it sends where nobody says otherwise, ``first_seconds`` how long in the first round;
    ``rounds`` is how often it is measured at most.
    """

    measure: Callable[[Workbench], float]
    unit: str = "messages/s"
    limit: str = LIMIT
    seconds: float = 5.0
    first_seconds: float = 0.0
    rounds: int = 99


def _pipeline(run: Callable[[Workbench], pipeline.Pipeline]) -> Row:
    return Row(measure=lambda bench: bench.once(run).rate, seconds=10.0, first_seconds=60.0, rounds=2)


def _latency(share: float) -> Row:
    measure = lambda bench: latency.percentile(bench.once(latency.run).trades_ms, share)  # noqa: E731
    return Row(measure=measure, unit="ms", limit=f"limit-turn-p{share:g}", seconds=8.0)


def _turn(share: float) -> Row:
    measure = lambda bench: latency.percentile(bench.once(latency.run).turns_ms, share)  # noqa: E731
    return Row(measure=measure, unit="ms", limit=f"limit-turn-p{share:g}", seconds=8.0)


def _idle(service: str) -> Row:
    return _memory(lambda bench: memory.of(bench.once(memory.run), service))


def _loaded(service: str) -> Row:
    return _memory(lambda bench: bench.once(pipeline.run).memory_mb[service])


def _memory(measure: Callable[[Workbench], float]) -> Row:
    return Row(measure=measure, unit="MB", limit="limit-memory", seconds=10.0, first_seconds=60.0, rounds=1)


def _scheduler(figure: Callable[[scheduler.Turns], float], unit: str = "ms", limit: str = "limit-updates") -> Row:
    return Row(measure=lambda bench: figure(bench.once(scheduler.run)), unit=unit, limit=limit, rounds=2)


def _page(name: str) -> Row:
    measure = lambda bench: bench.once(pages.run).p95_ms[name]  # noqa: E731
    return Row(measure=measure, unit="ms", limit="limit-page", seconds=20.0, rounds=1)


def _digest(figure: Callable[[digest.Digested], float], unit: str = "lines/s", limit: str = "limit-digest-json") -> Row:
    return Row(measure=lambda bench: figure(bench.once(digest.run)), unit=unit, limit=limit, rounds=2)


ROWS: Final[Mapping[str, Row]] = {
    LIMIT: Row(measure=limit.measure),
    "collector": Row(measure=collector.measure),
    "collector-picows": Row(measure=partial(collector.measure, transport=PICOWS)),
    "pipeline": _pipeline(pipeline.run),
    "pipeline-picows": _pipeline(pipeline.with_picows),
    "latency-p50": _latency(50),
    "latency-p99": _latency(99),
    "depth": Row(measure=lambda bench: bench.once(depth.run).committed, limit="limit-depth-json"),
    **{f"memory-{service}": _idle(service) for service in (*memory.SERVICES, memory.STACK)},
    **{f"memory-{service}-pipeline": _loaded(service) for service in ("collector", "worker", "redis", "postgres")},
    "backfill": Row(measure=lambda bench: bench.once(backfill.run).rate, unit="rows/s", limit="limit-backfill-copy"),
    "archive": Row(measure=lambda bench: bench.once(archive.run).mb_per_s, unit="MB/s", limit="limit-archive"),
    "archive-bytes": Row(
        measure=lambda bench: bench.once(archive.run).bytes_per_tick, unit="bytes/tick", limit="limit-archive-bytes"
    ),
    "scheduler-idle": _scheduler(lambda turns: turns.idle_ms),
    "scheduler-idle-cpu": _scheduler(lambda turns: turns.idle_cpu_ms),
    "scheduler-due": _scheduler(lambda turns: turns.due_ms),
    "scheduler-due-cpu": _scheduler(lambda turns: turns.due_cpu_ms),
    "scheduler-due-statements": _scheduler(lambda turns: turns.due_statements, "statements", "limit-statements"),
    **{f"page-{name}": _page(name) for name in pages.PAGES if name != "limit"},
    "bars-90d": Row(measure=lambda bench: bench.once(pages.run).bars_s, unit="s", limit="limit-bars-sql", rounds=1),
    "limit-page": _page("limit"),
    "limit-bars-sql": Row(
        measure=lambda bench: bench.once(pages.run).bare_s, unit="s", limit="limit-bars-sql", rounds=1
    ),
    "digest": _digest(lambda digested: digested.rate),
    "digest-text": _digest(lambda digested: digested.text_rate),
    "digest-memory": _digest(lambda digested: digested.memory_mb, "MB", "limit-memory"),
    "logging": Row(measure=lambda bench: bench.once(logged.run).rate, unit="lines/s", limit="limit-logging"),
    "trades": Row(measure=lambda bench: bench.once(orders.run).report_s, unit="s", limit="limit-trades-sum", rounds=2),
    "trades-import": Row(
        measure=lambda bench: bench.once(orders.run).rows_per_s, unit="rows/s", limit="limit-trades-copy", rounds=2
    ),
    "limit-trades-sum": Row(
        measure=lambda bench: bench.once(orders.run).bare_s, unit="s", limit="limit-trades-sum", rounds=2
    ),
    "limit-trades-copy": Row(
        measure=lambda bench: bench.once(orders.run).bare_rows_per_s, unit="rows/s", limit="limit-trades-copy", rounds=2
    ),
    "limit-backfill-copy": Row(
        measure=lambda bench: bench.once(backfill.run).bare_rate, unit="rows/s", limit="limit-backfill-copy"
    ),
    "limit-archive": Row(
        measure=lambda bench: bench.once(archive.run).alone_mb_per_s, unit="MB/s", limit="limit-archive"
    ),
    "limit-archive-bytes": Row(
        measure=lambda bench: bench.once(archive.run).plain_bytes_per_tick,
        unit="bytes/tick",
        limit="limit-archive-bytes",
    ),
    "limit-updates": _scheduler(lambda turns: turns.singles_ms),
    "limit-update": _scheduler(lambda turns: turns.set_ms),
    "limit-statements": Row(measure=lambda _: scheduler.JOBS, unit="statements", limit="limit-statements"),
    "limit-digest-json": _digest(lambda digested: digested.json_rate),
    "limit-digest-msgspec": _digest(lambda digested: digested.msgspec_rate),
    "limit-logging": Row(measure=lambda bench: bench.once(logged.run).bare_rate, unit="lines/s", limit="limit-logging"),
    "limit-turn-p50": _turn(50),
    "limit-turn-p99": _turn(99),
    "limit-depth-json": Row(measure=lambda bench: bench.once(depth.run).parsed, limit="limit-depth-json"),
    "limit-memory": _memory(lambda _: memory.LIMIT_MB),
    "limit-xadd": Row(measure=limit_xadd.measure, seconds=3.0),
    "limit-copy": Row(measure=limit_copy.measure, seconds=3.0),
    "limit-json": Row(measure=limit_json.measure, seconds=3.0),
}
