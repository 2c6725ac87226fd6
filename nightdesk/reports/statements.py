"""The statements of the reports, each in a file of its own under ``sql/``."""

from functools import cache
from importlib import resources


@cache
def statement(name: str) -> str:
    """Return the text of ``sql/<name>.sql``; its values are named parameters of psycopg."""
    return resources.files("nightdesk.reports").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
