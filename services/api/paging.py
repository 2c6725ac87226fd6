"""From one page of a list to another, with the same filter. Pure."""

from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where the next older page is, and the first one; empty where that is here."""

    older: str
    newest: str


def paging(query: BaseModel, next_before: int | None) -> Paging:
    """Return the links of a page that was asked for so, and whose last line the next page lies before."""
    asked = query.model_dump(mode="json", exclude_defaults=True)
    before = asked.pop("before", None)
    return Paging(
        older="" if next_before is None else f"?{urlencode({**asked, 'before': next_before})}",
        newest="" if before is None else f"?{urlencode(asked)}",
    )
