"""A recording played back in the exchange's own wire format, complete: it waits for its listeners."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

from services.simulator.binance import BadRequestError, request_of
from services.simulator.hub import Hub, Listener
from services.simulator.recording import Answered, Recorded, stream_of, text_of
from services.simulator.wire import frame

EVERYTHING: Final = "*"
"""The topic of a client whose subscription does not say what it is about."""
QUIET_S: Final = 0.3
"""Listeners may subscribe in several messages; the replay begins once none came for this long."""
WAITING_BYTES: Final = 1_000_000
BATCH: Final = 500
IDLE_S: Final = 0.002
UNIMPORTANT: Final = frozenset({"limit", "api_key"})
"""Query parameters that do not choose among recorded answers."""


class Replay:
    """Plays one recording once, to whoever subscribed, as fast as ``speed`` says (None: as fast as it goes)."""

    def __init__(
        self,
        frames: Iterable[Recorded],
        *,
        total: int,
        speed: float | None,
        hub: Hub,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._frames = iter(frames)
        self._total = total
        self._speed = speed
        self._hub = hub
        self._monotonic_s = monotonic_s
        self._changed_s = monotonic_s()
        self._played_s = 0.0
        self.sent = 0
        self.skipped = 0
        self.done = False

    def state(self) -> dict[str, object]:
        """Return how far it is; ``skipped`` counts frames of streams nobody subscribed to."""
        return {"sent": self.sent, "skipped": self.skipped, "total": self._total, "done": self.done}

    def subscribed(self) -> None:
        """Note that somebody subscribed to something."""
        self._changed_s = self._monotonic_s()

    async def run(self) -> None:
        """Play to the end."""
        first = next(self._frames, None)
        last_s = self._monotonic_s()
        while first is not None:
            await asyncio.sleep(0 if self._speed is None and self._may_play() else IDLE_S)
            now_s = self._monotonic_s()
            if not self._may_play():
                last_s = now_s
                continue
            self._played_s += (now_s - last_s) * (self._speed or 0.0)
            last_s = now_s
            first = self._play(first)
        self.done = True

    def _may_play(self) -> bool:
        """Return whether somebody listens, all are done subscribing and none is behind."""
        listening = any(listener.topics for listener in self._hub.listeners)
        quiet = self.sent > 0 or self._monotonic_s() - self._changed_s > QUIET_S
        return listening and quiet and self._hub.most_waiting_bytes() < WAITING_BYTES

    def _play(self, first: Recorded) -> Recorded | None:
        """Send what is due, at most a batch; return the frame that is not due yet."""
        if self.sent + self.skipped == 0:
            self._begin_s = first.ts
        frames: Iterator[Recorded] = chain([first], self._frames)
        for place, recorded in enumerate(frames):
            if place == BATCH or not self._due(recorded):
                self._hub.flush()
                return recorded
            self._send(recorded)
        self._hub.flush()
        return None

    def _due(self, recorded: Recorded) -> bool:
        return self._speed is None or recorded.ts - self._begin_s <= self._played_s

    def _send(self, recorded: Recorded) -> None:
        stream = stream_of(recorded.raw)
        wanting = [one for one in self._hub.listeners if wants(one, stream)]
        if not wanting:
            self.skipped += 1
            return
        self.sent += 1
        data = frame(recorded.raw.encode())
        for listener in wanting:
            listener.line.queue(data)
            listener.messages_sent += 1
            self._hub.messages_sent += 1


def wants(listener: Listener, stream: str) -> bool:
    """Return whether a client is to hear a frame of a stream ("" for one that names none)."""
    return bool(listener.topics) and (not stream or stream in listener.topics or EVERYTHING in listener.topics)


class ReplaySocket:
    """Understands what clients of any exchange subscribe to, and lets the recording answer where it can."""

    messages_per_s = 0

    def __init__(self, hub: Hub, replay: Replay) -> None:
        self._hub = hub
        self._replay = replay

    def opened(self, listener: Listener, target: str) -> None:
        """Subscribe to what the URL names."""
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        named = query.get("streams", [parts.path.partition("/ws/")[2]])[0]
        names = [name for name in named.split("/") if name]
        self._subscribe(listener, names or ([EVERYTHING] if "channel" in query else []))

    def received(self, listener: Listener, text: str) -> None:
        """Carry out a subscription in whichever language."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        said = (message.get("type"), message.get("cmd"))
        if "method" in message:
            self._binance(listener, message)
        elif "subscribe" in said:
            self._subscribe(listener, [EVERYTHING])
        elif "ping" in said:
            self._hub.tell(listener, json.dumps({key: "pong" for key in ("type", "cmd") if key in message}))

    def _binance(self, listener: Listener, message: Mapping[str, object]) -> None:
        try:
            request = request_of(message)
        except BadRequestError as error:
            self._hub.tell(listener, json.dumps({"code": error.code, "msg": error.text, "id": error.request_id}))
            return
        if request.method == "SUBSCRIBE":
            self._subscribe(listener, request.params)
        elif request.method == "UNSUBSCRIBE":
            self._hub.unsubscribe(listener, request.params)
        self._hub.tell(listener, json.dumps({"result": None, "id": request.id}))

    def _subscribe(self, listener: Listener, names: Iterable[str]) -> None:
        self._hub.subscribe(listener, names)
        self._replay.subscribed()


class Answers:
    """Recorded REST answers by what was asked; several answers to one question come in turn."""

    def __init__(self, answers: Iterable[Answered]) -> None:
        self._waiting: dict[tuple[str, frozenset[tuple[str, str]]], list[str]] = {}
        for one in answers:
            self._waiting.setdefault(_asked(one.url), []).append(text_of(one.body))

    def answer(self, url: str) -> str | None:
        """Return the body for a request, None when nothing like it was recorded."""
        bodies = self._waiting.get(_asked(url))
        if not bodies:
            return None
        return bodies.pop(0) if len(bodies) > 1 else bodies[0]


def _asked(url: str) -> tuple[str, frozenset[tuple[str, str]]]:
    parts = urlsplit(url)
    chosen = {(name, value.upper()) for name, value in parse_qsl(parts.query) if name not in UNIMPORTANT}
    return parts.path, frozenset(chosen)
