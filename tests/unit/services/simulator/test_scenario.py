from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.simulator.faults import Fault, Gap
from services.simulator.scenario import Entry, Scenario, entries, read
from tests.unit.services.simulator.making import SYMBOLS

TEXT = """
- at_s: 30
  fault: mute_socket
  seconds: 5
- {at_s: 2.5, fault: gap, symbol: BTCUSDT, count: 3}
"""


def test_a_scenario_is_read_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(TEXT)

    assert [entry.at_s for entry in read(path, SYMBOLS)] == [2.5, 30.0]


def test_every_wrong_entry_is_named() -> None:
    wrong = [{"at_s": 1, "fault": "gap"}, {"at_s": -1, "fault": "gap"}, {"at_s": 1, "fault": "gap", "count": 0}, 7]

    with pytest.raises(ConfigurationError) as caught:
        entries(wrong, SYMBOLS, "faults.yaml")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["faults.yaml", "entry 2", "entry 3", "entry 4"]


@pytest.mark.parametrize("text", ["fault: gap", "- [", "\x00"])
def test_what_is_no_scenario_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=r"faults\.yaml"):
        read(path, SYMBOLS)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SIMULATOR_SCENARIO"):
        read(tmp_path / "none.yaml", SYMBOLS)


def test_faults_are_injected_when_due() -> None:
    injected: list[tuple[Fault, int]] = []
    planned = [Entry(1.0, Gap(count=1)), Entry(2.0, Gap(count=2))]
    scenario = Scenario(planned, begins_ms=10_000, inject=lambda fault, now_ms: injected.append((fault, now_ms)))
    for now_ms in (10_999, 11_000, 11_010, 12_500):
        scenario.play(now_ms)

    assert injected == [(Gap(count=1), 11_000), (Gap(count=2), 12_500)]
