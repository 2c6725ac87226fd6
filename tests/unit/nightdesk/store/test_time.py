from nightdesk.store.time import DatabaseTime


class Clocks:
    wall_ns = 7_000
    monotonic_ns = 100


def test_until_the_database_says_it_the_time_is_the_workers_own() -> None:
    assert DatabaseTime(wall_ns=lambda: 7_000, monotonic_ns=lambda: 100).now_ns() == 7_000


def test_the_databases_time_goes_on_whatever_the_workers_clock_does() -> None:
    clocks = Clocks()
    time = DatabaseTime(wall_ns=lambda: clocks.wall_ns, monotonic_ns=lambda: clocks.monotonic_ns)
    time.said(50_000)
    clocks.wall_ns, clocks.monotonic_ns = 0, 130

    assert time.now_ns() == 50_030
