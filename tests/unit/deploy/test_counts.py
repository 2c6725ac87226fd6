"""The counts that a full run ends with."""

from pathlib import Path

import pytest

from deploy.counts import Counts, main, of_report, of_stage

REPORT = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="7" failures="1" errors="1" skipped="2">
</testsuite></testsuites>"""
ALL_WELL = '<testsuites><testsuite name="pytest" tests="3" failures="0" errors="0" skipped="0"/></testsuites>'


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    (tmp_path / "reports").mkdir()
    return tmp_path / "reports"


@pytest.fixture
def stages(tmp_path: Path) -> Path:
    (tmp_path / "stages").mkdir()
    return tmp_path / "stages"


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def test_errors_count_as_failures(reports: Path) -> None:
    assert of_report(written(reports / "test.xml", REPORT)) == Counts(passed=3, failed=2, skipped=2)


def test_a_torn_report_is_a_failure(reports: Path) -> None:
    assert of_report(written(reports / "test.xml", "<testsuites>")) == Counts(failed=1)


@pytest.mark.parametrize(("status", "counts"), [("0", Counts(passed=1)), ("2", Counts(failed=1))])
def test_a_stage_without_report_counts_as_one(reports: Path, stages: Path, status: str, counts: Counts) -> None:
    assert of_stage(written(stages / "check", f"{status}\n"), reports) == counts


def test_a_stage_that_could_not_run_is_counted_as_skipped(reports: Path, stages: Path) -> None:
    assert of_stage(written(stages / "e2e", "skipped\n"), reports) == Counts(skipped=1)


def test_a_stage_cut_short_is_a_failure_whatever_its_report_says(reports: Path, stages: Path) -> None:
    written(reports / "test.xml", ALL_WELL)

    assert of_stage(written(stages / "test", "124\n"), reports) == Counts(passed=3, failed=1)


def test_the_last_line_is_the_sum(reports: Path, stages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(reports / "test.xml", REPORT)
    written(stages / "test", "1\n")
    written(stages / "check", "0\n")
    written(stages / "apt.log", "noise")

    assert main(reports, stages) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 2 failed, 2 skipped"


def test_a_run_without_failures_succeeds(reports: Path, stages: Path) -> None:
    written(reports / "test.xml", ALL_WELL)
    written(stages / "test", "0\n")

    assert main(reports, stages) == 0
