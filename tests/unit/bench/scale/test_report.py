import json
from dataclasses import replace

from bench.scale.report import Cell, Cpu, as_json, as_table, better, cliffs, steps, suspects

CPU = Cpu(collector=5.0, workers=1.0, postgres=1.5)
CELL = Cell(
    workers=1,
    symbols=5,
    rate=10_000.0,
    p50_ms=10.0,
    p99_ms=30.0,
    transactions_per_s=100.0,
    postgres_cores=0.1,
    cpu=CPU,
    throughput=200_000,
    cpu_at_most=CPU,
)


def grid() -> list[Cell]:
    return [replace(CELL, workers=workers, symbols=symbols) for workers in (1, 2, 4) for symbols in (5, 50, 500)]


def test_each_cell_is_compared_with_its_neighbours() -> None:
    pairs = {((a.workers, a.symbols), (b.workers, b.symbols)) for a, b in steps(grid())}

    assert len(pairs) == 12
    assert ((1, 5), (1, 50)) in pairs
    assert ((2, 500), (4, 500)) in pairs
    assert ((1, 5), (1, 500)) not in pairs


def test_a_plain_has_no_cliff() -> None:
    assert cliffs(grid()) == []


def test_throughput_that_halves_is_a_cliff() -> None:
    cells = [CELL, replace(CELL, symbols=500, throughput=99_000)]

    assert cliffs(cells) == ["1 workers, 5 symbols -> 1, 500: throughput falls from 200,000 to 99,000/s"]


def test_latency_that_jumps_is_a_cliff_unless_it_is_still_short() -> None:
    assert cliffs([CELL, replace(CELL, workers=4, p99_ms=130.0)]) == [
        "1 workers, 5 symbols -> 4, 5: p99 rises from 30.0 to 130.0 ms"
    ]
    assert cliffs([replace(CELL, p99_ms=5.0), replace(CELL, workers=4, p99_ms=39.0)]) == []


def test_load_that_jumps_is_a_cliff() -> None:
    assert cliffs([CELL, replace(CELL, symbols=50, postgres_cores=0.5)]) == [
        "1 workers, 5 symbols -> 1, 50: PostgreSQL's load rises from 0.100 to 0.500 cores"
    ]


def test_file_and_table_hold_every_cell() -> None:
    document = json.loads(json.dumps(as_json("here", grid())))

    assert len(document["cells"]) == 9
    assert document["cliffs"] == []
    assert len(as_table(grid()).splitlines()) == 10


def test_only_the_cells_below_a_cliff_are_suspected() -> None:
    cells = grid()
    cells[4] = replace(cells[4], throughput=50_000)

    assert suspects(cells) == [cells[4]]
    assert suspects(grid()) == []


def test_the_run_that_was_disturbed_less_is_kept() -> None:
    disturbed = replace(CELL, throughput=60_000, p99_ms=200.0)

    assert better(disturbed, CELL) is CELL
    assert better(CELL, disturbed) is CELL
