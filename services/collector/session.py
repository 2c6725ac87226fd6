"""The connection loop of a feed, the same for every exchange.

Connect, say that the feed is connected, read until the connection ends, say why it ended, wait, and again. Nothing
that an exchange sends ends the session.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from nightdesk.backoff import delays_s
from nightdesk.clock import Clock
from nightdesk.errors import NightdeskError, RateLimitedError, UnavailableError
from nightdesk.logs import redacted
from nightdesk.ticks import NO_ID, NO_TIME, Event, EventName, Tick
from services.collector.codec import Codec
from services.collector.conflation import Conflation
from services.collector.link import Cause, Ending, Link, Rejects, Rest, nowhere
from services.collector.liveness import Channel, Symbols
from services.collector.publisher import Pressure
from services.collector.recorder import Recorder
from services.collector.rollover import Handover
from services.collector.tally import Tally
from services.collector.transport import Connect, Dial

log = structlog.get_logger()

STARTED: Final = "collector started"
STOPPED: Final = "collector stopped"
TEND_S: Final = 0.1
ROLLOVER_ATTEMPTS: Final = 3
"""So many new connections may end before they took over; then the exchange seems to allow only one at a time."""

HANDOVER_POLL_S: Final = 0.05
LOOK_NS: Final = 1_000_000_000
CAUSE_CHARACTERS: Final = 200


class Sink(Protocol):
    """Where ticks go."""

    def take(self, ticks: Sequence[Tick]) -> None:
        """Take ticks, in order."""

    def event(self, event: Event) -> None:
        """Take the feed's word about itself."""

    @property
    def pressure(self) -> Pressure:
        """How hard it is to keep up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The session's waiting times in seconds."""

    reconnect_base_s: float = 1.0
    reconnect_max_s: float = 60.0
    silence_s: float = 30.0
    symbol_floor_s: float = 60.0
    symbol_factor: float = 5.0
    symbol_rollover_s: float = 600.0
    """A silent symbol makes the session try a new connection at most this often."""
    unheard_s: float = 300.0
    """A symbol that never ticked for so long in an open market is named: it may be misspelt or delisted."""
    dial: Dial = field(default_factory=Dial)


@dataclass(slots=True)
class State:
    """How the session is, for /health."""

    connected: bool = False
    ready: bool = False
    heard_ns: int = 0
    since_ns: int = 0
    cause: str = STARTED
    limit_s: float = 0.0
    silent: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    pressure: Pressure = Pressure.OPEN


class Session:
    """Keeps one feed connected."""

    def __init__(
        self,
        *,
        feed: str,
        symbols: Sequence[str],
        new_codec: Callable[[], Codec],
        connect: Connect,
        rest: Rest,
        sink: Sink,
        tally: Tally,
        policy: Policy,
        clock: Clock,
        random: Callable[[], float],
        is_open: Callable[[str, int], bool] = lambda _symbol, _wall_ns: True,
        recorder: Recorder | None = None,
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        self._feed = feed
        self._symbols = tuple(symbols)
        self._new_codec = new_codec
        self._connect = connect
        self._rest = rest
        self._sink = sink
        self._tally = tally
        self._policy = policy
        self._clock = clock
        self._random = random
        self._is_open = is_open
        self._recorder = recorder
        self._on_progress = on_progress
        self._rejects = Rejects(feed, tally, clock.monotonic_s)
        self._forward: Callable[[Sequence[Tick]], None] = sink.take
        self._conflation = Conflation()
        self._alive: dict[str, int] = {}
        self._usual = Symbols(symbols, floor_s=policy.symbol_floor_s, factor=policy.symbol_factor)
        self._channel: Channel | None = None
        self._symbol_rollover_ns: int | None = None
        self._first_ns: int | None = None
        self._link: Link | None = None
        self._next: Link | None = None
        self._leaving: set[asyncio.Task[Ending]] = set()
        self.state = State(since_ns=clock.wall_ns())

    async def run(self) -> None:
        """Keep the feed connected until cancelled."""
        tasks = [asyncio.create_task(self._reconnect_for_ever()), asyncio.create_task(self._tend())]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*self._leaving, return_exceptions=True)
            self._tally.flush()

    # -- connecting --------------------------------------------------------------------------------------------

    async def _reconnect_for_ever(self) -> None:
        cause = STARTED
        delays = self._delays()
        while True:
            ending, ticked = await self._connection(cause)
            if ticked:
                delays = self._delays()
            delay_s = self._delay_s(ending, delays)
            log.warning("session.waiting", feed=self._feed, delay_s=round(delay_s, 2), cause=ending.text)
            await asyncio.sleep(delay_s)
            if self.state.heard_ns:
                cause = ending.text

    def _delays(self) -> Iterator[float]:
        policy = self._policy
        return delays_s(base_s=policy.reconnect_base_s, cap_s=policy.reconnect_max_s, random=self._random)

    def _delay_s(self, ending: Ending, delays: Iterator[float]) -> float:
        if ending.retry_after_s:
            return ending.retry_after_s + self._policy.reconnect_base_s * self._random()
        return self._policy.reconnect_max_s if ending.longest else next(delays)

    async def _connection(self, cause: str) -> tuple[Ending, bool]:
        """Live one connection, rollovers included; return how it ended and whether valid ticks came."""
        try:
            link = await self._open(self._pass)
        except NightdeskError as error:
            ending = _refusal(error)
            self._tally.ended(ending.cause)
            self._changed(connected=False, cause=ending.text)
            return ending, False
        self._connected(cause)
        self._begin(link)
        link.start()
        try:
            ending, link = await self._follow(link)
        except asyncio.CancelledError:
            self._disconnected(Ending(cause=Cause.STOPPED, text=STOPPED))
            raise
        self._disconnected(ending)
        return ending, link.ticked

    async def _open(self, on_ticks: Callable[[Sequence[Tick]], None]) -> Link:
        codec = self._new_codec()
        try:
            socket = await self._connect(codec.url(), self._policy.dial)
        except NightdeskError:
            raise
        except Exception as error:
            # Whatever a library makes of an exchange's answer must not end the feed.
            raise UnavailableError(f"connecting failed: {error!r}") from error
        recorder = self._recorder
        return Link(
            feed=self._feed,
            codec=codec,
            socket=socket,
            rest=self._rest,
            tally=self._tally,
            rejects=self._rejects,
            wall_ns=self._clock.wall_ns,
            random=self._random,
            on_ticks=on_ticks,
            on_alive=self._note_alive,
            on_raw=recorder.message if recorder else None,
            on_answer=recorder.answer if recorder else None,
        )

    async def _follow(self, link: Link) -> tuple[Ending, Link]:
        """Stay with the link and with those that take over from it; return how the last one ended."""
        while True:
            successor = asyncio.create_task(self._successor(link))
            try:
                await asyncio.wait({link.running, successor}, return_when=asyncio.FIRST_COMPLETED)
                if not successor.done() and self._next is None:
                    return link.running.result(), link
                link = await successor
            finally:
                successor.cancel()
                await asyncio.gather(successor, return_exceptions=True)

    # -- rolling over ------------------------------------------------------------------------------------------

    async def _successor(self, link: Link) -> Link:
        """Wait until a new connection is wanted, open it, and return it once it has taken over."""
        cause = await self._rollover_cause(link)
        delays = self._delays()
        refused = 0
        while True:
            while self._paused:  # noqa: ASYNC110  what waits unread on this connection would be lost with it
                await asyncio.sleep(TEND_S)
            log.info("session.rolling_over", feed=self._feed, cause=cause)
            handover = Handover(self._clock.monotonic_ns())
            asked_s = 0.0
            try:
                self._next = await self._open(handover.new)
            except NightdeskError as error:
                failure = _refusal(error)
                asked_s = failure.retry_after_s
            else:
                if await self._caught_up(link, self._next, handover):
                    return self._switch(link, self._next, handover, cause)
                failure = self._next.running.result()
                self._leave(self._next)
                self._next = None
                refused += 1
            log.warning("session.rollover_failed", feed=self._feed, cause=redacted(failure.text))
            if refused == ROLLOVER_ATTEMPTS:
                link.end(Ending(cause=Cause.REPLACED, text=f"{cause}; no second connection: {failure.text}"))
            await asyncio.sleep(max(next(delays), asked_s))

    async def _rollover_cause(self, link: Link) -> str:
        lifetime_s = link.codec.lifetime_s
        await asyncio.wait({link.rollover}, timeout=lifetime_s)
        return link.rollover.result() if link.rollover.done() else f"planned after {lifetime_s:g} s"

    async def _caught_up(self, old: Link, new: Link, handover: Handover) -> bool:
        """Keep both connections open until the new one can take over; False when it ended before."""

        def passed(ticks: Sequence[Tick]) -> None:
            self._pass(ticks)
            handover.old(ticks)

        old.on_ticks = passed
        new.start()
        try:
            while not (old.running.done() or handover.due(self._clock.monotonic_ns(), ready=new.codec.ready())):
                if new.running.done():
                    return False
                await asyncio.sleep(HANDOVER_POLL_S)
                handover.prune()
        finally:
            if not old.running.done():
                old.on_ticks = self._pass
        return True

    def _switch(self, old: Link, new: Link, handover: Handover, cause: str) -> Link:
        held, remainder = handover.release()
        if old.running.done() and not handover.both_ready:
            self._say_broken(old.running.result(), held)
        else:
            self._say(EventName.ROLLED_OVER, cause, since_ns=self.state.heard_ns)
        self._leave(old)
        self._tally.opened()

        def filtered(ticks: Sequence[Tick]) -> None:
            left = remainder.not_passed(ticks)
            if left:
                self._pass(left)
            if remainder.over:
                new.on_ticks = self._pass

        if held:
            self._pass(held)
        new.on_ticks = self._pass if remainder.over else filtered
        self._begin(new)
        self._next = None
        return new

    def _leave(self, link: Link) -> None:
        """End a connection whose ticks are not wanted any more; its socket closes in its own time."""
        link.on_ticks = nowhere
        link.end(Ending(cause=Cause.STOPPED, text=STOPPED))
        self._leaving.add(link.running)
        link.running.add_done_callback(self._leaving.discard)

    def _leave_all(self) -> None:
        for link in (self._link, self._next):
            if link is not None:
                self._leave(link)
        self._link = self._next = None

    # -- events ------------------------------------------------------------------------------------------------

    def _begin(self, link: Link) -> None:
        now_ns = self._clock.monotonic_ns()
        self._link = link
        self._channel = Channel(heartbeat_s=link.codec.heartbeat_s, silence_s=self._policy.silence_s, opened_ns=now_ns)
        self._usual.restart(now_ns)
        self.state.limit_s = self._channel.limit_s

    def _connected(self, cause: str) -> None:
        self._tally.opened()
        self._say(EventName.CONNECTED, cause, since_ns=self.state.heard_ns)
        self._changed(connected=True, cause=cause)
        log.info("session.connected", feed=self._feed, cause=cause)

    def _disconnected(self, ending: Ending) -> None:
        self._leave_all()
        self._tally.ended(ending.cause)
        self._note_heard()
        self._flush_conflation()
        self._say(EventName.DISCONNECTED, ending.text, since_ns=self.state.heard_ns)
        self._changed(connected=False, cause=ending.text)
        log.warning("session.disconnected", feed=self._feed, label=ending.cause, cause=redacted(ending.text))

    def _say_broken(self, ending: Ending, held: Sequence[Tick]) -> None:
        """The old connection ended before the new one heard everything: what came between them is lost."""
        self._tally.ended(ending.cause)
        self._note_heard()
        since_ns = self.state.heard_ns
        at_ns = min((tick.received_ns for tick in held), default=None)
        self._say(EventName.DISCONNECTED, ending.text, since_ns=since_ns, at_ns=at_ns)
        self._say(EventName.CONNECTED, ending.text, since_ns=since_ns, at_ns=at_ns)
        log.warning("session.rollover_broken", feed=self._feed, cause=redacted(ending.text))

    def _changed(self, *, connected: bool, cause: str) -> None:
        self.state.connected, self.state.ready = connected, False
        self.state.cause, self.state.since_ns = redacted(cause)[:CAUSE_CHARACTERS], self._clock.wall_ns()

    def _say(
        self, name: EventName, cause: str, *, since_ns: int = NO_TIME, kind: int = 0, at_ns: int | None = None
    ) -> None:
        self._sink.event(
            Event(
                symbol="",
                name=name,
                kind=kind,
                from_id=NO_ID,
                to_id=NO_ID,
                since_ns=since_ns,
                # The exchange may choose the words; PostgreSQL holds every character but NUL.
                cause=redacted(cause)[:CAUSE_CHARACTERS].replace("\0", "?"),
                received_ns=self._clock.wall_ns() if at_ns is None else at_ns,
            )
        )

    # -- ticks -------------------------------------------------------------------------------------------------

    def _pass(self, ticks: Sequence[Tick]) -> None:
        """Count ticks and pass them on."""
        self._tally.count(ticks)
        self._forward(ticks)

    def _conflated(self, ticks: Sequence[Tick]) -> None:
        now = self._conflation.through(ticks)
        if now:
            self._sink.take(now)

    def _note_alive(self, symbol: str) -> None:
        self._alive[symbol] = self._alive.get(symbol, 0) + 1

    # -- once in a while ---------------------------------------------------------------------------------------

    async def _tend(self) -> None:
        """Look after what does not depend on messages coming."""
        looked_ns = 0
        while True:
            await asyncio.sleep(TEND_S)
            self._on_progress()
            self._relieve()
            now_ns = self._clock.monotonic_ns()
            if now_ns - looked_ns >= LOOK_NS:
                looked_ns = now_ns
                self._look(now_ns)

    def _look(self, now_ns: int) -> None:
        self._note_heard()
        self._tally.flush()
        self._flush_conflation()
        if self._link is not None and self._channel is not None and not self._link.running.done():
            self.state.ready = self._link.codec.ready()
            self._look_at_channel(self._link, self._channel, now_ns)
            self._look_at_symbols(self._link, now_ns)

    def _note_heard(self) -> None:
        self.state.heard_ns = max(self.state.heard_ns, self._tally.heard_ns)

    def _look_at_channel(self, link: Link, channel: Channel, now_ns: int) -> None:
        open_market = any(self._is_open_now(symbol) for symbol in self._symbols)
        mute_s = channel.mute_s(now_ns, link.heard, excused=self._paused or not (channel.promised or open_market))
        if mute_s is not None:
            link.end(Ending(cause=Cause.MUTE, text=f"connected but mute for {mute_s:.0f} s"))

    def _look_at_symbols(self, link: Link, now_ns: int) -> None:
        if self._paused:
            self._usual.restart(now_ns)
        for symbol in filter(self._mark_of, self._symbols):
            self._tally.heard(symbol)
        fell, spoke = self._usual.look(now_ns, self._mark_of, self._is_open_now)
        for symbol in spoke:
            self._tally.silent(symbol, silent=False)
            log.info("session.symbol_speaks", feed=self._feed, symbol=symbol)
        for symbol in fell:
            self._tally.silent(symbol, silent=True)
            log.warning("session.symbol_silent", feed=self._feed, symbol=symbol, age_s=self._usual.silent[symbol])
        self.state.silent = tuple(self._usual.silent)
        self.state.unheard = self._unheard(now_ns)
        if self._usual.silent and self._may_roll_over(now_ns):
            self._symbol_rollover_ns = now_ns
            link.ask_rollover(f"silent: {', '.join(list(self._usual.silent)[:5])}")

    @property
    def _paused(self) -> bool:
        return self.state.pressure is Pressure.PAUSE

    def _unheard(self, now_ns: int) -> tuple[str, ...]:
        if self._first_ns is None:
            self._first_ns = now_ns
        if (now_ns - self._first_ns) / 1e9 < self._policy.unheard_s:
            return ()
        never = tuple(symbol for symbol in self._symbols if not self._mark_of(symbol) and self._is_open_now(symbol))
        if never != self.state.unheard and never:
            log.warning("session.symbols_never_heard", feed=self._feed, symbols=never)
        return never

    def _may_roll_over(self, now_ns: int) -> bool:
        before_ns = self._symbol_rollover_ns
        return before_ns is None or now_ns - before_ns >= self._policy.symbol_rollover_s * 1e9

    def _mark_of(self, symbol: str) -> int:
        """Return a number that changes whenever the symbol is heard."""
        return self._tally.last_tick_ns(symbol) + self._alive.get(symbol, 0)

    def _is_open_now(self, symbol: str) -> bool:
        return self._is_open(symbol, self._clock.wall_ns())

    # -- pressure ----------------------------------------------------------------------------------------------

    def _relieve(self) -> None:
        """Conflate or pause as the sink asks."""
        pressure = self._sink.pressure
        for link in (self._link, self._next):
            if link is not None:
                link.pause() if pressure is Pressure.PAUSE else link.resume()
        if pressure == self.state.pressure:
            return
        log.warning("session.pressure", feed=self._feed, before=self.state.pressure.name, now=pressure.name)
        self.state.pressure = pressure
        self._tally.paused(paused=pressure is Pressure.PAUSE)
        self._forward = self._sink.take if pressure is Pressure.OPEN else self._conflated
        if pressure is Pressure.OPEN:
            self._flush_conflation()

    def _flush_conflation(self) -> None:
        latest, left_out = self._conflation.flush()
        if latest:
            self._sink.take(latest)
        for kind, number in left_out.items():
            self._tally.conflated[kind.label] += number
            self._say(EventName.CONFLATED, f"{number} left out, the latest kept", kind=kind)


def _refusal(error: NightdeskError) -> Ending:
    if isinstance(error, RateLimitedError):
        return Ending(cause=Cause.RATE_LIMITED, text=_readable(error), retry_after_s=error.retry_after_s)
    return Ending(cause=Cause.REFUSED, text=_readable(error), longest=not error.retryable)


def _readable(error: NightdeskError) -> str:
    return redacted(str(error))[:CAUSE_CHARACTERS]
