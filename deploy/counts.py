"""Add up pytest's reports and the stages without one; print the counts as the last line, fail when anything failed.

python -m deploy.counts REPORTS STAGES     JUnit files of pytest; one file a stage, holding its exit status
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError, parse

SKIPPED = "skipped"
"""What a stage's file holds when the machine lacks what the stage needs."""


@dataclass(frozen=True)
class Counts:
    """How many tests ended how."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def of_report(file: Path) -> Counts:
    """Return the counts of one JUnit file; one that cannot be read is a failure."""
    try:
        suites = list(parse(file).getroot().iter("testsuite"))  # noqa: S314  pytest wrote it
    except (OSError, ParseError):
        return Counts(failed=1)
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for name in names for suite in suites)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return Counts(total - failed - skipped, failed, skipped)


def of_stage(file: Path, reports: Path) -> Counts:
    """Return one stage's counts: its report's when there is one, else the stage itself counts as one."""
    status = file.read_text(encoding="ascii").strip()
    if status == SKIPPED:
        return Counts(skipped=1)
    succeeded = status == "0"
    report = reports / f"{file.name}.xml"
    if not report.exists():
        return Counts(passed=1) if succeeded else Counts(failed=1)
    counts = of_report(report)
    # pytest also ends badly without a failed test: nothing collected, an interrupt, a time limit.
    return counts if succeeded or counts.failed else counts + Counts(failed=1)


def main(reports: Path, stages: Path) -> int:
    """Print each stage's counts, then their sum; return the exit status."""
    total = Counts()
    for file in sorted(file for file in stages.iterdir() if file.suffix == ""):
        counts = of_stage(file, reports)
        print(f"{file.name}: {counts}")
        total += counts
    print(total)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
