"""What the harness reports."""

from tests.chaos.__main__ import ALL, COLUMNS, merged, table
from tests.chaos.faults import FAULTS, LONG, QUICK
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
        "on": "local",
        "fault": "kill-worker",
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
    assert row.split() == ["local", "kill-worker", "100", "90", "9", "1", "2", "4.73", "176.9"]


def test_every_fault_is_named_after_its_file() -> None:
    for name, inject in ALL.items():
        assert inject.__module__ == f"tests.chaos.faults.{name.replace('-', '_')}"


def test_no_fault_is_both_long_and_short_and_the_quick_ones_are_short() -> None:
    assert not FAULTS.keys() & LONG.keys()
    assert FAULTS.keys() >= set(QUICK)


def row(on: str, fault: str, sent: int) -> dict[str, object]:
    return {"on": on, "fault": fault, "sent": sent}


def test_the_report_keeps_the_rows_of_the_other_mode_and_of_faults_that_were_not_run() -> None:
    before = [row("local", "kill-redis", 1), row("compose", "kill-redis", 2), row("local", "kill-worker", 3)]

    rows = merged(before, [row("local", "kill-redis", 9)], on="local", names=["kill-redis"])

    assert rows == [row("compose", "kill-redis", 2), row("local", "kill-worker", 3), row("local", "kill-redis", 9)]


def test_the_report_forgets_the_row_of_a_fault_that_was_run_and_gave_none() -> None:
    before = [row("local", "kill-redis", 1), row("local", "a-fault-of-old", 2)]

    assert merged(before, [], on="local", names=["kill-redis"]) == []
