"""The lock holds what pyproject.toml asks for, by hash, and says nothing of where it came from."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["dependency-groups"]
ASKED = {
    "runtime.txt": PROJECT["project"]["dependencies"],
    "dev.txt": [
        *PROJECT["project"]["dependencies"],
        *GROUPS["local"],
        *(one for one in GROUPS["dev"] if isinstance(one, str)),
    ],
}


def locked(name: str) -> dict[str, set[str]]:
    """Return the versions of every package: one, or one a Python version."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([a-z0-9][\w.-]*)==(\S+)", text_of(name), re.MULTILINE):
        versions.setdefault(package, set()).add(version)
    return versions


def text_of(name: str) -> str:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "asked"), [(name, one) for name, every in ASKED.items() for one in every])
def test_what_is_asked_for_is_locked_to_a_version_that_fits(name: str, asked: str) -> None:
    requirement = Requirement(asked)

    versions = locked(name)[canonicalize_name(requirement.name)]

    assert versions
    assert all(requirement.specifier.contains(version) for version in versions)


@pytest.mark.parametrize("name", ASKED)
def test_every_package_is_held_by_its_hashes(name: str) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", text_of(name), flags=re.MULTILINE)[1:]

    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", ASKED)
def test_no_address_stands_in_a_lock(name: str) -> None:
    assert not re.search(r"https?:|file:|--(extra-)?index-url|--find-links|\.org\b|\.com\b", text_of(name))


def test_what_is_developed_with_is_what_runs() -> None:
    runtime, dev = locked("runtime.txt"), locked("dev.txt")

    assert {name: dev[name] for name in runtime} == runtime
