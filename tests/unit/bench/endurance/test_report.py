import json

import pytest

from bench.desk.processes import Usage
from bench.endurance.memory import Series
from bench.endurance.report import as_json, as_table, growing, passing, rows, verdict
from bench.endurance.slope import Slope


def series(
    service: str, mb_per_hour: float, *, seconds: int = 600, command: str = "python -m services.worker"
) -> Series:
    found = Series(service, command, 1)
    for second in range(0, seconds, 2):
        found.add(1000.0 + second, Usage(private_bytes=int(5e7 + mb_per_hour * second / 3600 * 1e6)))
    return found


def test_a_leak_is_noticed() -> None:
    leaking, steady = series("worker", 30.0), series("collector", 0.1)

    found = rows("steady", [leaking, steady], 600.0)

    assert [row.verdict for row in found] == ["grows", "flat"]
    assert growing(found, ["worker", "collector"]) == [
        "steady: worker (services.worker) grows: 30.0 MB an hour, and 0.0 MB in 0 steps"
    ]


def test_what_may_grow_by_design_is_shown_and_no_finding() -> None:
    found = rows("steady", [series("prometheus", 30.0, command="/bin/prometheus --config")], 600.0)

    assert growing(found, ["worker"]) == []
    assert "prometheus: prometheus" in as_table(found)


FLAT, RISING, UNSURE = Slope(1.0, 0.5), Slope(20.0, 13.0), Slope(5.0, 4.0)


def test_samples_that_allow_for_both_are_unclear() -> None:
    assert verdict(UNSURE, UNSURE, 0.0) == "unclear"
    assert verdict(FLAT, FLAT, 0.0) == "flat"
    assert verdict(RISING, RISING, 0.0) == "grows"
    assert verdict(Slope(-50.0, 10.0), FLAT, 0.0) == "flat"


def test_what_creeps_up_and_falls_back_does_not_grow() -> None:
    saw = series("redis", 0.0)
    saw.private_mb[:] = [50.0 + place % 60 * 0.1 for place in range(len(saw.private_mb))]

    (row,) = rows("replay", [saw], 600.0)

    assert row.between_mb_per_hour > 100.0
    assert row.verdict != "grows"


def test_one_step_is_no_leak_and_steps_again_and_again_are() -> None:
    once, often = series("worker", 0.0), series("worker", 0.0)
    once.private_mb[100:] = [mb + 2.0 for mb in once.private_mb[100:]]
    often.private_mb[:] = [mb + place // 60 * 2.0 for place, mb in enumerate(often.private_mb)]

    found = rows("replay", [once, often], 600.0)

    assert [(row.steps, row.stepped_mb, row.verdict) for row in found] == [(1, 2.0, "flat"), (4, 8.0, "grows")]


def test_a_process_that_came_later_has_no_slope_but_is_counted() -> None:
    late = series("postgres", 0.0, seconds=300)

    assert rows("steady", [late], 600.0) == []
    assert passing([late], 600.0) == {"postgres": 1}


def test_the_warm_up_is_left_out() -> None:
    assert series("worker", 0.0).since(1000.0 + 300).times_s[0] == 1300.0
    assert series("worker", 0.0).since(9000.0).times_s == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python -m services.collector", "services.collector"),
        ("postgres: nightdesk_writer nightdesk 172.18.0.5(52344) idle", "nightdesk_writer nightdesk"),
        ("postgres: walwriter", "walwriter"),
        ("/usr/local/bin/redis-server *:6379", "redis-server"),
        ("", "(gone)"),
    ],
)
def test_a_process_is_called_by_what_tells_it_apart(command: str, name: str) -> None:
    (row,) = rows("steady", [series("any", 0.0, command=command)], 600.0)

    assert row.process == name


def test_the_file_holds_runs_processes_and_thinned_samples() -> None:
    found = rows("steady", [series("worker", 1.0)], 600.0)

    document = json.loads(json.dumps(as_json(found, {"steady": {"sent": {"trade": 1}}})))

    assert document["runs"]["steady"]["sent"] == {"trade": 1}
    assert document["processes"][0]["slope_mb_per_hour"] == 1.0
    assert 30 <= len(document["processes"][0]["samples"]) <= 60
