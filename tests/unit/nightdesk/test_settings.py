"""Settings are read once, checked all at once, and keep secrets to themselves."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from nightdesk.errors import ConfigurationError
from nightdesk.settings import MAX_SECRET_BYTES, Settings, load


class Desk(Settings):
    """A service's settings."""

    depth_levels: int = Field(10, ge=1, description="levels a side")
    feeds: str
    api_token: SecretStr | None = Field(None, description="the token")
    interval_s: float = Field(20.0, alias="HEARTBEAT_INTERVAL")


def test_a_variable_is_named_like_its_field_or_its_alias() -> None:
    settings = load(Desk, {"FEEDS": "simulator", "DEPTH_LEVELS": "5", "HEARTBEAT_INTERVAL": "2.5"})

    assert (settings.feeds, settings.depth_levels, settings.interval_s) == ("simulator", 5, 2.5)


def test_an_empty_variable_means_the_default() -> None:
    assert load(Desk, {"FEEDS": "simulator", "DEPTH_LEVELS": ""}).depth_levels == 10


def test_everything_wrong_or_missing_is_named_at_once_with_what_was_given() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Desk, {"DEPTH_LEVELS": "many", "LOG_FORMAT": "xml", "HEARTBEAT_INTERVAL": "soon"})

    text = str(caught.value)
    assert "DEPTH_LEVELS='many'" in text
    assert "levels a side" in text
    assert "FEEDS: Field required" in text
    assert "LOG_FORMAT='xml'" in text
    assert "HEARTBEAT_INTERVAL='soon'" in text


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    settings = load(Desk, {"FEEDS": "simulator", "API_TOKEN_FILE": str(tmp_path / "token")})

    assert settings.api_token is not None
    assert settings.api_token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


def test_a_secret_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="API_TOKEN: set it or API_TOKEN_FILE, not both"):
        load(Desk, {"FEEDS": "simulator", "API_TOKEN": "a", "API_TOKEN_FILE": "b"})


def test_a_secret_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigurationError, match="API_TOKEN_FILE: cannot read /nowhere"):
        load(Desk, {"FEEDS": "simulator", "API_TOKEN_FILE": "/nowhere"})


@pytest.mark.parametrize(
    ("content", "says"), [(b"\xff\xfe", "not UTF-8 text"), (b"x" * (MAX_SECRET_BYTES + 1), "larger than")]
)
def test_a_secret_file_that_holds_no_secret_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "token").write_bytes(content)

    with pytest.raises(ConfigurationError, match=f"API_TOKEN_FILE: .*{says}"):
        load(Desk, {"FEEDS": "simulator", "API_TOKEN_FILE": str(tmp_path / "token")})


def test_a_secret_file_without_an_end_is_refused_and_not_read_for_ever() -> None:
    with pytest.raises(ConfigurationError, match="larger than"):
        load(Desk, {"FEEDS": "simulator", "API_TOKEN_FILE": "/dev/zero"})


@pytest.mark.parametrize("variable", ["FEEDS", "API_TOKEN", "DEPTH_LEVELS"])
def test_a_value_that_is_no_text_is_named(variable: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{variable}: is not UTF-8 text"):
        load(Desk, {"FEEDS": "simulator", variable: "\udcff"})


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
def test_a_number_is_finite(value: str) -> None:
    with pytest.raises(ConfigurationError, match="HEARTBEAT_INTERVAL"):
        load(Desk, {"FEEDS": "simulator", "HEARTBEAT_INTERVAL": value})


def test_a_long_wrong_value_is_shown_in_short() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Desk, {"FEEDS": "simulator", "DEPTH_LEVELS": "9" * 100_000})
    assert len(str(caught.value)) < 1000


def test_a_wrong_secret_is_not_shown() -> None:
    class Strict(Settings):
        """A secret with a rule."""

        api_token: SecretStr = Field(min_length=20)

    with pytest.raises(ConfigurationError) as caught:
        load(Strict, {"API_TOKEN": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_what_is_no_secret_has_no_file() -> None:
    with pytest.raises(ConfigurationError, match="FEEDS: Field required"):
        load(Desk, {"FEEDS_FILE": "/etc/hostname"})
