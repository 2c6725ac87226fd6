"""One week of a desk, the same rows each time: what the golden pages of its days are made of.

Three symbols, of which one is quiet for hours on Thursday; gaps of each fate; runs that fail and are missed; alerts
that are answered, ignored and go on; measurements with a night nobody watched; an error that is new; orders.
"""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg

MONDAY: Final = date(2026, 11, 16)
DAY: Final = date(2026, 11, 19)
"""A Thursday on which something happens of everything."""

MADE_AT: Final = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
"""When rows say that they were made; no report tells it."""

SYMBOLS: Final = (("simulator", "BTCUSDT", 65_000.0), ("simulator", "ETHUSDT", 3_400.0), ("coinbase", "SOL-USD", 150.0))
QUIET: Final = range(300, 420)
"""Minutes of Thursday without a trade of the third symbol."""


def at(day: date, clock: str) -> datetime:
    """Return a moment: ``at(DAY, "21:30")``."""
    return datetime.fromisoformat(f"{day}T{clock}+00:00")


def fill(connection: "psycopg.Connection[Any]") -> None:
    """Write the week into an empty schema, as the superuser."""
    with connection.cursor() as cursor:
        for put in (_symbols, _bars, _completeness, _gaps, _runs, _alerts, _facts, _logs, _orders):
            put(cursor)
        cursor.execute("ANALYZE")


def _copy(cursor: Any, table: str, columns: str, rows: Iterator[tuple[Any, ...]] | list[tuple[Any, ...]]) -> None:
    statement = psycopg.sql.SQL("COPY {} ({}) FROM STDIN").format(
        psycopg.sql.Identifier(table),
        psycopg.sql.SQL(", ").join(psycopg.sql.Identifier(name) for name in columns.replace(",", " ").split()),
    )
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _symbols(cursor: Any) -> None:
    for feed in ("simulator", "coinbase"):
        cursor.execute("INSERT INTO feeds (feed, shards) VALUES (%s, 8)", [feed])
    for feed, symbol, _ in SYMBOLS:
        cursor.execute("INSERT INTO symbols (feed, symbol, shard) VALUES (%s, %s, 0)", [feed, symbol])


def bars() -> Iterator[tuple[Any, ...]]:
    """Return every minute of Wednesday to Friday, and the last hour of the other days."""
    for symbol_id, (_, _, base) in enumerate(SYMBOLS, 1):
        for offset in range(7):
            day = MONDAY + timedelta(days=offset)
            first = 0 if 2 <= offset <= 4 else 1380
            for minute in range(first, 1440):
                if symbol_id == 3 and day == DAY and minute in QUIET:
                    continue
                yield _bar(symbol_id, base, offset * 1440 + minute)


def _bar(symbol_id: int, base: float, minute: int) -> tuple[Any, ...]:
    """Prices go up and down in waves, in cents, so that every sum is the same on every machine."""
    time = datetime(2026, 11, 16, tzinfo=UTC) + timedelta(minutes=minute)
    open_, close = _price(base, minute), _price(base, minute + 1)
    trades = 5 + (minute * 7 + symbol_id * 13) % 40
    volume = trades * symbol_id / 8
    high, low = max(open_, close) + base / 2**12, min(open_, close) - base / 2**12
    quote = volume * (open_ + close) / 2
    return symbol_id, time, open_, high, low, close, volume, volume / 2, quote, trades, minute, minute, True


def _price(base: float, minute: int) -> float:
    wave = math.sin(minute / 97) + 0.4 * math.sin(minute / 23)
    return round(base * (1 + wave / 64) * 64) / 64


def _bars(cursor: Any) -> None:
    columns = "symbol_id time open high low close volume buy_volume quote_volume trades open_key close_key closed"
    _copy(cursor, "bars", columns, bars())


def _completeness(cursor: Any) -> None:
    rows: list[tuple[Any, ...]] = []
    for offset in range(7):
        day = MONDAY + timedelta(days=offset)
        for symbol_id in (1, 2):
            missing = 12 if day == DAY and symbol_id == 2 else 0
            lost = 4 if missing else 0
            rows.append((symbol_id, day, 1440, 1440 - lost, missing, 0, 0, 100 * (1440 - lost) / 1440, "[]", MADE_AT))
    rows.append((3, DAY, 1440, 0, 0, 0, 1440, 0.0, "[]", MADE_AT))  # nothing could be checked
    columns = "symbol_id day minutes complete missing_ids differing unchecked percent detail verified_at"
    _copy(cursor, "completeness", columns, rows)


def _gaps(cursor: Any) -> None:
    """Filled, come by itself, open, unfillable, without ids; and one of the next day."""
    rows = [
        (1, 1, 1000, 1099, "{}", "disconnected", "filled", "03:10:00", 41, "binance", "trades", ""),
        (2, 1, 500, 511, "{[500,512)}", "disconnected", "open", "03:10:01", 0, "", "", "the exchange was away"),
        (2, 1, 800, 803, "{}", "sequence break", "filled", "11:00:00", 3, "", "", ""),
        (3, 1, 20, 29, "{[20,30)}", "disconnected", "unfillable", "05:00:00", 900, "", "", "the exchange forgot it"),
        (3, 3, None, None, None, "conflated", "unfillable", "18:30:00", 0, "", "", "quotes have no history"),
    ]
    for symbol_id, kind, low, high, missing, cause, state, clock, filled_s, source, quality, reason in rows:
        opened = at(DAY, clock)
        cursor.execute(
            "INSERT INTO gaps (symbol_id, kind, from_id, to_id, from_time, to_time, missing, cause, state, opened_at,"
            " updated_at, source, quality, reason) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [symbol_id, kind, low, high, opened - timedelta(seconds=30), opened, missing, cause, state, opened,
             opened + timedelta(seconds=filled_s), source, quality, reason],
        )  # fmt: skip
    cursor.execute(
        "INSERT INTO gaps (symbol_id, kind, from_id, to_id, missing, cause, state, opened_at, updated_at)"
        " VALUES (1, 1, 5000, 5001, '{[5000,5002)}', 'disconnected', 'open', %s, %s)",
        [at(DAY + timedelta(days=1), "00:00:00"), MADE_AT],
    )


def _runs(cursor: Any) -> None:
    for offset in range(7):
        day = MONDAY + timedelta(days=offset)
        for half in range(48):
            moment = at(day, "00:00") + timedelta(minutes=30 * half)
            _run(cursor, "health_check", moment, "succeeded", 2 + half % 3)
        _run(cursor, "backup", at(day, "04:45"), "succeeded", 310)
    _run(cursor, "verify_data", at(DAY, "01:10"), "failed", 95, error="12 ids of ETHUSDT are missing\nTraceback ...")
    _run(cursor, "pre_market_scan", at(DAY, "12:00"), "missed", None, reason="nothing took it within 1 h")
    _run(cursor, "backfill_gaps", at(DAY, "08:20"), "succeeded", 61, origin="hand")
    _run(cursor, "backfill_gaps", at(DAY, "08:41"), "succeeded", 12, origin="request")
    _run(cursor, "backfill_gaps", at(MONDAY, "19:00"), "succeeded", 12, origin="hand")


def _run(
    cursor: Any, job: str, moment: datetime, state: str, took_s: int | None, *, origin: str = "schedule",
    error: str = "", reason: str = "",
) -> None:  # fmt: skip
    ended = None if took_s is None else moment + timedelta(seconds=took_s)
    cursor.execute(
        "INSERT INTO runs (job, scheduled_for, task, origin, chain, state, reason, due_at, grace_s, max_age_s,"
        " timeout_s, attempts, created_at, started_at, finished_at, error)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 900, 86400, 600, %s, %s, %s, %s, %s)",
        [job, moment, job, origin, job, state, reason, moment, 0 if took_s is None else 1, moment,
         None if took_s is None else moment, ended, error or None],
    )  # fmt: skip


def _alerts(cursor: Any) -> None:
    thursday, friday, saturday = DAY, DAY + timedelta(days=1), DAY + timedelta(days=2)
    rows = [
        # FeedSilent: answered, twice on Thursday.
        _alert(1, "FeedSilent", "critical", at(thursday, "03:10:10"), 240, told=20, acked=95, by="slack"),
        _alert(2, "FeedSilent", "critical", at(thursday, "14:00:00"), 1800, told=5, acked=305, by="phone"),
        # SymbolSilent: calls and is over within minutes; nobody answers.
        *(
            _alert(10 + number, "SymbolSilent", "critical", at(friday, f"0{number}:15:00"), 90, told=10)
            for number in range(3)
        ),
        # DiskLow: went on over midnight.
        _alert(20, "DiskLow", "warning", at(thursday, "23:50:00"), 7200, told=60),
        # FeedReconnecting: noise.
        *(
            _alert(30 + number, "FeedReconnecting", "warning", at(saturday, f"{number:02d}:00:00"), 600, told=3600)
            for number in range(12)
        ),
        # Before the week, and what only informs.
        _alert(5, "StorageStalled", "critical", at(date(2026, 10, 1), "10:00:00"), 60, told=5, acked=30, by="slack"),
        _alert(6, "GapOpen", "warning", at(date(2026, 7, 1), "10:00:00"), 60, told=5),
        _alert(7, "Notification", "info", at(thursday, "21:30:00"), 0, told=0),
        # Never told, since another explained it.
        _alert(8, "FeedReconnecting", "warning", at(thursday, "03:10:30"), 300),
    ]
    columns = (
        "started_at alert_id name tier source summary labels ended_at told_at acknowledged_at acknowledged_by note"
    )
    _copy(cursor, "alert_history", columns, rows)


def _alert(
    number: int, name: str, tier: str, begin: datetime, lasted_s: int, *, told: int | None = None,
    acked: int | None = None, by: str = "",
) -> tuple[Any, ...]:  # fmt: skip
    def after(seconds: int | None) -> datetime | None:
        return None if seconds is None else begin + timedelta(seconds=seconds)

    summary = f"{name} of simulator for a while"
    return begin, number, name, tier, "prometheus", summary, "{}", after(lasted_s), after(told), after(acked), by, ""


def _facts(cursor: Any) -> None:
    rows: list[tuple[Any, ...]] = []
    for offset in range(6):  # nobody gathered Sunday
        day = MONDAY + timedelta(days=offset)
        is_bad = day == DAY
        facts = {
            ("told_s", ""): 86_400.0,
            ("alerts_until_s", ""): 86_400.0,
            ("until_s", ""): 86_400.0,
            ("unobserved_s", ""): 1_200.0 if offset == 1 else 0.0,
            ("downtime_s", ""): 255.0 if is_bad else 0.0,
            ("planned_downtime_s", ""): 120.0 if offset == 5 else 0.0,
            ("memory_available_ratio_min", ""): 0.41,
            ("disk_free_ratio_min", "spool"): 0.31 - offset / 100,
            ("disk_free_bytes_min", "spool"): (31 - offset) * 2.0**30,
            ("restarts", "collector"): 2.0 if is_bad else 0.0,
            ("down_s", "collector"): 255.0 if is_bad else 0.0,
            ("down_s", "api"): 120.0 if offset == 5 else 0.0,
            ("reconnects", "simulator"): 3.0 if is_bad else 1.0,
            ("quarantined", "simulator"): 0.0,
        }
        for service, peak, limit in (("collector", 180, 256), ("worker", 210, 320), ("api", 96, 160)):
            facts["memory_peak_bytes", service] = (peak + offset) * 2.0**20
            facts["memory_limit_bytes", service] = limit * 2.0**20
        rows += [(day, fact, subject, value) for (fact, subject), value in facts.items()]
    _copy(cursor, "daily_facts", "day fact subject value", rows)


def _logs(cursor: Any) -> None:
    counts: list[tuple[Any, ...]] = []
    errors: list[tuple[Any, ...]] = []
    for offset in range(7):
        day = MONDAY + timedelta(days=offset)
        counts += [
            (day, "collector", "info", "feed.connected", 40 + offset),
            (day, "worker", "info", "consumer.committed", 90_000 + offset),
            (day, "worker", "error", "frame.refused", 4),
        ]
        errors.append(
            _error(
                day, "aaaa000000000001", "worker", "frame.refused", template="a frame of <feed> was refused", lines=4
            )
        )
    counts.append((DAY, "collector", "error", "feed.failed", 7))
    errors.append(
        _error(
            DAY, "bbbb000000000002", "collector", "feed.failed", template="socket closed with <n>: going away", lines=7
        )
    )
    _copy(cursor, "log_counts", "day service level event lines", counts)
    columns = "day fingerprint service level event template sample lines first_at last_at"
    _copy(cursor, "log_errors", columns, errors)


def _error(day: date, fingerprint: str, service: str, event: str, *, template: str, lines: int) -> tuple[Any, ...]:
    sample = template.replace("<feed>", "simulator").replace("<n>", "1001")
    return day, fingerprint, service, "error", event, template, sample, lines, at(day, "03:10:00"), at(day, "15:40:00")


def _orders(cursor: Any) -> None:
    for symbol, sector in (("BTCUSDT", "crypto"), ("ETHUSDT", "crypto")):
        cursor.execute("INSERT INTO instruments (symbol, name, sector) VALUES (%s, %s, %s)", [symbol, symbol, sector])
    for name, kind in (("momentum", "strategy"), ("anna", "account")):
        cursor.execute("INSERT INTO traders (name, kind) VALUES (%s, %s)", [name, kind])
    rows = [
        ("o1", 1, 1, "buy", "0.5", "64000", "executed", at(DAY - timedelta(days=1), "10:00")),
        ("o2", 1, 1, "sell", "0.2", "65100.5", "executed", at(DAY, "09:30")),
        ("o3", 1, 1, "sell", "0.3", "65000", "failed", at(DAY, "09:31")),
        ("o4", 2, 2, "sell", "10", "3450.25", "executed", at(DAY, "13:00")),
        ("o5", 2, 2, "buy", "4", "3461", "executed", at(DAY, "16:00")),
        ("o6", 2, 2, "buy", "6", "3400", "executed", at(DAY + timedelta(days=1), "00:00")),
    ]
    for row in rows:
        cursor.execute(
            "INSERT INTO orders (reference, instrument_id, trader_id, side, quantity, price, status, ordered_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", list(row),
        )  # fmt: skip
