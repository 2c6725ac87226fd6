"""The schedule's file: what it says, and that whatever is wrong is named with its line and its mend."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.configuration import wrong_jobs
from nightdesk.errors import ConfigurationError
from nightdesk.schedule_config import CatchUp, Edge, Schedule, SessionTime, read_schedule

SHIPPED = Path(__file__).parents[3] / "config" / "schedule.yaml"

CHAIN = """\
jobs:
  scan:
    cron: "0 7 * * mon-fri"
    timezone: America/New_York
    grace: 1h
  report:
    run: make_report
    after: [scan]
  mail:
    after: [scan, report]
  close:
    at: XNYS close + 30m
    retry: {attempts: 5, backoff: 2m}
    args: {symbols: [A.US], days: 3}
  fill:
    on: gap
    settle: 10s
"""
ONE = "jobs:\n  scan:\n    {}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "schedule.yaml"


def written(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


def problems(file: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_schedule(written(file, text))
    return str(caught.value).splitlines()


def test_a_line_and_its_defaults_are_read(file: Path) -> None:
    jobs = read_schedule(written(file, CHAIN)).jobs

    assert jobs["scan"].grace == 3600.0
    assert (jobs["scan"].catch_up, jobs["scan"].max_age, jobs["scan"].timeout) == (CatchUp.LATEST, 86_400.0, 600.0)
    assert (jobs["close"].retry.attempts, jobs["close"].retry.backoff) == (5, 120.0)
    assert (jobs["scan"].retry.attempts, jobs["scan"].retry.backoff) == (3, 30.0)
    assert jobs["close"].at == SessionTime(calendar="XNYS", edge=Edge.CLOSE, offset_s=1800.0)
    assert jobs["fill"].settle == 10.0


def test_an_entry_is_the_file_of_its_name_unless_it_says_which(file: Path) -> None:
    jobs = read_schedule(written(file, CHAIN)).jobs

    assert jobs["scan"].task("scan") == "scan"
    assert jobs["report"].task("report") == "make_report"


def test_a_chain_has_one_root_and_an_order(file: Path) -> None:
    schedule = read_schedule(written(file, CHAIN))

    assert {schedule.root(name) for name in ("scan", "report", "mail")} == {"scan"}
    assert schedule.followers("scan") == ["report", "mail"]
    assert schedule.followers("close") == []


def test_a_chain_is_ordered_however_it_is_written(file: Path) -> None:
    text = "jobs:\n  c: {after: [b, a]}\n  b: {after: [a]}\n  a: {on: gap}\n"

    assert read_schedule(written(file, text)).followers("a") == ["b", "c"]


@pytest.mark.parametrize(
    ("text", "edge", "offset_s"),
    [
        ("XLON open", Edge.OPEN, 0.0),
        ("XLON open - 1h", Edge.OPEN, -3600.0),
        ("XLON   close+90s", Edge.CLOSE, 90.0),
        (" XLON close + 1.5h ", Edge.CLOSE, 5400.0),
    ],
)
def test_a_time_of_a_session_is_read(file: Path, text: str, edge: Edge, offset_s: float) -> None:
    entry = read_schedule(written(file, ONE.format(f'at: "{text}"'))).jobs["scan"]

    assert entry.at == SessionTime(calendar="XLON", edge=edge, offset_s=offset_s)


CRON = 'cron: "0 7 * * *"\n    timezone: UTC\n    '

WRONG = [
    ("{}", 3, "jobs.scan", "give it cron and timezone"),
    ("run: Scan", 3, "jobs.scan.run", "small letters"),
    ("run: ../secret", 3, "jobs.scan.run", "small letters"),
    ('cron: "0 7 * * *"', 3, "jobs.scan", "write for example timezone: America/New_York"),
    ("timezone: UTC", 3, "jobs.scan", "give it cron"),
    ("on: gap\n    timezone: UTC", 3, "jobs.scan", "remove it"),
    ("on: gap\n    first: true", 3, "jobs.scan", "remove it"),
    ('at: XNYS open\n    cron: "0 7 * * *"\n    timezone: UTC', 3, "jobs.scan", "cron and at; keep one of them"),
    ('on: request\n    cron: "0 7 * * *"\n    timezone: UTC', 3, "jobs.scan", "cron and on; keep one of them"),
    ("on: gap\n    after: [scan]", 3, "jobs.scan", "on and after; keep one of them"),
    (CRON + "colour: red", 5, "jobs.scan.colour", ""),
    ("timezone: Mars/Base\n    " + 'cron: "0 7 * * *"', 3, "jobs.scan.timezone", "America/New_York, Europe/London"),
    ("timezone: ../UTC\n    " + 'cron: "0 7 * * *"', 3, "jobs.scan.timezone", "America/New_York, Europe/London"),
    ('timezone: UTC\n    cron: "61 7 * * *"', 4, "jobs.scan.cron", "0 7 * * mon-fri"),
    ('timezone: UTC\n    cron: "0 7 * *"', 4, "jobs.scan.cron", "0 7 * * mon-fri"),
    ('timezone: UTC\n    cron: "@daily"', 4, "jobs.scan.cron", "0 7 * * mon-fri"),
    ('timezone: UTC\n    cron: ""', 4, "jobs.scan.cron", "0 7 * * mon-fri"),
    ('timezone: UTC\n    cron: "0 0 7 * * mon-fri"', 4, "jobs.scan.cron", "minute hour day month weekday"),
    ('timezone: UTC\n    cron: "0 7 31 2 *"', 4, "jobs.scan.cron", ""),
    ('timezone: UTC\n    cron: "0 7 31 4,6,9,11 *"', 4, "jobs.scan.cron", ""),
    ("at: noon", 3, "jobs.scan.at", "XNYS close + 30m"),
    ("at: XNYS close + soon", 3, "jobs.scan.at", "90s, 15m, 4h or 2d"),
    ("at: XNYS close 30m", 3, "jobs.scan.at", "XNYS close + 30m"),
    ("at: XNYS close + 400d", 3, "jobs.scan.at", "longer than a year"),
    ("at: 24/7 open", 3, "jobs.scan.at", "use cron with timezone: UTC"),
    ("at: [XNYS, open]", 3, "jobs.scan.at", "XNYS close + 30m"),
    ("on: holiday", 3, "jobs.scan.on", "only when asked"),
    (CRON + "grace: 15", 5, "jobs.scan.grace", "90s, 15m, 4h or 2d"),
    (CRON + "grace: 0s", 5, "jobs.scan.grace", "as 15m"),
    (CRON + "grace: -1m", 5, "jobs.scan.grace", "90s, 15m, 4h or 2d"),
    (CRON + "catch_up: some", 5, "jobs.scan.catch_up", "'skip', 'latest' or 'all'"),
    (CRON + "max_age: never", 5, "jobs.scan.max_age", "90s, 15m, 4h or 2d"),
    (CRON + "timeout: 0s", 5, "jobs.scan.timeout", "as 10m"),
    (CRON + "settle: 2h", 5, "jobs.scan.settle", "as 30s"),
    (CRON + "severity: mild", 5, "jobs.scan.severity", "'warning' or 'critical'"),
    (CRON + "retry: {attempts: 0}", 5, "jobs.scan.retry.attempts", "1 is no retry"),
    (CRON + "retry: {attempts: 101}", 5, "jobs.scan.retry.attempts", "1 is no retry"),
    (CRON + "retry:\n      backoff: 0s", 6, "jobs.scan.retry.backoff", "as 30s"),
    (CRON + "retry: {tries: 3}", 5, "jobs.scan.retry.tries", ""),
    (CRON + "args: [1]", 5, "jobs.scan.args", "what the job takes"),
    (CRON + "first: perhaps", 5, "jobs.scan.first", ""),
    (CRON + "grace: 1m\n    grace: 2m", 6, "grace", "given twice"),
    ("after: scan", 3, "jobs.scan.after", ""),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "line", "field", "mend"), WRONG)
def test_a_mistake_is_named_with_its_line_and_its_mend(
    file: Path, entry: str, line: int, field: str, mend: str
) -> None:
    (problem,) = problems(file, ONE.format(entry))

    assert problem.startswith(f"{file}:{line}: {field}: ")
    assert mend in problem


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("jobs:\n  a: {after: [b]}\n", 2, "jobs.a.after: there is no entry 'b'"),
        ("jobs:\n  a: {after: [a]}\n", 2, "jobs.a.after: comes after itself in the end; break the circle"),
        ("jobs:\n  r: {on: gap}\n  a:\n    after: [r]\n  c: {after: [x]}\n", 5, "jobs.c.after: there is no entry 'x'"),
        ("jobs:\n  r: {on: gap}\n  s: {at: XNYS open}\n  a: {after: [r, s]}\n", 4, "must belong to one chain"),
        ("jobs:\n  r: {on: gap}\n  s: {at: XNYS open}\n  a: {after: [r]}\n  b: {after: [a, s]}\n", 5, "one chain"),
        ("jobs:\n  r: {on: request}\n  a: {after: [r]}\n", 3, "follows 'r', which runs only when asked"),
    ],
)
def test_a_wrong_chain_is_named(file: Path, text: str, line: int, words: str) -> None:
    (problem,) = problems(file, text)

    assert problem.startswith(f"{file}:{line}: ")
    assert words in problem


def test_everyone_in_a_circle_and_after_it_is_named(file: Path) -> None:
    found = problems(file, "jobs:\n  a: {after: [c]}\n  b: {after: [a]}\n  c: {after: [b]}\n  d: {on: gap}\n")

    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4"]
    assert all("break the circle" in problem for problem in found)


def test_what_follows_a_circle_is_no_endless_search(file: Path) -> None:
    found = problems(file, "jobs:\n  a: {after: [b]}\n  b: {after: [a]}\n  c: {after: [b]}\n")

    assert len(found) >= 2


@pytest.mark.parametrize("name", ["Scan", "1scan", "scan-it", "scan it", "a" * 64, "é"])
def test_a_name_that_is_none_is_named(file: Path, name: str) -> None:
    (problem,) = problems(file, f"jobs:\n  {name}: {{on: gap}}\n")

    assert f"{name!r} is no name; small letters, digits and _" in problem


@pytest.mark.parametrize("text", ["", "jobs: {}", "jobs: []", "jobs", "tasks: {}", "[", "jobs:\n  a: [", "\0"])
def test_a_file_that_is_no_schedule_is_named(file: Path, text: str) -> None:
    assert str(file) in problems(file, text)[0]


def test_mistakes_of_several_entries_are_named_at_once(file: Path) -> None:
    found = problems(file, "jobs:\n  a: {at: noon}\n  b: {on: gap, grace: 5}\n  c: {after: [b], timeout: x}\n")

    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4"]


def test_a_file_that_is_not_there_names_its_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set SCHEDULE_CONFIG"):
        read_schedule(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        ("run: no_such_job\n    on: request", 3, "there is no job 'no_such_job': no file services/jobs/no_such_job.py"),
        ("run: verify_data\n    at: XMOON open", 4, "there is no calendar 'XMOON'; use a name such as XNYS or XLON"),
        ("run: verify_data\n    on: request\n    args: {day: 1, colour: red}", 5, "colour: "),
        ("run: app\n    on: request", 3, "there is no job 'app'"),
    ],
)
def test_what_only_the_whole_desk_knows_is_named_too(file: Path, entry: str, line: int, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_schedule(written(file, ONE.format(entry)), also=wrong_jobs)

    first = str(caught.value).splitlines()
    assert any(problem.startswith(f"{file}:{line}: ") and words in problem for problem in first)


WORDS = st.sampled_from(
    [
        "jobs", "a", "b", "cron", "at", "after", "on", "gap", "request", "timezone", "UTC", "Asia/Tokyo", "XNYS open",
        "0 7 * * *", "0 0 29 2 *", "0 0 31 2 mon", "*/0 * * * *", "0 7 L * *", "0 7 * * 5#5", "0 7 * * 7L", "LW", "1m",
        "args", "retry", "attempts", "backoff", "settle", "grace", "true", "-1", "1e9", "٣ 7 * * *", "³ 7 * * *",
    ]
)  # fmt: skip
TREES = st.recursive(
    WORDS | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=4),
    max_leaves=12,
)
ENTRIES = st.fixed_dictionaries(
    {"jobs": st.dictionaries(st.sampled_from("abc"), st.dictionaries(WORDS, TREES, max_size=4), max_size=3)}
)
CRONS = st.text(alphabet="0123456789*/-,#LlWw smontue²٣\n", max_size=20)


def readable(file: Path, data: bytes) -> Schedule | None:
    file.write_bytes(data)
    try:
        return read_schedule(file)
    except ConfigurationError as error:
        assert str(file) in str(error)  # noqa: PT017  both outcomes are right
        return None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(text=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_text_crashes_it(file: Path, text: bytes) -> None:
    readable(file, text)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(tree=TREES | ENTRIES)
def test_no_tree_crashes_it(file: Path, tree: object) -> None:
    readable(file, yaml.safe_dump(tree, allow_unicode=True).encode())


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(line=CRONS, zone=st.sampled_from(["UTC", "Europe/London"]) | st.text(max_size=12))
def test_no_cron_line_crashes_it(file: Path, line: str, zone: str) -> None:
    tree = {"jobs": {"a": {"cron": line, "timezone": zone}}}
    schedule = readable(file, yaml.safe_dump(tree, allow_unicode=True).encode())

    assert schedule is None or schedule.jobs["a"].cron == line


def test_the_delivered_schedule_is_a_schedule() -> None:
    assert {"pre_market_scan", "preflight", "backfill_gaps", "verify_data"} <= set(read_schedule(SHIPPED).jobs)


def test_a_misspelt_field_is_named_with_the_one_that_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "schedule.yaml"
    file.write_text('jobs:\n  look:\n    cron: "0 9 * * *"\n    timezone: UTC\n    frist: true\n')

    with pytest.raises(ConfigurationError, match=r"schedule.yaml:5: jobs.look.frist: is no field here; write first"):
        read_schedule(file)
