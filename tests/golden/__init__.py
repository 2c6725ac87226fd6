"""Golden files: what a fixed week looks like, checked by eye once and by test for ever.

A test that compares fails when what is made differs from its file. Where the difference is meant, the files are written
anew with ``RENEW_GOLDEN=yes python -m pytest tests/integration/reports``, looked at, and committed.
"""

import os
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
RENEW: Final = "RENEW_GOLDEN"


def is_golden(name: str, made: str) -> bool:
    """Return whether a text is the one of ``tests/golden/<name>``; writes it there when that is asked for."""
    file = HERE / name
    if os.environ.get(RENEW):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(made, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == made, f"{file} differs; {RENEW}=yes writes it anew"
    return True
