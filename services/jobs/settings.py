"""What the jobs need to know; what differs from run to run is in a job's arguments."""

from pathlib import Path

from pydantic import Field, SecretStr

from nightdesk.settings import DatabaseSettings, RedisSettings, Settings


class JobsSettings(Settings, RedisSettings, DatabaseSettings):
    """The settings of service ``jobs``."""

    feeds_config: Path = Field(Path("config/feeds.yaml"), description="file that says what is collected")
    calendars_config: Path = Field(Path("config/calendars.yaml"), description="closures the calendars do not know")
    schedule_config: Path = Field(Path("config/schedule.yaml"), description="file that says what runs when")
    logs_config: Path = Field(Path("config/logs.yaml"), description="file that says which logs are read")
    retention_days: int = Field(30, ge=0, le=36_500, description="how far back ticks are stored, days; 0 for ever")
    alerter_url: str = Field(
        "http://127.0.0.1:9101", pattern=r"^https?://[^\s/]+", description="address of the alerter"
    )
    notifications_token: SecretStr | None = Field(
        None, description="what the alerter takes messages for, and tells what fired"
    )
    prometheus_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+.*)?$",
        description="Prometheus, for what it measured; empty where there is none",
    )
    health_targets: str = Field("", description="name=address of every service, with commas between")
    tickdb_api_key: SecretStr | None = Field(None, description="key of TickDB, for symbols that are not collected")
    tickdb_rest_url: str = Field(
        "", pattern=r"^(https?://[^\s/]+.*)?$", description="TickDB's REST address; empty for the one in feeds.yaml"
    )
    archive_url: str = Field(
        "file:///var/lib/nightdesk/archive",
        pattern=r"^(file:///|s3://)[^\s]+$",
        description="where days of ticks are kept: file:///directory or s3://bucket/prefix",
    )
    archive_s3_endpoint: str = Field("", description="address of an S3-compatible store; empty for AWS's own")
    archive_s3_region: str = Field("", description="region of the bucket; empty where there is none")
    archive_s3_access_key: SecretStr | None = Field(None, description="access key of the archive's bucket")
    archive_s3_secret_key: SecretStr | None = Field(None, description="secret key of the archive's bucket")
    backup_dir: Path = Field(Path("/var/lib/nightdesk/backups"), description="directory of the database's backups")
    backup_password: SecretStr | None = Field(None, description="password of nightdesk_backup")
    host_root: Path = Field(Path("/"), description="where the host's file system is mounted, to look at its disks")
