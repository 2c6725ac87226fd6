"""Every incident of the week, in the order in which they strike.

Those that would explain each other away lie apart; the others overlap. Seconds count from the beginning; week.py says
which day that is.
"""

import re
from typing import Final

from tests.night.incidents import alerting, feeds, machine, services, storage
from tests.night.incidents.incident import Incident, digested, notice, page
from tests.night.stack import NEXT_WORKER
from tests.night.understudy import FUNDS, STOCKS

ARCHIVE_FULL: Final = r"Only .* of the disk of archive|volume=archive"
LOSING: Final = re.escape(alerting.LOSING)
NOTICE_LIMIT_S: Final = 75.0
"""A notice waits half a minute for others of its group."""

MINUTE_LIMIT_S: Final = 150.0
"""A minute of ``for``, and then a notice."""

INCIDENTS: Final[tuple[Incident, ...]] = (
    # --- the night before Thursday: what needs no watching for a minute and a half ---
    digested(
        "trades withheld by the exchange", 7, storage.withheld_trades,
        "GapOpen{simulator, trade}", r"simulator: a gap of trade has been open",
    ),
    page(
        "a strategy posts something critical", 9, alerting.strategy_loses,
        "Notification", LOSING, acknowledges=False, hold_s=90,
    ),
    page(
        "a strategy's message, nobody acknowledges", 9, alerting.nobody_looks,
        "Notification, second step", rf"Nobody has acknowledged .*{LOSING}", acknowledges=False, limit_s=15,
    ),
    page(
        "a disk is full, acknowledged at once", 10, machine.disk_full,
        "DiskLow{archive}", ARCHIVE_FULL, hold_s=75,
    ),
    digested(
        "a burst of reconnects", 12, feeds.closed_often,
        "FeedReconnecting{simulator}", r"simulator lost its connection \d+ times",
    ),
    digested(
        "a jump in errors", 30, machine.errors_logged,
        "ErrorRateJump{understudy}", r"The understudy logged \d+ errors",
    ),
    digested(
        "429 from the exchange", 34, feeds.limited,
        "FeedRateLimited{simulator}", r"simulator says that we ask too often",
    ),
    digested(
        "a changed message format", 40, feeds.changed_format,
        "FeedFormatChanged{simulator}", r"simulator: \d+ messages could not be read",
    ),
    page(
        "a gap that cannot be filled", 50, storage.unfillable,
        "GapUnfillable{simulator, trade}", r"simulator: a gap of trade cannot be filled", stays=True,
    ),
    notice(
        "a missed job", 66, machine.job_missed,
        "JobMissed{pre_market_scan}", r"The job pre_market_scan missed a run", limit_s=NOTICE_LIMIT_S,
    ),
    # Above 70 % the collector keeps what comes to itself, so that nothing is stored either, should it last a minute.
    page(
        "Redis is full", 76, storage.full_redis,
        "BufferFull{redis}", r"Redis is [\d.]+% full", also=(re.compile("Ticks of simulator wait"),),
    ),
    # --- Thursday and Friday ---
    page(
        "one symbol mute", 108, feeds.mute_symbol,
        "SymbolSilent{simulator, SOLUSDT}", r"SOLUSDT of simulator has been silent",
    ),
    page(
        "a stock feed silent in mid-session", 132, feeds.silent_feed(STOCKS),
        "FeedSilent{stocks}", r"(?<!of )stocks has been silent",
    ),
    page(
        "the worker stopped", 140, services.stopped(NEXT_WORKER),
        "ServiceDown{worker}", r"The worker has not answered",
    ),
    notice(
        "a disk is filling up", 180, machine.disk_filling,
        "DiskLow{backup}", r"of the disk of backup is free", limit_s=MINUTE_LIMIT_S,
    ),
    page(
        "the exchange gone", 198, feeds.gone,
        "FeedSilent{simulator}", r"(?<!of )simulator has been silent",
    ),
    page(
        "the worker hangs (SIGSTOP)", 214, services.hanging(NEXT_WORKER),
        "ServiceDown{worker}", r"The worker has not answered",
    ),
    page(
        "a stock symbol silent", 228, feeds.silent_symbol(FUNDS, "QQQ.US"),
        "SymbolSilent{funds, QQQ.US}", r"QQQ\.US of funds has been silent",
    ),
    # --- the weekend, and the Monday after summer time ---
    page(
        "Redis stopped", 292, storage.stopped("redis"),
        "StorageStalled{simulator}", r"Ticks of simulator wait and nothing has been stored",
    ),
    digested(
        "the api stopped", 306, services.stopped("api"),
        "ServiceDown{api}", r"The api has not answered",
    ),
    page(
        "Slack hangs while a strategy posts", 392, alerting.slack_hangs,
        "Notification", re.escape(alerting.FLAT), limit_s=110,
    ),
    page(
        "PostgreSQL stopped", 424, storage.stopped("postgres"),
        "StorageStalled{simulator}", r"Ticks of simulator wait and nothing has been stored",
    ),
    page(
        "a stock feed silent from the open on", 455, feeds.silent_from_the_open(FUNDS),
        "FeedSilent{funds}", r"(?<!of )funds has been silent",
    ),
    digested(
        "the collector killed", 482, services.killed("collector"),
        "ServiceRestarted{collector}", r"collector ended and was started again",
    ),
    digested(
        "a spread far from its usual", 526, feeds.wide_spread,
        "MarketUnusual{coins, ADAUSDT}", r"ADAUSDT of coins: spread is",
    ),
    # --- the holiday, and the days after ---
    page(
        "Slack's webhook gone", 604, alerting.webhook_refused,
        "ChannelFailing{slack-desk}", r"The channel slack-desk does not deliver",
    ),
    page(
        "no memory left, while Slack's webhook is gone", 606, alerting.slack_gone,
        "MemoryLow{machine}", r"of the machine's memory is available", hold_s=5,
    ),
    page(
        "the collector stopped", 640, services.stopped("collector"),
        "ServiceDown{collector}", r"The collector has not answered",
    ),
    digested(
        "the alerter killed and away", 678, services.alerter_away,
        "ServiceDown{alerter}", r"The alerter has not answered",
    ),
    page(
        "a disk full and emptied while the alerter is away", 680, services.away_while_a_disk_fills,
        "DiskLow{archive}, came and went", ARCHIVE_FULL, limit_s=60,
    ),
    # --- the half day, and the end ---
    page(
        "the worker in a crash loop", 812, services.crash_looping(NEXT_WORKER),
        "ServiceCrashLooping{worker}", r"The worker was started \d+ times", stays=True,
    ),
    page(
        "the collector in a crash loop", 856, services.crash_looping("collector"),
        "ServiceCrashLooping{collector}", r"The collector was started \d+ times", stays=True,
    ),
    page(
        "the rules are gone, and the watchdog with them", 892, alerting.rules_gone,
        "WatchdogMissing", r"its watchdog does not fire", stays=True,
    ),
    page(
        "Prometheus killed and away", 964, alerting.prometheus_gone,
        "PrometheusUnreachable", r"Prometheus does not answer the alerter", stays=True,
    ),
)  # fmt: skip

__all__ = ["INCIDENTS", "Incident"]
