from collections import Counter
from datetime import date

import pytest

from services.jobs.digest.config import read_logs
from services.jobs.digest.demo import SERVICES, Wish, lines_of
from services.jobs.digest.parsing import Line, parser
from tests.unit.services.jobs.digest.test_config import ROOT
from tests.unit.services.jobs.digest.test_parsing import NOW

DAY = date(2026, 11, 19)
CLEAN = Wish(lines=1000, malformed=0.0, seed=7)


def read(service: str, wish: Wish, days_before: int = 0) -> list[Line | str]:
    source = read_logs(ROOT / "config" / "logs.yaml").sources["demo"]
    parse = parser(source, "demo", NOW)
    return [parse(line.rstrip(b"\n")) for line in lines_of(service, DAY, days_before, wish)]


@pytest.mark.parametrize("service", SERVICES)
def test_the_lines_of_a_service_are_as_the_configuration_reads_them(service: str) -> None:
    found = read(service, CLEAN)

    assert all(isinstance(one, Line) and one.service == service for one in found)
    assert 800 < len(found) < 1250


@pytest.mark.parametrize("service", SERVICES)
def test_lines_are_in_the_order_of_their_times(service: str) -> None:
    times = [one.time_us for one in read(service, CLEAN) if isinstance(one, Line)]

    assert times == sorted(times)


def test_the_same_seed_says_the_same_and_another_something_else() -> None:
    first, again = (list(lines_of("risk-service", DAY, 0, CLEAN)) for _ in range(2))

    assert first == again
    assert first != list(lines_of("risk-service", DAY, 0, Wish(lines=1000, malformed=0.0, seed=8)))


def test_the_open_and_the_close_are_busier_than_the_night() -> None:
    hours = Counter(one.time_us // 3_600_000_000 % 24 for one in read("trade-engine", CLEAN) if isinstance(one, Line))

    assert min(hours[14], hours[20]) > 4 * max(hours[2], hours[5])


def test_the_day_has_errors_that_the_days_before_have_not() -> None:
    def templates(days_before: int) -> set[str]:
        found = (one for service in SERVICES for one in read(service, CLEAN, days_before))
        return {one.kinship.template for one in found if isinstance(one, Line) and one.kinship}

    assert {text.split(" ")[0] for text in templates(0) - templates(1)} == {"Margin", "Ledger"}
    assert {text.split(" ")[0] for text in templates(1) - templates(0)} == {"Acknowledgement"}


def test_some_lines_are_none_when_that_is_asked_for() -> None:
    found = read("auth-service", Wish(lines=5000, malformed=0.1, seed=7))
    refused = [one for one in found if isinstance(one, str)]

    assert 0.07 < len(refused) / len(found) < 0.13
    assert len(set(refused)) >= 2
