"""Changes that keep a structure: JSON messages line by line, numbers in binary columns."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final, TypeAlias

Bytes: TypeAlias = Callable[[bytes], bytes]
Mutate: TypeAlias = Callable[[bytes, Random, Bytes], bytes]
"""Changes an input; the third argument is the engine's own way to change bytes."""

SCALARS: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    0.0,
    -0.5,
    1e18,
    1e19,
    1e308,
    5e-324,
    "",
    "0",
    "-1",
    "1e999",
    "1e-999",
    "NaN",
    "Infinity",
    "nan",
    "0.1",
    "1_0",
    "٣",
    "BTCUSDT",
    "ETHUSDT",
    "BTC-USD",
    "buy",
    "sell",
    "trade",
    "2014-11-07T08:19:27.028459Z",
    "9999-12-31T23:59:59.9Z",
    "0001-01-01T00:00:00Z",
    "\x00",
    "x" * 70,
    [],
    {},
    [[]],
    [["1", "0"]],
    [["1", "1"], ["1", "2"]],
    {"": None},
)
NUMBERS: Final = (
    0,
    1,
    2,
    3,
    7,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    2**63 - 1,
    2**63,
    2**64 - 1,
)


def anyhow(data: bytes, _random: Random, change: Bytes) -> bytes:
    """Leave it to the engine."""
    return change(data)


def lines(known: Sequence[bytes]) -> Mutate:
    """Return what changes an input of JSON messages, one a line; ``known`` are messages to add."""

    def mutate(data: bytes, random: Random, change: Bytes) -> bytes:
        messages = data.split(b"\n")
        at = random.randrange(len(messages))
        match random.randrange(10):
            case 0:
                return change(data)
            case 1 | 2:
                messages.insert(at, random.choice(known))
            case 3:
                messages.insert(at, random.choice(messages))
            case 4 if len(messages) > 1:
                del messages[at]
            case 5:
                messages[at] = change(messages[at])
            case _:
                messages[at] = changed_json(messages[at], random, change)
        return b"\n".join(messages)

    return mutate


def changed_json(raw: bytes, random: Random, change: Bytes) -> bytes:
    """Return the message with one part of its tree changed; the engine changes what is no JSON."""
    start = raw[:1] if raw[:1] in {b"=", b"?"} else b""
    try:
        tree = json.loads(raw[len(start) :])
    except (ValueError, RecursionError):
        return change(raw)
    return start + json.dumps(_changed(tree, random), separators=(",", ":")).encode(errors="replace")


def _changed(tree: Any, random: Random) -> Any:
    if isinstance(tree, dict) and tree and random.random() < 0.9:
        key = random.choice(list(tree))
        if random.random() < 0.1:
            return {name: value for name, value in tree.items() if name != key}
        return {**tree, key: _changed(tree[key], random)}
    if isinstance(tree, list) and tree and random.random() < 0.9:
        at = random.randrange(len(tree))
        if random.random() < 0.2:
            return [*tree[:at], tree[at], *tree[at:]]
        return [*tree[:at], _changed(tree[at], random), *tree[at + 1 :]]
    if isinstance(tree, int) and not isinstance(tree, bool) and random.random() < 0.6:
        return tree + random.choice((-2, -1, 1, 2, 1000))
    return random.choice(SCALARS)


def columns(data: bytes, random: Random, change: Bytes) -> bytes:
    """Set an aligned number to one that formats trip over, or leave it to the engine."""
    width = random.choice((1, 2, 4, 8))
    if len(data) < width or random.random() < 0.4:
        return change(data)
    at = random.randrange(len(data) // width) * width
    value = (random.choice(NUMBERS) if random.random() < 0.7 else random.getrandbits(64)) % 256**width
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]
