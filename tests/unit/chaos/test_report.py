"""What the harness reports."""

from tests.chaos.__main__ import COLUMNS, table
from tests.chaos.faults import FAULTS
from tests.chaos.harness import Outcome
from tests.chaos.verification import Totals

OUTCOME = Outcome(
    fault="kill-worker",
    on="local",
    totals=Totals(sent=100, stored=90, ledgered=9, lost=1, duplicates=2),
    recovery_s=4.7312,
    peak_mb=176.94,
    dropped=3,
    findings=("BTCUSDT: ...",),
)


def test_a_row_of_the_report_has_every_figure_under_its_name() -> None:
    assert OUTCOME.as_json() == {
        "fault": "kill-worker",
        "on": "local",
        "sent": 100,
        "stored": 90,
        "ledgered": 9,
        "lost": 1,
        "duplicates": 2,
        "recovery_s": 4.73,
        "peak_mb": 176.9,
    }
    assert tuple(OUTCOME.as_json()) == COLUMNS


def test_the_table_has_a_line_for_each_fault_below_its_head() -> None:
    head, row = table([OUTCOME]).splitlines()

    assert head.split() == list(COLUMNS)
    assert row.split() == ["kill-worker", "local", "100", "90", "9", "1", "2", "4.73", "176.9"]


def test_every_fault_is_named_after_its_file() -> None:
    assert {name.replace("-", "_") for name in FAULTS} == {
        inject.__module__.rpartition(".")[2] for inject in FAULTS.values()
    }
