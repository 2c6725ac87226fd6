"""The jobs' statements, kept as SQL."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> bytes:
    """Return the text of ``services/jobs/sql/<name>.sql``."""
    return files("services.jobs").joinpath("sql", f"{name}.sql").read_bytes()
