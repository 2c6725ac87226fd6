"""Run the engine on a target for a while, in a process of its own, and read what it found."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.fuzz.target import Target

ROOT: Final = Path(__file__).parents[2]
CASES: Final = Path(__file__).parent / "cases"
BUILD: Final = ROOT / "build" / "fuzz"

ENGINE: Final = (sys.executable, "-m", "tests.fuzz.engine")
MEMORY: Final = Path("/dev/shm")

HANG_S: Final = 10
"""One input of a few kilobytes that takes longer is a finding."""
MEMORY_MB: Final = 768
"""The interpreter, pydantic and all; an input that needs more is a finding."""
STARTING_S: Final = 300
"""What importing and reading the corpus may take on top of the time asked for."""

_STATE: Final = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)/")
_STATISTIC: Final = re.compile(r"stat::(\w+):\s+(\d+)")
_ERROR: Final = re.compile(r"=== Uncaught Python exception: ===\n(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How a search went; ``finding`` is empty when every claim held, ``artifact`` the input that broke one."""

    target: str
    seconds: int
    executions: int
    branches: int
    inputs: int
    peak_mb: int
    finding: str = ""
    artifact: str = ""


def search(name: str, target: Target, *, seconds: int, build: Path = BUILD, engine: Sequence[str] = ENGINE) -> Found:
    """Search for ``seconds``; the corpus of earlier searches is kept and gone on from."""
    place = build / name
    corpus, seeds, artifacts = place / "corpus", place / "seeds", place / "found"
    for folder in (corpus, seeds, artifacts):
        folder.mkdir(parents=True, exist_ok=True)
    keep(seeds, [*target.seeds(), *target.recorded()])
    before = set(artifacts.iterdir())
    folders = [corpus, seeds, *(folder for folder in [CASES / name] if folder.is_dir())]
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={target.max_bytes}",
        f"-timeout={HANG_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={artifacts}/",
        "-print_final_stats=1",
    ]
    status, said = _run([*engine, name, *options, *map(str, folders)], limit_s=seconds + STARTING_S)
    new = sorted(set(artifacts.iterdir()) - before)
    return read(name, seconds, said, status=status, artifact=str(new[0]) if new else "")


def keep(folder: Path, seeds: Iterable[bytes]) -> None:
    """Write the seeds anew, each under the name of its content, and nothing else."""
    for old in folder.iterdir():
        old.unlink()
    for seed in seeds:
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)


def read(name: str, seconds: int, said: str, *, status: int, artifact: str = "") -> Found:
    """Return what libFuzzer said about a search."""
    statistics = {key: int(value) for key, value in _STATISTIC.findall(said)}
    states = _STATE.findall(said)
    branches, _, inputs = states[-1] if states else (0, 0, 0)
    return Found(
        target=name,
        seconds=seconds,
        executions=statistics.get("number_of_executed_units", 0),
        branches=int(branches),
        inputs=int(inputs),
        peak_mb=statistics.get("peak_rss_mb", 0),
        finding=_finding(said, status),
        artifact=artifact,
    )


def _finding(said: str, status: int) -> str:
    if status == 0:
        return ""
    if error := _ERROR.search(said):
        return error[1].strip()[:200]
    for sign, meaning in (("ERROR: libFuzzer: timeout", "a hang"), ("libFuzzer: out-of-memory", "too much memory")):
        if sign in said:
            return meaning
    return f"the engine ended with status {status}: {said.strip()[-200:]}"


def _run(command: Sequence[str], *, limit_s: float) -> tuple[int, str]:
    """Return the engine's status and what it said.

    Its temporary folder is in memory: thousands of files a second belong on no disk.
    """
    with TemporaryDirectory(prefix="nightdesk-fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as temporary:
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, "TMPDIR": temporary},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1, f"the engine was still running after {limit_s:g} s"
        return done.returncode, done.stdout
