"""What the scheduler needs to know."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from nightdesk.settings import DatabaseSettings, RedisSettings, Settings


class SchedulerSettings(Settings, RedisSettings, DatabaseSettings):
    """The scheduler's settings; when what runs is in ``config/schedule.yaml``."""

    schedule_config: Path = Field(Path("config/schedule.yaml"), description="file that says what runs when")
    calendars_config: Path = Field(Path("config/calendars.yaml"), description="closures the calendars do not know")
    runs_token: SecretStr = Field(description="bearer token of who may ask for runs: POST /runs")

    @field_validator("runs_token")
    @classmethod
    def _not_empty(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value():
            raise ValueError("must not be empty")
        return secret
