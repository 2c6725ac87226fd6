from pathlib import Path

import pytest

from nightdesk.errors import ConfigurationError
from services.jobs.digest.config import LogsConfig, read_logs

ROOT = Path(__file__).resolve().parents[5]
SOURCE = "sources:\n  app:\n    paths: [app.log]\n"


def read(tmp_path: Path, text: str) -> LogsConfig:
    path = tmp_path / "logs.yaml"
    path.write_text(text, encoding="utf-8")
    return read_logs(path)


def problem(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    return str(caught.value).replace(str(tmp_path), "")


def test_the_file_that_comes_with_the_project_can_be_read() -> None:
    config = read_logs(ROOT / "config" / "logs.yaml")

    assert list(config.sources) == ["nightdesk", "demo"]
    assert ("collector.starting", "restart") in config.meanings()
    assert ("fetch.failed", "fetch_failed") in config.meanings()


def test_every_event_with_a_meaning_is_one_that_a_service_logs() -> None:
    """But for the demo's, whose name is made in the file itself."""
    config = read_logs(ROOT / "config" / "logs.yaml")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "services").rglob("*.py"))
    code += "".join(path.read_text(encoding="utf-8") for path in (ROOT / "nightdesk").rglob("*.py"))
    made = {event for source in config.sources.values() for event in source.events}

    assert [event for event, _ in config.meanings() if f'"{event}"' not in code and event not in made] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sources: {}\n", "logs.yaml:1: sources"),
        (SOURCE, "logs.yaml:3: sources.app: needs format: json or a pattern"),
        (SOURCE + "    format: xml\n", "logs.yaml:4: sources.app.format"),
        (SOURCE + "    format: json\n    pattern: x\n", "logs.yaml:5: sources.app.pattern: has no group time"),
        (SOURCE + "    pattern: '(?P<time>.*'\n", "logs.yaml:4: sources.app.pattern: is no regular expression"),
        (SOURCE + "    pattern: '(?P<time>.*)'\n", "logs.yaml:4: sources.app.pattern: has no group message"),
        (SOURCE + "    format: json\n    timezone: Mars/Olympus\n", "logs.yaml:5: sources.app.timezone: is no"),
        (SOURCE + "    format: json\n    silent_after: soon\n", "logs.yaml:5: sources.app.silent_after"),
        (SOURCE + "    format: json\n    events: {x.y: z}\n", "belong to a pattern"),
        (SOURCE + "    format: json\n    patern: x\n", "write pattern"),
        ("sources:\n  My App:\n    paths: [a]\n    format: json\n", "is no name"),
        (SOURCE + "    format: json\nrestarts: ['has blanks']\n", "logs.yaml:5: restarts"),
        (SOURCE + "    format: json\nfetches: {succeeded: [a.b], failed: [a.b]}\n", "those that succeeded as well"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problem(tmp_path, text)


def test_the_examples_that_are_commented_out_can_be_read_as_well(tmp_path: Path) -> None:
    text = (ROOT / "config" / "logs.yaml").read_text(encoding="utf-8")
    uncommented = text.replace("  # executor:", "  executor:").replace("  #   ", "    ")
    lines = [line for line in uncommented.splitlines() if "ERROR executor" not in line]

    config = read(tmp_path, "\n".join(lines))

    pattern = config.sources["executor"].pattern
    assert pattern is not None
    found = pattern.match("2026-04-15 07:00:03,120 ERROR executor: Request failed")
    assert found is not None
    assert found["time"] == "2026-04-15 07:00:03,120"
    assert found["level"] == "ERROR"
