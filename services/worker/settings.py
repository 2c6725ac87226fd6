"""What the worker needs to know."""

from pathlib import Path

from pydantic import Field

from nightdesk.settings import DatabaseSettings, RedisSettings, Settings


class WorkerSettings(Settings, RedisSettings, DatabaseSettings):
    """The worker's settings."""

    feeds_config: Path = Field(Path("config/feeds.yaml"), description="file that says what is collected")
    lease_seconds: float = Field(5.0, ge=1, le=60, description="how long a consumer stays a silent worker's, seconds")
    retention_days: int = Field(30, ge=0, le=36_500, description="how far back ticks are stored, days; 0 for ever")
