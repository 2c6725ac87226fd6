"""When to kill: at any time, and when it hurts most. Each waits, after a start, for its moment."""

import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Final, TypeAlias

from tests.alerting.victim import Victim

UPTIME_S: Final = 6.0
EVENT_LIMIT_S: Final = 6.0
"""How long to wait for the event that a kill aims at; then it strikes anyway."""

Aim: TypeAlias = Callable[[Victim, Random], None]
"""Waits, after a start, for the moment to kill."""


def at_any_time(victim: Victim, random: Random) -> None:
    """Some time after it began to work."""
    victim.await_ready()
    time.sleep(random.uniform(0, UPTIME_S))


def at_its_start(victim: Victim, random: Random) -> None:
    """Anywhere in its start: imports, its file, its first questions."""
    time.sleep(random.uniform(0, victim.start_s()))


def as_it_reads_up(victim: Victim, random: Random) -> None:
    """As it has just read what it missed: about when it decides on that and writes it down."""
    victim.await_log("alerts.read_up", victim.start_s() + EVENT_LIMIT_S)
    time.sleep(random.uniform(0, 0.05))


def as_it_decides(victim: Victim, random: Random) -> None:
    """As it has just written down what to tell."""
    victim.await_log("notification.created", victim.start_s() + EVENT_LIMIT_S)
    time.sleep(random.uniform(0, 0.02))


def after_an_arrival(victim: Victim, random: Random) -> None:
    """As a message has just arrived: about when it takes note of that."""
    victim.await_ready()
    time.sleep(random.uniform(0, 2))
    victim.channels.wait_for_request(EVENT_LIMIT_S, held=False)
    time.sleep(random.uniform(0, 0.02))


def while_a_request_is_held(victim: Victim, random: Random) -> None:
    """While a slow channel has not answered yet."""
    victim.await_ready()
    victim.channels.wait_for_request(EVENT_LIMIT_S, held=True)
    time.sleep(random.uniform(0, 0.4))


AIMS: Final[Mapping[str, Aim]] = {
    "any": at_any_time,
    "start": at_its_start,
    "read-up": as_it_reads_up,
    "decision": as_it_decides,
    "arrival": after_an_arrival,
    "held": while_a_request_is_held,
}
