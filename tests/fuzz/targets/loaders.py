"""Configuration: what is wrong is named, briefly and without a secret; what passes is usable."""

import os
import tempfile
from collections.abc import Callable
from functools import cache, partial
from math import isfinite
from pathlib import Path
from random import Random
from typing import Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from nightdesk.calendars import read_closures
from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import FeedConfig, load_feeds, read_feeds
from nightdesk.settings import load, variable_of
from nightdesk.store.migrate import MigrateSettings
from services.api.settings import ApiSettings
from services.collector.app import CollectorSettings, configuration
from services.init.app import InitSettings
from services.simulator.settings import SimulatorSettings
from services.worker.settings import WorkerSettings
from tests.fuzz.mutation import Bytes
from tests.fuzz.target import Target, claim

T = TypeVar("T")

SHIPPED: Final = Path(__file__).parents[3] / "config"
MODELS: Final = (ApiSettings, CollectorSettings, InitSettings, MigrateSettings, SimulatorSettings, WorkerSettings)
COMPLAINT_BYTES: Final = 100_000
"""Whatever is wrong, the text about it can still be read."""

SECRET: Final = "hush-hush-hush"
SECRET_NAMES: Final = ("_PASSWORD", "_TOKEN", "_SECRET", "_API_KEY")


@cache
def _temporary() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="nightdesk-fuzz-")


def _folder() -> Path:
    return Path(_temporary().name)


@cache
def _feeds_file() -> str:
    """Return a small feeds file: the shipped one takes most of the time there is."""
    feed = "codec: {0}, ws_url: ws://a:1, rest_url: http://a:1, symbols: [A], kinds: [trade], shards: 2"
    rows = {"simulator": "binance", "binance": "binance", "coinbase": "coinbase", "tickdb": "tickdb"}
    path = _folder() / "feeds.yaml"
    path.write_text("feeds:\n" + "".join(f"  {name}: {{{feed.format(codec)}}}\n" for name, codec in rows.items()))
    return str(path)


@cache
def _secret_files() -> dict[str, str]:
    """Return files that a ``_FILE`` variable may name, by what is the matter with them."""
    contents = {"good": SECRET.encode(), "empty": b"\n", "binary": b"\xff\xfe", "long": b"x" * 2_000_000}
    for name, content in contents.items():
        (_folder() / name).write_bytes(content)
    paths = {name: str(_folder() / name) for name in contents}
    return {**paths, "missing": str(_folder() / "missing"), "folder": str(_folder()), "endless": "/dev/zero"}


def check_file(data: bytes) -> None:
    """Claim that a feeds file of any bytes is feeds that can be collected, or a list of what is wrong by line."""
    path = _folder() / "any.yaml"
    path.write_bytes(data)
    _complains_at_most(lambda: read_closures(path), path)
    feeds = _complains_at_most(lambda: read_feeds(path), path)
    for name, feed in (feeds or {}).items():
        _usable(name, feed)
    if feeds:
        claim(load_feeds(path, {"FEEDS": ",".join(feeds)}) == feeds, "selecting every feed changes them")


def _complains_at_most(read: Callable[[], T], path: Path) -> T | None:
    try:
        return read()
    except ConfigurationError as error:
        text = str(error)
        claim(str(path) in text, "the complaint does not name the file")
        claim(len(text) <= COMPLAINT_BYTES, f"a complaint of {len(text)} characters")
        return None


def _usable(name: str, feed: FeedConfig) -> None:
    _finite(feed)
    claim(name and feed.symbols and feed.kinds, "an empty feed")
    for url in (feed.ws_url, feed.rest_url):
        parts = urlsplit(url)
        claim(parts.hostname and parts.port != 0, f"{url!r} is no address")
        url.encode("ascii")
    for symbol in feed.symbols:
        claim(feed.calendar_of(symbol), "a symbol without a calendar")
        symbol.encode()
    feed.api_key.get_secret_value().encode()


def _finite(model: BaseModel) -> None:
    for field, value in model:
        claim(not isinstance(value, float) or isfinite(value), f"{field} is {value}")
        secret = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(secret, str):
            secret.encode()


def file_seeds() -> list[bytes]:
    """Return the files that are shipped, cut into feeds, and small ones of every kind of mistake."""
    whole = (SHIPPED / "feeds.yaml").read_bytes()
    feed = b"codec: binance\n    ws_url: ws://a:1\n    rest_url: http://a:1\n    symbols: [A, ON]\n    kinds: [trade]\n"
    return [
        whole[:4000],
        (SHIPPED / "calendars.yaml").read_bytes()[:4000],
        b"feeds:\n  one:\n    " + feed,
        b"feeds:\n  one: &a\n    " + feed + b"  two: *a\n",
        b"feeds:\n  one:\n    " + feed + b"    shards: 4\n    calendars: {.US: XNYS}\n    silence_s: 1e1\n",
        b"feeds: &a {one: *a}",
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        b"closures: {XNYS: {2025-01-09: mourning}}\n",
        b"[" * 200,
        b"feeds: !!python/object:os.system {}",
    ]


WORDS: Final = (
    b"&a ",
    b"*a",
    b"<<: ",
    b"[",
    b"]",
    b"{",
    b"}",
    b": ",
    b"\n  ",
    b"\n- ",
    b"!!int ",
    b"? ",
    b"|\n ",
    b">\n ",
    b"---\n",
    b"#",
    b"feeds:\n",
    b"codec: binance\n",
    b"symbols: ",
    b"kinds: [depth]\n",
    b"shards: 99999999999999999999\n",
    b"silence_s: nan\n",
    b"rest_weight_per_minute: inf\n",
    b"ws_url: ws://[\n",
    b"rest_url: http://a:99999\n",
    b"'",
    b'"',
    b"\t",
    b"\xef\xbb\xbf",
    b"\xc2\x85",
)


def words(data: bytes, random: Random, change: Bytes) -> bytes:
    """Put in, double or take out a piece of YAML."""
    at = random.randrange(len(data) + 1)
    match random.randrange(4):
        case 0:
            return change(data)
        case 1:
            return data[:at] + random.choice(WORDS) + data[at:]
        case 2:
            rows = data.split(b"\n")
            rows.insert(random.randrange(len(rows) + 1), random.choice(rows))
            return b"\n".join(rows)
    return data[:at] + data[at + random.randrange(1, 20) :]


def check_environment(data: bytes) -> None:
    """Claim that any environment gives settings that can be used, or a list of what is wrong, without its secrets."""
    environ = _environ(data)
    open_to_all = [value for name, value in environ.items() if not name.endswith(SECRET_NAMES)]
    secret = "" if any(SECRET in value for value in open_to_all) else SECRET
    for model in MODELS:
        settings = _told(partial(load, model, environ), secret)
        if settings is not None:
            _finite(settings)
    told = _told(lambda: configuration({**environ, "FEEDS_CONFIG": _feeds_file()}), secret)
    for name, feed in (told[1] if told else {}).items():
        _usable(name, feed)


def _told(read: Callable[[], T], secret: str) -> T | None:
    try:
        return read()
    except ConfigurationError as error:
        text = str(error)
        claim(text.strip() and len(text) <= COMPLAINT_BYTES, f"a complaint of {len(text)} characters")
        claim(not secret or secret not in text, "a complaint tells a secret")
        return None


def _environ(data: bytes) -> dict[str, str]:
    """Return lines of ``NAME=value`` as a process would have them; a file's name is one of those that there are."""
    files = _secret_files()
    environ: dict[str, str] = {}
    for line in data.replace(b"\0", b"").split(b"\n"):
        name, _, value = line.partition(b"=")
        environ[os.fsdecode(name)] = os.fsdecode(value)
    for name, value in environ.items():
        if name.endswith("_FILE"):
            environ[name] = files.get(value, files["good"])
    return environ


VARIABLES: Final = sorted({variable_of(name, field) for model in MODELS for name, field in model.model_fields.items()})
FEED_VARIABLES: Final = ("FEEDS", "SUBSCRIBED_SYMBOLS", "SIMULATOR_WS_URL", "SIMULATOR_REST_URL", "TICKDB_API_KEY")
VALUES: Final = (
    "",
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "1_0",
    " 5 ",
    "٣",
    "0x10",
    "99999999999999999999",
    "9" * 5000,
    "yes",
    "max",
    "json",
    "console",
    "simulator",
    "binance,tickdb",
    "tickdb:AAPL.US,binance:BTCUSDT",
    "ws://a:1",
    "wss://[",
    "ws://a:99999",
    "http://a b",
    "http://é",
    "redis://",
    "postgresql://u:p@h/d",
    "collector=http://a:1",
    "a=http://a:99999",
    "websockets",
    "\udcff",
    "a,b",
    ",",
    ":",
    "good",
    "binary",
    "long",
    "endless",
    "folder",
    "missing",
    "empty",
)


def environment_seeds() -> list[bytes]:
    """Return environments that are whole, and each variable alone."""
    names = [*VARIABLES, *FEED_VARIABLES]
    secrets = [f"{name}_FILE=good" for name in names if name.endswith(SECRET_NAMES)]
    whole = "\n".join(["FEEDS=simulator,tickdb", "TICKDB_API_KEY=hush-hush-hush", "API_TOKEN=hush-hush-hush", *secrets])
    return [whole.encode(), *(f"{name}=1".encode() for name in names), *(line.encode() for line in secrets)]


def variables(data: bytes, random: Random, change: Bytes) -> bytes:
    """Set, add or take out a variable."""
    rows = data.split(b"\n")
    at = random.randrange(len(rows))
    name = random.choice((*VARIABLES, *FEED_VARIABLES)) + random.choice(("", "", "", "_FILE"))
    match random.randrange(5):
        case 0:
            return change(data)
        case 1:
            rows.append(os.fsencode(f"{name}={random.choice(VALUES)}"))
        case 2:
            del rows[at]
        case _:
            rows[at] = rows[at].partition(b"=")[0] + b"=" + os.fsencode(random.choice(VALUES))
    return b"\n".join(rows)


FEEDS_FILE: Final = Target(check=check_file, seeds=file_seeds, mutate=words)
ENVIRONMENT: Final = Target(check=check_environment, seeds=environment_seeds, mutate=variables, max_bytes=8192)
