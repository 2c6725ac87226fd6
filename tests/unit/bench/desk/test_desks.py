import re
from pathlib import Path

import pytest
import yaml

from bench.desk import desks
from bench.place import SOURCE
from bench.workbench import MeasurementError

OVERRIDE = (Path(desks.__file__).parent / "compose.yaml").read_text(encoding="utf-8")


def test_a_measured_desk_publishes_no_port() -> None:
    services = yaml.safe_load((SOURCE / "compose.yaml").read_text(encoding="utf-8"))["services"]
    published = {name for name, one in services.items() if one.get("ports") and not one.get("profiles")}

    assert set(re.findall(r"^  (\w+):\n    ports: !reset \[\]$", OVERRIDE, re.MULTILINE)) == published


def test_what_does_not_happen_in_time_is_named() -> None:
    with pytest.raises(MeasurementError, match="still not: the sun rose"):
        desks.wait_until(lambda: False, 0.0, "the sun rose")
