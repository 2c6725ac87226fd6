"""Counts the lines of logs another way: whole files, one after the other, nothing remembered."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

TEXT = re.compile(r"(\d{4}-\d\d-\d\d) \d\d:\d\d:\d\d \[([A-Z]+)\] ([a-z-]+): .*")


def content(path: Path) -> bytes:
    """Return what a file holds."""
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def lines(content: bytes) -> list[bytes]:
    """Return the lines that have an end."""
    return content.split(b"\n")[:-1]


def counted(every: Iterable[bytes]) -> tuple[Counter[tuple[str, str, str]], int]:
    """Return lines by day, service and level, and how many say nothing of that kind."""
    found: Counter[tuple[str, str, str]] = Counter()
    unparsed = 0
    for line in every:
        said = of_json(line) or of_text(line)
        if said is None:
            unparsed += 1
        else:
            found[said] += 1
    return found, unparsed


def of_json(line: bytes) -> tuple[str, str, str] | None:
    """Return the day, service and level of a line as our services write it."""
    try:
        fields = json.loads(line)
        return fields["timestamp"][:10], fields["service"], fields["level"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def of_text(line: bytes) -> tuple[str, str, str] | None:
    """Return the day, service and level of a line of the demo."""
    try:
        match = TEXT.fullmatch(line.decode())
    except UnicodeDecodeError:
        return None
    return match and (match[1], match[3], match[2].lower())
