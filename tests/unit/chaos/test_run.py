"""A fault that goes wrong does not stop the others."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nightdesk.errors import UnavailableError
from tests.chaos import __main__ as chaos
from tests.chaos.harness import Load, Outcome
from tests.chaos.stacks import NotHereError
from tests.chaos.verification import Totals

RIGHT = Outcome(
    fault="", on="local", totals=Totals(sent=1, stored=1, ledgered=0, lost=0, duplicates=0),
    recovery_s=1.0, peak_mb=1.0, dropped=0, findings=(),
)  # fmt: skip


class Bench:
    """Stacks and harnesses that do as they are told; ``stacks`` counts how many were started."""

    def __init__(self) -> None:
        self.stacks = 0
        self.starts = True
        self.outcomes: dict[str, Outcome] = {}
        self.over_all: list[str] = []
        self.not_here = ""

    @contextmanager
    def running(self, on: str, *, long: bool) -> Iterator[Any]:
        self.stacks += 1
        if not self.starts:
            raise UnavailableError("no engine")
        yield self

    def logs(self, service: str) -> str:
        return f"what {service} says"

    def harness(self, stack: object, load: Load, checks: Sequence[object]) -> "Bench":
        return self

    def watching(self) -> AbstractContextManager[None]:
        return nullcontext()

    def run(self, name: str, inject: Callable[..., object]) -> Outcome:
        if name == self.not_here:
            raise NotHereError("not as root")
        if name not in self.outcomes:
            raise UnavailableError("nothing flows")
        return replace(self.outcomes[name], fault=name)

    def final_findings(self) -> list[str]:
        return self.over_all


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr(chaos, "running", made.running)
    monkeypatch.setattr(chaos, "Harness", made.harness)
    return made


def run_of(names: Sequence[str]) -> chaos.Run:
    run = chaos.Run("local", Load())
    run.all(names)
    return run


def test_faults_share_a_stack_while_it_goes_on(bench: Bench) -> None:
    bench.outcomes = {"kill-redis": RIGHT, "kill-worker": RIGHT}

    run = run_of(["kill-redis", "kill-worker"])

    assert [one.fault for one in run.outcomes] == ["kill-redis", "kill-worker"]
    assert (run.findings, bench.stacks) == ([], 1)


def test_a_fault_that_breaks_its_stack_leaves_the_others_a_new_one(bench: Bench) -> None:
    bench.outcomes = {"kill-redis": replace(RIGHT, goes_on=False, findings=("an id is lost",)), "kill-postgres": RIGHT}

    run = run_of(["kill-redis", "kill-worker", "kill-postgres"])

    assert [one.fault for one in run.outcomes] == ["kill-redis", "kill-postgres"]
    assert run.findings == ["kill-redis: an id is lost", "kill-worker: UnavailableError: nothing flows"]
    assert bench.stacks == 3


def test_a_fault_that_this_machine_does_not_allow_is_left_out_and_named(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.outcomes, bench.not_here = {"kill-redis": RIGHT}, "spool-full"

    run = run_of(["spool-full", "kill-redis"])

    assert ([one.fault for one in run.outcomes], run.findings, bench.stacks) == (["kill-redis"], [], 1)
    assert "spool-full: not run: not as root" in capsys.readouterr().err


def test_what_is_wrong_over_all_faults_counts(bench: Bench) -> None:
    bench.outcomes = {"kill-redis": RIGHT}
    bench.over_all = ["a worker grew"]

    assert run_of(["kill-redis"]).findings == ["over all faults: a worker grew"]


def test_a_stack_that_never_starts_is_given_up_and_named(bench: Bench) -> None:
    bench.starts = False

    run = run_of(["kill-redis", "kill-worker"])

    assert bench.stacks == chaos.STARTS_IN_A_ROW
    assert run.findings[-1] == "not run: kill-redis, kill-worker"
    assert run.begun == []


def test_a_run_that_is_ended_early_reports_what_there_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def end(*_: object) -> Outcome:
        if len(bench.outcomes) == 1:
            raise SystemExit(130)
        return bench.outcomes.pop("kill-redis")

    bench.outcomes = {"kill-redis": replace(RIGHT, fault="kill-redis"), "kill-worker": RIGHT}
    monkeypatch.setattr(bench, "run", end)
    monkeypatch.setattr(chaos, "REPORT", tmp_path / "chaos.json")

    with pytest.raises(SystemExit):
        chaos.main(["--on", "local", "--only", "kill-redis", "--only", "kill-worker"])

    (row,) = json.loads((tmp_path / "chaos.json").read_text(encoding="utf-8"))
    assert row["fault"] == "kill-redis"
