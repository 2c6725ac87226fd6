"""What every service says of itself in its log, whatever it does."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from deploy.local.compose import our_services

ROOT = Path(__file__).parents[2]
SERVICES = sorted(our_services((ROOT / "compose.yaml").read_text(encoding="utf-8"), {}).keys() - {"init", "migrate"})


def source_of(service: str) -> str:
    return (ROOT / "services" / service / "app.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("moment", ["starting", "stopped"])
def test_a_service_says_when_it_starts_and_when_it_has_stopped(service: str, moment: str) -> None:
    assert re.search(rf'log\.info\(\s*"{service}\.{moment}"', source_of(service))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_is_quiet_says_that_it_runs(service: str) -> None:
    assert re.search(r"Pulse\(logs\.configure\(", source_of(service))


@pytest.mark.parametrize("service", SERVICES)
def test_the_last_line_is_written_before_a_server_ends_by_the_signal_it_was_sent(service: str) -> None:
    source = source_of(service)
    ends_by_signal = "uvicorn" in source

    assert not ends_by_signal or re.search(rf'"{service}\.stopped"\)\s+logs\.flush\(\)', source)


def test_nothing_ends_a_process_without_its_last_lines() -> None:
    ends = re.compile(r"^(?!\s*#).*\bos\._exit\(", re.MULTILINE)
    files = [*(ROOT / "services").rglob("*.py"), *(ROOT / "nightdesk").rglob("*.py")]

    assert [file.name for file in files if ends.search(file.read_text(encoding="utf-8"))] == ["service.py"]


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("worker-3f2a.jsonl", True),
        ("worker-3f2a.20261119T000003000123.jsonl", True),
        ("worker-3f2a.20261119T000003000123.jsonl.gz", True),
        ("worker-3f2a.20261119T000003000123.jsonl.gz.part", False),
        ("worker-3f2a.errors.jsonl", False),
        ("worker-3f2a.20261119T000003000123.errors.jsonl.gz", False),
    ],
)
def test_the_digest_reads_every_line_from_the_files_that_are_whole(name: str, is_read: bool) -> None:
    source = yaml.safe_load((ROOT / "config" / "logs.yaml").read_text(encoding="utf-8"))["sources"]["nightdesk"]
    is_ignored = any(fnmatch(name, pattern) for pattern in source["ignore"])

    assert any(fnmatch(f"worker/{name}", pattern) for pattern in source["paths"])
    assert is_ignored is not is_read
