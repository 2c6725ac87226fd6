"""How long to wait before the next attempt: capped, jittered, without an end."""

from collections.abc import Callable, Iterator


def delays_s(*, base_s: float, cap_s: float, random: Callable[[], float]) -> Iterator[float]:
    """Yield waiting times in seconds for ever: exponential from ``base_s``, at most ``cap_s``, equal jitter.

    Half of each delay is fixed and half random, so that clients spread out and none returns at once
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    ceiling = base_s
    while True:
        yield ceiling / 2 + ceiling / 2 * random()
        ceiling = min(cap_s, ceiling * 2)
