"""The one-shot that makes every password at the first start and leaves them alone ever after."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import structlog
from pydantic import Field

from nightdesk import logs, settings
from services.init import directories
from services.init.plan import places, plan

log = structlog.get_logger()

VALUE_BYTES: Final = 32


class InitSettings(settings.Settings):
    """Where the secrets go and where the data is."""

    secrets_dir: Path = Field(Path("/secrets"), description="directory with one directory a service")
    data_dir: Path = Field(Path("/data"), description="directory in which existing data is looked for")
    renew_secrets: bool = Field(default=False, description="make new secrets although the data knows the old ones")


def run(environ: Mapping[str, str]) -> None:
    """Write what is missing; raises ConfigurationError that says how to recover."""
    chosen = settings.load(InitSettings, environ)
    logs.configure("init", chosen)
    written = fill(
        chosen.secrets_dir,
        data=directories.existing_data(chosen.data_dir),
        new_value=lambda: secrets.token_urlsafe(VALUE_BYTES),
        renew=chosen.renew_secrets,
    )
    log.info("secrets.ready", written=written)


def fill(root: Path, *, data: frozenset[str], new_value: Callable[[], str], renew: bool) -> int:
    """Bring the directories under ``root`` to the plan; return how many files that took."""
    found = directories.read_secrets(root, places())
    wanted = plan(found, data=data, new_value=new_value, renew=renew)
    directories.write_secrets(root, wanted)
    return len(wanted)
