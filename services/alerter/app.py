"""The alerter's one composition root."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import structlog
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from nightdesk import __version__, logs, outbound, problems
from nightdesk.bearer import guard, guard_any
from nightdesk.calendars import Calendars, Closures, read_closures, spans_in_child
from nightdesk.errors import ConfigurationError, UnavailableError
from nightdesk.feeds_config import FeedConfig, read_feeds
from nightdesk.metrics import service_registry
from nightdesk.service import Pulse, Watchdog, entry, exit_stuck
from nightdesk.serving import SERVER, BoundedBody
from nightdesk.settings import load, secret_of
from services.alerter import channels
from services.alerter.alerts import NAME, Report, Source
from services.alerter.channel import Channel
from services.alerter.deadman import Deadman
from services.alerter.deciding import join
from services.alerter.delivery.courier import Courier
from services.alerter.delivery.receipts import Receipts
from services.alerter.delivery.roster import Roster
from services.alerter.desk import Desk
from services.alerter.hiding import hidden
from services.alerter.links import Links
from services.alerter.markets import Markets, calendars_of
from services.alerter.metrics import AlerterMetrics
from services.alerter.observing import observe, settle
from services.alerter.own import BLIND, reports_of
from services.alerter.policy import Policy, read_policy
from services.alerter.recording import Recording
from services.alerter.routes import alerts, health, links, notifications, silences
from services.alerter.routes import channels as channel_routes
from services.alerter.set_back import set_back
from services.alerter.settings import AlerterSettings
from services.alerter.standing import Standing
from services.alerter.store.file import StateFile
from services.alerter.store.history import History
from services.alerter.store.outbox import Outbox
from services.alerter.store.records import Records
from services.alerter.turn import Turn
from services.alerter.watch.asking import Asking
from services.alerter.watch.prometheus import Prometheus
from services.alerter.watch.watcher import Watcher
from services.alerter.wording import Words

log = structlog.get_logger()

T = TypeVar("T")

SERVICE: Final = "alerter"
STATE_FILE: Final = "alerter.sqlite"
TICK_S: Final = 1.0
STAND_IN_S: Final = 2.0
UPKEEP_S: Final = 60.0
STUCK_S: Final = 60.0
STEP_S: Final = 5.0
"""A clock that goes back by less is only kept in time."""

CLOSE_S: Final = 20.0
"""What an attempt under way may take at the end; one that takes longer is made again after the start."""

PROMETHEUS_BYTES: Final = 64 * 1024 * 1024
"""Several times what ten thousand alerts take."""


def main() -> None:
    """Run the alerter to its end."""
    entry(SERVICE, run)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that was configured: the channels that are ready, and which variables the others lack."""

    settings: AlerterSettings
    policy: Policy
    feeds: Sequence[FeedConfig]
    closures: Closures
    channels: Mapping[str, Channel]
    lacking: Mapping[str, Sequence[str]]


def run(environ: Mapping[str, str]) -> None:
    """Serve until a signal says stop; raises ConfigurationError naming everything that is wrong."""
    chosen = configuration(environ)
    settings = chosen.settings
    registry = service_registry(SERVICE)
    Pulse(logs.configure(SERVICE, settings, registry=registry)).start()
    log.info("alerter.starting", channels=sorted(chosen.channels), not_configured=sorted(chosen.lacking))
    web = Alerter(chosen, registry).web()
    server = uvicorn.Server(uvicorn.Config(web, host=settings.listen_host, port=settings.metrics_port, **SERVER))
    server.run()
    if not server.started:
        raise UnavailableError(f"cannot listen on {settings.listen_host}:{settings.metrics_port}")


def configuration(environ: Mapping[str, str]) -> Configuration:
    """Return the configuration; raises ConfigurationError naming what is wrong in every file and variable at once."""
    wrong: list[str] = []
    settings = _read(lambda: load(AlerterSettings, environ), wrong)
    policy = _read(lambda: read_policy(Path(environ.get("ALERTS_CONFIG") or "config/alerts.yaml")), wrong)
    feeds = _read(lambda: read_feeds(Path(environ.get("FEEDS_CONFIG") or "config/feeds.yaml")), wrong)
    closures = _read(lambda: read_closures(Path(environ.get("CALENDARS_CONFIG") or "config/calendars.yaml")), wrong)
    made, lacking = _channels(policy, environ, wrong) if policy is not None else ({}, {})
    if settings is None or policy is None or feeds is None or closures is None or wrong:
        raise ConfigurationError("\n".join(wrong))
    return Configuration(
        settings=settings,
        policy=policy,
        feeds=list(feeds.values()),
        closures=closures,
        channels=made,
        lacking=lacking,
    )


def _read(read: Callable[[], T], wrong: list[str]) -> T | None:
    try:
        return read()
    except ConfigurationError as error:
        wrong.append(str(error))
        return None


def _channels(
    policy: Policy, environ: Mapping[str, str], wrong: list[str]
) -> tuple[dict[str, Channel], dict[str, list[str]]]:
    """Return the channels whose secrets are all there, and what the others lack; half a configuration is a mistake."""
    made: dict[str, Channel] = {}
    lacking: dict[str, list[str]] = {}
    for name, options in policy.channels.items():
        variables = channels.secret_variables(options)
        try:
            secrets = {field: secret_of(variable, environ) or "" for field, variable in variables.items()}
            if not any(secrets.values()):
                lacking[name] = list(variables.values())
            else:
                made[name] = channels.make(options, secrets)
        except ConfigurationError as error:
            wrong.append(f"channel {name}: {error}")
    return made, lacking


class Alerter:
    """Everything the alerter is made of, put together."""

    def __init__(
        self, chosen: Configuration, registry: CollectorRegistry, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings = chosen.settings
        self._policy = policy = chosen.policy
        made = chosen.channels
        self._wall_s = wall_s
        self._registry = registry
        self._metrics = AlerterMetrics(self._registry, made)
        self._file = StateFile(settings.state_dir / STATE_FILE, wall_s=wall_s)
        self._outbox = Outbox(self._file, wall_s)
        self._roster = Roster(policy=policy, channels=made, lacking=chosen.lacking, outbox=self._outbox, wall_s=wall_s)
        self._links = Links(secret=settings.ack_secret.get_secret_value(), last_s=policy.links_last)
        self._recording = Recording(self._metrics, self._wake)
        self._desk = Desk(
            policy=policy,
            records=Records(self._file, self._roster.takes),
            wording=self._words(),
            usable=self._roster.usable,
            wall_s=wall_s,
            on_turn=self._recording.turned,
        )
        self._threads = {
            name: ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("watch", "receipts", "deadman")
        }
        self._watcher = self._new_watcher()
        self._couriers = {name: self._new_courier(name, channel) for name, channel in made.items()}
        self._receipts = Receipts(
            outbox=self._outbox, roster=self._roster, acknowledge=self._acknowledged, thread=self._threads["receipts"]
        )
        self._markets = self._new_markets(chosen.feeds, chosen.closures)
        self._deadman = self._new_deadman()
        self._watchdog = Watchdog(limit_s=STUCK_S, excused=lambda: False)
        self._history = History(self._file)
        self._standing = Standing(
            desk=self._desk,
            watcher=self._watcher,
            roster=self._roster,
            outbox=self._outbox,
            file=self._file,
            deadman=self._deadman,
            wall_s=wall_s,
            began_s=wall_s(),
        )
        self._ticked_s = self._desk.state.watched_s or wall_s()
        self._stopping = False

    def web(self) -> FastAPI:
        """Return the HTTP interface; the work begins and ends with it."""
        app = Described(docs_url=None, redoc_url=None, lifespan=self._lifespan, generate_unique_id_function=_name)
        state = app.state
        state.desk, state.history, state.links = self._desk, self._history, self._links
        state.roster, state.outbox, state.couriers = self._roster, self._outbox, self._couriers
        state.registry, state.wall_s, state.alive = self._registry, self._wall_s, self._watchdog.alive
        state.hidden = lambda: hidden(Turn(self._desk.state, self._wall_s()), self._policy)
        state.parts = self._standing.parts
        problems.install(app)
        control, post = (
            secret.get_secret_value() for secret in (self._settings.alerter_token, self._settings.notifications_token)
        )
        controlled = guard(control, "ALERTER_TOKEN", realm=REALM)
        posting = guard(post, "NOTIFICATIONS_TOKEN", realm=REALM)
        either = guard_any({"ALERTER_TOKEN": control, "NOTIFICATIONS_TOKEN": post}, realm=REALM)
        for one in (alerts.router, silences.router, notifications.router, channel_routes.router):
            app.include_router(one, dependencies=[Depends(controlled)], responses=ERRORS)
        app.include_router(notifications.posts, dependencies=[Depends(posting)], responses=ERRORS)
        for one in (alerts.reading, silences.reading, channel_routes.tests):
            app.include_router(one, dependencies=[Depends(either)], responses=ERRORS)
        app.include_router(links.router, responses=problems.responses({422: WHY[422]}))
        app.include_router(health.router)
        app.add_middleware(BoundedBody)
        return app

    # --- work ---

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        for name, count in self._roster.recovered.items():
            self._metrics.repeated.labels(name).inc(count)
            log.warning("deliveries.repeated", channel=name, deliveries=count)
        tasks = [self._begin(work) for work in self._work()]
        delivering = [self._begin(courier.run()) for courier in self._couriers.values()]
        self._watchdog.start()
        yield
        self._stopping = True
        self._watchdog.close()
        for task in tasks:
            task.cancel()
        for courier in self._couriers.values():
            courier.stop()
        if delivering:
            await asyncio.wait(delivering, timeout=CLOSE_S)
        self._file.close()
        log.info("alerter.stopped")
        logs.flush()  # uvicorn ends with the signal that it was sent

    def _work(self) -> list[Coroutine[Any, Any, None]]:
        work = [
            self._watcher.run(asyncio.sleep),
            self._every(TICK_S, self._tick),
            self._every(STAND_IN_S, self._stand_in),
            self._every(UPKEEP_S, self._upkeep),
            self._receipts.run(asyncio.sleep),
            self._markets.keep(asyncio.sleep),
        ]
        return [*work, self._deadman.run(asyncio.sleep)] if self._deadman is not None else work

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """End the process when a part fails: what supervises it starts it again, with everything it knew."""
        if not self._stopping and not task.cancelled() and task.exception() is not None:
            try:
                log.critical("alerter.failed", exc_info=task.exception())
            finally:
                exit_stuck()

    async def _every(self, seconds: float, act: Callable[[], None]) -> None:
        while True:
            act()
            await asyncio.sleep(seconds)

    def _tick(self) -> None:
        """Look at oneself, and do what has come due."""
        self._mind_clock()
        standing = self._standing.own()
        reports = reports_of(standing)
        has_waited = standing.now_s - standing.began_s > standing.unreachable_after_s
        if has_waited and any(report.labels[NAME] in BLIND for report in reports):
            self._desk.is_ready = True  # what is known is all there is to go by
        self._desk.change(lambda turn: self._observe_self(turn, reports))
        self._recording.looked(self._desk, self._roster, self._outbox, self._wall_s())
        self._watchdog.moved()
        self._metrics.progress.labels(SERVICE).set(self._wall_s())

    def _mind_clock(self) -> None:
        back_s = self._ticked_s - self._wall_s()
        if back_s > STEP_S:
            log.warning("clock.set_back", by_s=round(back_s, 1))
            self._roster.set_back(back_s)
            self._desk.change(lambda turn: set_back(turn, back_s))
        self._ticked_s = self._wall_s()

    def _observe_self(self, turn: Turn, reports: Sequence[Report]) -> None:
        observe(turn, self._policy, reports, Source.ALERTER)
        settle(turn, self._policy, Source.ALERTER, turn.now_s)

    def _stand_in(self) -> None:
        given = self._outbox.stand_in(self._policy.failover_after, self._roster.stand_ins(), self._roster.takes)
        if given:
            self._desk.change(lambda turn: join(turn, given))
            self._wake(frozenset(one.channel for one in given))

    def _upkeep(self) -> None:
        self._file.come_back()
        self._history.prune(self._wall_s())

    def _wake(self, names: frozenset[str]) -> None:
        for name in names & self._couriers.keys():
            self._couriers[name].wake()

    def _acknowledged(self, notification_id: int, channel: str) -> None:
        told = self._history.notified(notification_id)
        self._desk.acknowledge(told, by=channel, until_s=self._history.created_s(notification_id))

    # --- parts ---

    def _words(self) -> Words:
        policy = self._policy
        return Words(
            zone=policy.timezone,
            public_url=self._settings.public_url or None,
            sign=self._links.sign,
            per_day=policy.budget.per_day,
            digest_at=" and ".join(one.strftime("%H:%M") for one in policy.digest.at),
        )

    def _new_watcher(self) -> Watcher:
        call = partial(outbound.call, bounds=outbound.Bounds(max_answer_bytes=PROMETHEUS_BYTES))
        asking = Asking(Prometheus(self._settings.prometheus_url, call), self._policy.watch, self._threads["watch"])
        return Watcher(
            prometheus=asking,
            desk=self._desk,
            watching=self._policy.watch,
            wall_s=self._wall_s,
            on_poll=self._recording.polled,
        )

    def _new_courier(self, name: str, channel: Channel) -> Courier:
        return Courier(
            name=name,
            channel=channel,
            per_minute=self._policy.channels[name].per_minute,
            outbox=self._outbox,
            roster=self._roster,
            wall_s=self._wall_s,
            random=random.random,
            on_attempt=self._recording.attempted,
            thread=ThreadPoolExecutor(1, thread_name_prefix=f"channel-{name}"),
        )

    def _new_markets(self, feeds: Sequence[FeedConfig], closures: Closures) -> Markets:
        names = calendars_of(feeds)
        calendars = Calendars(names, closures=closures, spans=spans_in_child)
        markets = Markets(names, calendars, lambda: int(self._wall_s() * 1e9))
        self._registry.register(markets)
        return markets

    def _troubles(self) -> list[str]:
        return self._standing.troubles()

    def _new_deadman(self) -> Deadman | None:
        url = self._settings.deadman_url
        if url is None:
            return None
        loop_thread = self._threads["deadman"]

        async def in_thread(ask: Callable[[], None]) -> None:
            await asyncio.get_running_loop().run_in_executor(loop_thread, ask)

        return Deadman(
            url=url.get_secret_value(),
            call=outbound.call,
            troubles=self._troubles,
            in_thread=in_thread,
            on_ping=lambda: self._metrics.pinged.set(self._wall_s()),
        )


REALM: Final = "nightdesk alerter"
WHY: Final = {401: "no token, or not the token", 422: "a field is wrong; `errors` names each"}
ERRORS: Final = problems.responses(WHY)


class Described(FastAPI):
    """FastAPI with our own description of errors."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made once."""
        if self.openapi_schema is None:
            raw = get_openapi(title="Nightdesk alerter", version=__version__, routes=self.routes)
            self.openapi_schema = problems.described(raw)
        return self.openapi_schema


def _name(route: Any) -> str:  # noqa: ANN401  FastAPI's own
    return str(route.name)
