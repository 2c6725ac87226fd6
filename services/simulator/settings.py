"""The simulator's settings; all have defaults."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from nightdesk.settings import Settings


def _names(value: object) -> object:
    return tuple(part.strip().upper() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_names)]


class SimulatorSettings(Settings):
    """What the simulator reads from the environment; rates are totals over all symbols."""

    simulator_port: int = Field(8090, ge=0, le=65535, description="port of the exchange and of its control")
    simulator_symbols: Names = Field(
        ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"), min_length=1, description="pairs listed, SYM,SYM"
    )
    simulator_stocks: Names = Field(("AAPL.US", "NVDA.US", "SPY.US"), description="session-bound symbols, TickDB only")
    simulator_seed: int = Field(7, description="seed of the random market")
    simulator_trades_per_s: Annotated[float, Field(ge=0, le=1e7)] | Literal["max"] = Field(
        200.0, description="trades a second, or max"
    )
    simulator_quotes_per_s: float = Field(500.0, ge=0, le=1e6, description="quotes a second")
    simulator_depth_per_s: float = Field(50.0, ge=0, le=1e6, description="depth diffs a second")
    simulator_shape: Literal["u", "flat"] = Field("u", description="how busy the market is over its five-minute day")
    simulator_history_trades: int = Field(600_000, ge=1000, description="trades a symbol that REST remembers")
    simulator_buffer_bytes: int = Field(64_000_000, ge=65_536, description="a client further behind is cut off")
    simulator_connections_per_5min: int = Field(
        300, ge=0, description="connection attempts per address; 0 for no limit"
    )
    simulator_weight_per_minute: int = Field(6000, ge=0, description="REST weight per address; 0 for no limit")
    simulator_tickdb_per_minute: int = Field(600, ge=0, description="TickDB requests a minute and key; 0 for no limit")
    simulator_scenario: Path | None = Field(None, description="file of faults to inject, YAML")
    simulator_replay: Path | None = Field(None, description="recording to replay instead of a random market")
    simulator_replay_speed: Annotated[float, Field(gt=0, le=1e6)] | Literal["max"] = Field(
        1.0, description="times real time, or max"
    )
