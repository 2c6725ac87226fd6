"""One codec on one socket: read, answer, fetch, until the connection ends."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

import structlog

from nightdesk.backoff import delays_s
from nightdesk.clock import WallNs
from nightdesk.errors import CodecError, NightdeskError, RateLimitedError, UnavailableError
from nightdesk.logs import redacted
from nightdesk.ticks import Tick
from services.collector.codec import Alive, Codec, Control, Fatal, Fetch, Rollover, Send
from services.collector.tally import CODEC_FAILURE, Tally
from services.collector.transport import ABNORMAL, Closed, Socket

log = structlog.get_logger()

OnTicks: TypeAlias = Callable[[Sequence[Tick]], None]
Rest: TypeAlias = Callable[[Fetch], Awaitable[bytes]]
"""Returns the body of the answer; raises NightdeskError, RateLimitedError when asked to wait."""

SEND_INTERVAL_S: Final = 0.25
"""Between two messages of ours: no exchange here allows fewer than four a second (Binance: five)."""

OUTBOX_MESSAGES: Final = 100
"""An exchange that asks for more answers than it lets us send makes no sense; the connection is not worth keeping."""

FETCH_BASE_S: Final = 1.0
FETCH_CAP_S: Final = 30.0
SHOWN_CHARACTERS: Final = 200
SAMPLE_S: Final = 10.0
"""Messages that cannot be read are logged at most this often for each reason."""


class Cause(StrEnum):
    """Why a connection ended or did not open: the closed set of labels in metrics."""

    CLOSED = "closed"
    LOST = "lost"
    REFUSED = "refused"
    RATE_LIMITED = "rate_limited"
    MUTE = "mute"
    FATAL = "fatal"
    FAILURE = "failure"
    REPLACED = "replaced"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a connection ended: the label, one readable line, and what to wait for before the next attempt."""

    cause: Cause
    text: str
    retry_after_s: float = 0.0
    longest: bool = False


class Rejects:
    """Counts messages that cannot be read and logs a sample of them."""

    def __init__(self, feed: str, tally: Tally, monotonic_s: Callable[[], float]) -> None:
        self._feed = feed
        self._tally = tally
        self._monotonic_s = monotonic_s
        self._logged_s: dict[str, float] = {}
        self._unlogged: dict[str, int] = {}

    def add(self, reason: str, detail: str, raw: bytes) -> None:
        """Count one message; log it unless one like it was logged just now."""
        self._tally.reject(reason)
        now_s = self._monotonic_s()
        if now_s - self._logged_s.get(reason, -SAMPLE_S) < SAMPLE_S:
            self._unlogged[reason] = self._unlogged.get(reason, 0) + 1
            return
        self._logged_s[reason] = now_s
        log.warning(
            "session.rejected",
            feed=self._feed,
            reason=reason,
            detail=detail[:SHOWN_CHARACTERS],
            message=raw[:SHOWN_CHARACTERS].decode("utf-8", "replace"),
            unlogged=self._unlogged.pop(reason, 0),
        )


class Link:
    """One connection, from its first message to its end."""

    def __init__(
        self,
        *,
        feed: str,
        codec: Codec,
        socket: Socket,
        rest: Rest,
        tally: Tally,
        rejects: Rejects,
        wall_ns: WallNs,
        random: Callable[[], float],
        on_ticks: OnTicks,
        on_alive: Callable[[str], None],
        on_raw: Callable[[bytes, int], None] | None = None,
        on_answer: Callable[[str, bytes, int], None] | None = None,
    ) -> None:
        self.codec = codec
        self.on_ticks = on_ticks
        self.heard = 0
        self.ticked = False
        self.rollover: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._feed = feed
        self._socket = socket
        self._rest = rest
        self._tally = tally
        self._rejects = rejects
        self._wall_ns = wall_ns
        self._random = random
        self._on_alive = on_alive
        self._on_raw = on_raw
        self._on_answer = on_answer
        self._receive_all = codec.receive_all
        self._rejected = 0
        self._over = False
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[Ending] | None = None

    @property
    def running(self) -> asyncio.Task[Ending]:
        """The connection's life; its result says how it ended."""
        assert self._task is not None  # noqa: S101  started before anyone asks
        return self._task

    def start(self) -> None:
        """Begin to read and to send the opening messages."""
        for text in self.codec.opening():
            self._outbox.put_nowait(text)
        self._task = asyncio.create_task(self._run(), name=f"link/{self._feed}")

    def end(self, ending: Ending) -> None:
        """End the connection; the first reason given stands."""
        if not self._ended.done():
            self._ended.set_result(ending)

    def pause(self) -> None:
        """Stop reading."""
        self._socket.pause()

    def resume(self) -> None:
        """Read again."""
        self._socket.resume()

    # -- its life ----------------------------------------------------------------------------------------------

    async def _run(self) -> Ending:
        on_messages = self._messages if self._on_raw is None else self._recorded
        pump = asyncio.create_task(self._socket.pump(on_messages))
        others = [asyncio.create_task(self._send()), asyncio.create_task(self._keep_alive())]
        try:
            either: set[asyncio.Future[Any]] = {pump, self._ended}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return self._ended.result() if self._ended.done() else _ending_of(pump)
        finally:
            # What still comes while the socket closes is not wanted, and must not start a fetch that nobody ends.
            self._over = True
            self.on_ticks = nowhere
            for task in (*others, *self._fetches.values()):
                task.cancel()
            await self._socket.close()
            pump.cancel()
            await asyncio.gather(pump, *others, *self._fetches.values(), return_exceptions=True)

    async def _send(self) -> None:
        try:
            while True:
                await self._socket.send(await self._outbox.get())
                await asyncio.sleep(SEND_INTERVAL_S)
        except UnavailableError:
            return  # the pump says why

    async def _keep_alive(self) -> None:
        keepalive = self.codec.keepalive
        while keepalive is not None:
            await asyncio.sleep(keepalive.interval_s)
            if self._outbox.empty():
                self._outbox.put_nowait(keepalive.text)

    # -- messages ----------------------------------------------------------------------------------------------

    def _messages(self, raws: list[bytes]) -> None:
        """Read the messages of one read: the hot path. They were received together, so they share a time."""
        if self._over:
            return
        now_ns, rejected = self._wall_ns(), self._rejected
        ticks, controls = self._receive_all(raws, now_ns, self._reject)
        read = len(raws) - (self._rejected - rejected)
        self._tally.messages += len(raws)
        self._tally.bytes += sum(map(len, raws))
        if read:
            self._tally.heard_ns = now_ns
            self.heard += read
        if ticks:
            self.ticked = True
            self.on_ticks(ticks)
        self._obey(controls)

    def _recorded(self, raws: list[bytes]) -> None:
        assert self._on_raw is not None  # noqa: S101  chosen only then
        now_ns = self._wall_ns()
        for raw in raws:
            self._on_raw(raw, now_ns)
        self._messages(raws)

    def _reject(self, error: Exception, raw: bytes) -> None:
        self._rejected += 1
        if isinstance(error, CodecError):
            self._rejects.add(error.reason, error.detail, raw)
        else:
            self._rejects.add(CODEC_FAILURE, repr(error), raw)

    def _obey(self, controls: Sequence[Control]) -> None:
        for control in controls:
            match control:
                case Alive(symbol=symbol):
                    self._on_alive(symbol)
                case Send(text=text):
                    self._answer(text)
                case Fetch():
                    self._start_fetch(control)
                case Rollover(cause=cause):
                    self.ask_rollover(cause)
                case Fatal():
                    self.end(_refusal(control))

    def _answer(self, text: str) -> None:
        if self._outbox.qsize() < OUTBOX_MESSAGES:
            self._outbox.put_nowait(text)
        else:
            asked = f"{OUTBOX_MESSAGES} answers wait to be sent and the exchange asks for more"
            self.end(Ending(cause=Cause.FAILURE, text=asked))

    def ask_rollover(self, cause: str) -> None:
        """Ask for a new connection to take over from this one."""
        if not self.rollover.done():
            self.rollover.set_result(cause)

    # -- REST --------------------------------------------------------------------------------------------------

    def _start_fetch(self, fetch: Fetch) -> None:
        """Fetch; what was still under way for the same key is out of date."""
        if self._over:
            return
        before = self._fetches.get(fetch.key)
        if before is not None:
            before.cancel()
        self._fetches[fetch.key] = asyncio.create_task(self._fetch(fetch))

    async def _fetch(self, fetch: Fetch) -> None:
        for delay_s in delays_s(base_s=FETCH_BASE_S, cap_s=FETCH_CAP_S, random=self._random):
            asked_s = 0.0
            try:
                body = await self._rest(fetch)
            except NightdeskError as error:
                asked_s = error.retry_after_s if isinstance(error, RateLimitedError) else 0.0
                log.warning("session.fetch_failed", feed=self._feed, key=fetch.key, error=redacted(str(error)))
            except Exception as error:  # noqa: BLE001  whoever waits for this answer would wait for ever
                log.error("session.fetch_failed", feed=self._feed, key=fetch.key, error=redacted(repr(error)))  # noqa: TRY400
            else:
                if self._answered(fetch, body):
                    return
            await asyncio.sleep(max(delay_s, asked_s))

    def _answered(self, fetch: Fetch, body: bytes) -> bool:
        """Give the codec an answer; False when it could not read it."""
        now_ns = self._wall_ns()
        if self._on_answer is not None:
            self._on_answer(fetch.url, body, now_ns)
        try:
            ticks, controls = self.codec.fetched(fetch.key, body, now_ns)
        except Exception as error:  # noqa: BLE001  a defect in a codec must not end the session
            self._reject(error, body)
            return False
        log.info("session.fetched", feed=self._feed, key=fetch.key)
        # Asked again with the same key: that request replaces this one, so this task forgets itself first.
        self._fetches.pop(fetch.key, None)
        # Not `ticked`: that REST answers does not show that the socket says anything.
        if ticks:
            self.on_ticks(ticks)
        self._obey(controls)
        return True


def nowhere(_ticks: Sequence[Tick]) -> None:
    """Take the ticks of a connection that is over."""


def _refusal(refused: Fatal) -> Ending:
    cause = Cause.RATE_LIMITED if refused.limited else Cause.FATAL
    return Ending(cause=cause, text=refused.cause, retry_after_s=refused.retry_after_s, longest=True)


def _ending_of(pump: asyncio.Task[Closed]) -> Ending:
    error = pump.exception()
    if error is not None:
        return Ending(cause=Cause.FAILURE, text=f"reading failed: {error!r}")
    closed = pump.result()
    reason = f": {closed.reason}" if closed.reason else ""
    if closed.code == ABNORMAL:
        return Ending(cause=Cause.LOST, text=f"connection lost{reason}")
    return Ending(cause=Cause.CLOSED, text=f"closed by the exchange with code {closed.code}{reason}")
