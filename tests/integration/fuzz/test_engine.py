"""The engine finds what is planted, and says so with its exit status and its input."""

import sys
from pathlib import Path

import pytest

from tests.fuzz.search import search
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.slow

pytest.importorskip("atheris", reason="atheris has packages for Linux on x86-64 only")

PLANTED = """\
import sys
sys.path.insert(0, {root!r})
from tests.fuzz import engine
from tests.fuzz.target import Target, claim

engine.TARGETS["planted"] = Target(check=lambda data: claim(data[:1] != b"k", "found"), seeds=lambda: [b"oj"])
engine.main("planted", sys.argv[2:])
"""


def test_a_search_of_a_real_target_runs_and_keeps_what_it_learnt(tmp_path: Path) -> None:
    found = search("frames", TARGETS["frames"], seconds=1, build=tmp_path)

    assert found.finding == ""
    assert found.executions > 0
    assert found.branches > 0
    assert list((tmp_path / "frames" / "corpus").iterdir())


@pytest.mark.slow
def test_a_planted_mistake_is_found_with_the_input_that_shows_it(tmp_path: Path) -> None:
    engine = tmp_path / "engine.py"
    engine.write_text(PLANTED.format(root=str(Path(__file__).parents[3])))  # one byte: found within any luck
    target = Target(check=lambda _data: None, seeds=lambda: [b"oj"])

    found = search("planted", target, seconds=60, build=tmp_path, engine=(sys.executable, str(engine)))

    assert "found" in found.finding
    assert Path(found.artifact).read_bytes()[:1] == b"k"
