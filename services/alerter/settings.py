"""The alerter's settings."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from nightdesk.settings import Settings


class AlerterSettings(Settings):
    """What the alerter needs to know besides ``config/alerts.yaml``; the channels' secrets are named there."""

    alerts_config: Path = Field(Path("config/alerts.yaml"), description="the policy: who is told what, and when")
    calendars_config: Path = Field(Path("config/calendars.yaml"), description="closures the calendars do not know")
    feeds_config: Path = Field(Path("config/feeds.yaml"), description="the feeds file, for the calendars it names")
    state_dir: Path = Field(Path("/var/lib/nightdesk/alerter"), description="where the alerter keeps its state")
    prometheus_url: str = Field(
        "http://prometheus:9090", pattern="^https?://[^/]", description="Prometheus, whose alerts are watched"
    )
    public_url: str = Field(
        "",
        pattern="^(https?://[^/?#]+)?/?$",
        description="where the desk is reached from outside, as https://desk.example.com",
    )
    deadman_url: SecretStr | None = Field(
        None, description="address that is asked every minute while all is well, of a service that tells when it stops"
    )
    alerter_token: SecretStr = Field(description="bearer token of the api: acknowledge, silence, test")
    notifications_token: SecretStr = Field(description="bearer token of jobs and strategies: notify, test")
    ack_secret: SecretStr = Field(description="signs acknowledge links")

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("alerter_token", "notifications_token", "ack_secret")
    @classmethod
    def _not_empty(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value():
            raise ValueError("must not be empty")
        return secret
