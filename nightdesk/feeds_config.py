"""What is collected: ``config/feeds.yaml`` and the variables that override it.

Everything wrong is named at once, with its file, line, field and mend.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from nightdesk.config_files import listed, read_config
from nightdesk.errors import ConfigurationError
from nightdesk.settings import secret_of
from nightdesk.shards import DEFAULT_SHARDS
from nightdesk.ticks import Kind

ALWAYS_OPEN: Final = "24/7"
"""The calendar of a market that never closes."""

DEFAULT_FEEDS: Final = "simulator"

_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SYMBOL: Final = re.compile(r"[^\s,:{}]{1,64}")
_KINDS: Final = {kind.label: kind for kind in Kind if kind is not Kind.EVENT}


def _kind(value: object) -> object:
    if isinstance(value, Kind):
        return value
    kind = _KINDS.get(value) if isinstance(value, str) else None
    if kind is None:
        raise ValueError(f"{str(value)[:80]!r} is no kind; write one of {', '.join(_KINDS)}")
    return kind


class FeedConfig(BaseModel):
    """One feed: where it is, what it collects and when its markets are open."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    codec: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="name of the codec in services/collector/feeds")
    ws_url: str = Field(pattern=r"^wss?://[^\s/]+", description="WebSocket address, ws:// or wss://, without a key")
    rest_url: str = Field(pattern=r"^https?://[^\s/]+", description="REST address, http:// or https://")
    symbols: tuple[str, ...] = Field(min_length=1, description="the exchange's own names, as it prints them")
    kinds: frozenset[Annotated[Kind, BeforeValidator(_kind)]] = Field(min_length=1, description="what to collect")
    shards: int = Field(DEFAULT_SHARDS, ge=1, le=99, description="streams of the feed, fixed at its first start")
    calendar: str = Field(ALWAYS_OPEN, min_length=1, description="24/7 or a name exchange_calendars knows, as XNYS")
    calendars: dict[str, str] = Field(default_factory=dict, description="calendar by symbol, or by suffix as .US")
    kline_interval: str = Field("1m", pattern=r"^[1-9][0-9]?[smhdwM]$", description="interval of klines")
    dialect: str = Field("", description="which of a codec's documented dialects to speak")
    silence_s: float = Field(30.0, ge=1, le=3600, description="channel silence that means mute, in seconds")
    symbol_silence_s: float = Field(60.0, ge=1, le=86_400, description="least silence of one symbol that is unusual")
    rest_weight_per_minute: float = Field(600.0, gt=0, description="what REST requests may cost a minute, together")
    compression: Literal["", "deflate"] = Field("", description="deflate to ask for compressed frames")
    api_key: SecretStr = Field(SecretStr(""), exclude=True, description="only from the environment")

    @field_validator("ws_url", "rest_url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            usable = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable() and " " not in url
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("is no address; write scheme://host or scheme://host:port")
        return url

    @field_validator("symbols")
    @classmethod
    def _distinct(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [symbol for symbol in symbols if not (_SYMBOL.fullmatch(symbol) and symbol.isprintable())]
        if wrong:
            raise ValueError(f"{wrong[0][:80]!r} is no symbol; no spaces, commas, colons or braces")
        twice = sorted(symbol for symbol, times in Counter(symbols).items() if times > 1)
        if twice:
            raise ValueError(f"{twice[0]!r} is listed twice; remove one")
        return symbols

    @field_validator("api_key")
    @classmethod
    def _from_environment(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value():
            raise ValueError("a key does not belong in this file; set <FEED>_API_KEY or <FEED>_API_KEY_FILE")
        return key

    def calendar_of(self, symbol: str) -> str:
        """Return the calendar of a symbol: its own, that of its longest matching suffix, or the feed's."""
        if symbol in self.calendars:
            return self.calendars[symbol]
        suffixes = [suffix for suffix in self.calendars if suffix.startswith(".") and symbol.endswith(suffix)]
        return self.calendars[max(suffixes, key=len)] if suffixes else self.calendar


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    feeds: dict[str, FeedConfig] = Field(min_length=1)

    @field_validator("feeds")
    @classmethod
    def _named(cls, feeds: dict[str, FeedConfig]) -> dict[str, FeedConfig]:
        for name in feeds:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no feed name; small letters, digits, - and _, at most 32")
        return feeds


def load_feeds(path: Path, environ: Mapping[str, str]) -> dict[str, FeedConfig]:
    """Return the feeds that ``FEEDS`` selects, in its order, with the environment's overrides applied.

    Raises ConfigurationError naming everything that is wrong in the file and in the variables.
    """
    every = read_feeds(path)
    problems: list[str] = []
    names = _selected(environ.get("FEEDS") or DEFAULT_FEEDS, every, path, problems)
    symbols = _subscribed(environ.get("SUBSCRIBED_SYMBOLS") or "", names, problems)
    chosen = {name: _overridden(name, every[name], symbols.get(name), environ, problems) for name in names}
    if problems:
        raise ConfigurationError("\n".join(listed(problems)))
    return chosen


def read_feeds(path: Path) -> dict[str, FeedConfig]:
    """Return every feed of the file; raises ConfigurationError naming every wrong line."""
    return read_config(path, _File, variable="FEEDS_CONFIG").feeds


def _selected(text: str, every: Mapping[str, FeedConfig], path: Path, problems: list[str]) -> list[str]:
    names = list(dict.fromkeys(_listed(text)))
    problems += [
        f"FEEDS: there is no feed {name!r} in {path}; it has {', '.join(every)}" for name in names if name not in every
    ]
    if not names:
        problems.append("FEEDS: names no feed; write for example FEEDS=simulator")
    return [name for name in names if name in every]


def _subscribed(text: str, names: list[str], problems: list[str]) -> dict[str, tuple[str, ...]]:
    """Return symbols by feed; a symbol without a feed belongs to the one that stands before it, or the only one."""
    chosen: dict[str, list[str]] = {}
    feed = names[0] if len(names) == 1 else ""
    for item in _listed(text):
        before, colon, symbol = item.rpartition(":")
        feed = before if colon else feed
        if feed not in names:
            hint = f"FEEDS selects {', '.join(names) or 'none'}; write feed:SYM,... when there are several"
            problems.append(f"SUBSCRIBED_SYMBOLS: {item!r} belongs to no selected feed; {hint}")
            continue
        chosen.setdefault(feed, []).append(symbol)
    return {name: tuple(dict.fromkeys(symbols)) for name, symbols in chosen.items()}


def _overridden(
    name: str, feed: FeedConfig, symbols: tuple[str, ...] | None, environ: Mapping[str, str], problems: list[str]
) -> FeedConfig:
    """Return the feed with the environment's symbols, addresses and key."""
    prefix = name.upper().replace("-", "_")
    key = _secret(f"{prefix}_API_KEY", environ, problems)
    variables = {"symbols": "SUBSCRIBED_SYMBOLS", "ws_url": f"{prefix}_WS_URL", "rest_url": f"{prefix}_REST_URL"}
    values: dict[str, object] = {
        field: environ[variable]
        for field, variable in variables.items()
        if field != "symbols" and environ.get(variable)
    }
    if symbols is not None:
        values["symbols"] = symbols
    try:
        changed = FeedConfig.model_validate({**feed.model_dump(), **values})
    except ValidationError as error:
        for one in error.errors(include_url=False, include_input=False):
            field = str(one["loc"][0])
            problems.append(f"{variables.get(field, field)}: {one['msg'].removeprefix('Value error, ')}")
        return feed
    return changed.model_copy(update={"api_key": SecretStr(key)})


def _secret(variable: str, environ: Mapping[str, str], problems: list[str]) -> str:
    try:
        return secret_of(variable, environ) or ""
    except ConfigurationError as error:
        problems.append(str(error))
        return ""


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
