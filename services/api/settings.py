"""The api's settings."""

from pydantic import Field, SecretStr, field_validator

from nightdesk.errors import ConfigurationError
from nightdesk.settings import RedisSettings, Settings
from nightdesk.targets import parse_targets


class ApiSettings(Settings, RedisSettings):
    """What the api needs to know; it reads the database and asks the other services over HTTP."""

    api_port: int = Field(8000, ge=0, le=65535, description="port of the api")
    api_token: SecretStr | None = Field(None, description="bearer token; when empty everything is open")
    database_url: str = Field(
        "postgresql://nightdesk_reader@127.0.0.1:5432/nightdesk",
        pattern="^postgres(ql)?://",
        description="PostgreSQL as the reader, without the password",
    )
    database_password: SecretStr | None = Field(None, description="password of the role in DATABASE_URL")
    clerk_password: SecretStr | None = Field(
        None, description="password of nightdesk_clerk; without it no orders are recorded"
    )
    health_targets: str = Field(
        "collector=http://collector:9100,worker=http://worker:9100,alerter=http://alerter:9100,"
        "scheduler=http://scheduler:9100,jobs=http://jobs:9100,simulator=http://simulator:8090",
        description="services that /health asks: name=http://host:port, separated by commas",
    )
    login_token: SecretStr | None = Field(
        None, description="what the login form asks for from outside, where API_TOKEN is not set"
    )
    alerter_url: str = Field("", pattern="^(http://[^/]+)?$", description="the alerter; empty where none runs")
    alerter_token: SecretStr | None = Field(None, description="bearer token of the alerter")
    scheduler_url: str = Field("", pattern="^(http://[^/]+)?$", description="the scheduler; empty where none runs")
    runs_token: SecretStr | None = Field(None, description="bearer token of the scheduler")
    session_secret: SecretStr | None = Field(
        None, description="signs the cookies of the login form; without it logins end with the api"
    )
    grafana_link: str = Field("http://localhost:3000", pattern="^https?://", description="Grafana as browsers reach it")
    prometheus_link: str = Field(
        "http://localhost:9090", pattern="^https?://", description="Prometheus as browsers reach it"
    )

    @field_validator("health_targets")
    @classmethod
    def _readable(cls, text: str) -> str:
        try:
            parse_targets(text)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        return text
