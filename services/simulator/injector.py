"""Puts faults in force, and carries out those that act on sockets."""

from collections.abc import Callable, Mapping

from services.simulator.binance import SHUTDOWN_STREAM, shutdown
from services.simulator.faults import (
    FOR_EVER_MS,
    ActiveFault,
    Board,
    Close,
    Fault,
    MuteSocket,
    Rollover,
    SlowReads,
    SocketFault,
)
from services.simulator.hub import Hub, Listener

Act = Callable[[Listener, Fault, int], None]


class Injector:
    """Takes faults from the control interface and from scenarios."""

    def __init__(self, *, board: Board, hub: Hub) -> None:
        self._board = board
        self._hub = hub
        self._acts: Mapping[type[Fault], Callable[[Listener, Fault, int], None]] = {
            MuteSocket: self._mute,
            SlowReads: self._slow_reads,
            Close: self._close,
            Rollover: self._roll_over,
        }

    def inject(self, fault: Fault, now_ms: int) -> ActiveFault:
        """Put a fault in force; raises LookupError when it names a connection that is not there."""
        listeners = self._concerned(fault)
        active = self._board.add(fault, now_ms)
        act = self._acts.get(type(fault))
        if act is None:
            return active
        for listener in listeners:
            act(listener, fault, now_ms)
        if fault.seconds is None and not isinstance(fault, MuteSocket):
            self._board.remove(active.fault_id)
        return active

    def clear(self) -> None:
        """End every fault; muted connections speak again, what was announced to close still closes."""
        self._board.clear()
        for listener in self._hub.listeners:
            listener.muted_until_ms = 0

    def _concerned(self, fault: Fault) -> list[Listener]:
        if not isinstance(fault, SocketFault) or fault.connection is None:
            return self._hub.listeners
        chosen = [one for one in self._hub.listeners if one.listener_id == fault.connection]
        if not chosen:
            raise LookupError(f"no connection {fault.connection} is open")
        return chosen

    def _mute(self, listener: Listener, fault: Fault, now_ms: int) -> None:
        listener.muted_until_ms = FOR_EVER_MS if fault.seconds is None else now_ms + round(fault.seconds * 1000)

    def _slow_reads(self, listener: Listener, fault: Fault, _now_ms: int) -> None:
        listener.line.stop_reading(fault.seconds or 0.0)

    def _close(self, listener: Listener, fault: Fault, _now_ms: int) -> None:
        if isinstance(fault, Close):
            listener.line.close(fault.code, fault.reason)

    def _roll_over(self, listener: Listener, fault: Fault, now_ms: int) -> None:
        if not isinstance(fault, Rollover):
            return
        listener.closing = (now_ms + round(fault.seconds * 1000), fault.code, fault.reason)
        if fault.warn:
            event = shutdown(now_ms)
            wrapped = f'{{"stream":"{SHUTDOWN_STREAM}","data":{event}}}'
            self._hub.tell(listener, wrapped if listener.wrapped else event)
