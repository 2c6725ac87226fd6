"""What holds for every kind of channel: its options, its secrets, how it is made, and that it keeps its secrets."""

import logging
import traceback
from typing import Any

import pytest
import requests
from pydantic import ConfigDict, TypeAdapter, ValidationError

from nightdesk.errors import ConfigurationError
from services.alerter.channel import LimitedError, Options, PermanentError, TransientError
from services.alerter.channels import CHANNELS, ChannelOptions, make, secret_variables
from services.alerter.messages import Kind
from tests.unit.services.alerter.channels.examples import (
    SECRETS,
    FakeAnswer,
    FakeApi,
    a_channel,
    a_message,
    answering,
)

KINDS = sorted(CHANNELS)
ANY: TypeAdapter[Options] = TypeAdapter(ChannelOptions, config=ConfigDict(hide_input_in_errors=True))


def test_the_familiar_variables_are_the_defaults() -> None:
    found = {kind: secret_variables(ANY.validate_python({"kind": kind})) for kind in KINDS}

    assert found == {
        "slack": {"webhook_url": "SLACK_WEBHOOK_URL"},
        "discord": {"webhook_url": "DISCORD_WEBHOOK_URL"},
        "telegram": {"bot_token": "TELEGRAM_BOT_TOKEN", "chat_id": "TELEGRAM_CHAT_ID"},
        "pushover": {"app_token": "PUSHOVER_APP_TOKEN", "user_key": "PUSHOVER_USER_KEY"},
        "pagerduty": {"routing_key": "PAGERDUTY_ROUTING_KEY"},
        "smtp": {"url": "SMTP_URL", "sender": "EMAIL_FROM", "recipients": "EMAIL_TO"},
        "webhook": {"url": "WEBHOOK_URL", "secret": "WEBHOOK_SECRET"},
        "apprise": {"urls": "APPRISE_URLS"},
    }


def test_two_of_a_kind_have_variables_of_their_own() -> None:
    options = ANY.validate_python({"kind": "slack", "webhook_url": "SLACK_PAGER_URL", "per_minute": "10"})

    assert secret_variables(options) == {"webhook_url": "SLACK_PAGER_URL"}
    assert options.per_minute == 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"kind": "slack", "webhook_url": "https://hooks.slack.com/services/T0/B0/sEcReT"},
            "write the variable's name, the secret itself does not belong in this file",
        ),
        (
            {"kind": "pagerduty", "routing_key": "R0SECRET123456789012345678901234"},
            "write the variable's name, the secret itself does not belong in this file",
        ),
        ({"kind": "slakc"}, "'slack', 'discord', 'telegram'"),
        ({"kind": "slack", "url": "SLACK_WEBHOOK_URL"}, "Extra inputs are not permitted"),
        ({"kind": "telegram", "api_url": "api.telegram.org"}, "is no address; write https://host"),
        ({"kind": "telegram", "api_url": "https://user:sEcReT@host"}, "is no address; write https://host"),
    ],
)
def test_options_that_make_no_sense_are_refused_with_what_to_write(options: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ANY.validate_python(options)
    assert said in str(refused.value)
    assert "secret123" not in str(refused.value).lower()
    assert "sEcReT" not in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_variable_that_is_missing_is_named(kind: str) -> None:
    options = CHANNELS[kind].options.model_validate({"kind": kind})

    with pytest.raises(ConfigurationError) as wrong:
        make(options, dict.fromkeys(secret_variables(options), ""))
    assert str(wrong.value) == "\n".join(f"{name}: is not set" for name in secret_variables(options).values())


@pytest.mark.parametrize(
    ("kind", "secrets", "variable"),
    [
        ("slack", {"webhook_url": "hooks.slack.com/sEcReT"}, "SLACK_WEBHOOK_URL"),
        ("slack", {"webhook_url": "ftp://hooks.slack.com/sEcReT"}, "SLACK_WEBHOOK_URL"),
        ("discord", {"webhook_url": "https:///sEcReT"}, "DISCORD_WEBHOOK_URL"),
        ("webhook", {"url": "https://*.example/sEcReT", "secret": "sEcReT"}, "WEBHOOK_URL"),
        ("telegram", {"bot_token": "sEcReT/../x", "chat_id": "1"}, "TELEGRAM_BOT_TOKEN"),
        ("smtp", {**SECRETS["smtp"], "url": "mail.example:sEcReT"}, "SMTP_URL"),
        ("smtp", {**SECRETS["smtp"], "sender": "sEcReT"}, "EMAIL_FROM"),
        ("smtp", {**SECRETS["smtp"], "recipients": "one@there.example, sEcReT"}, "EMAIL_TO"),
        ("apprise", {"urls": "sEcReT://nobody"}, "APPRISE_URLS"),
    ],
)
def test_a_secret_that_makes_no_sense_is_named_by_its_variable_and_not_shown(
    kind: str, secrets: dict[str, str], variable: str
) -> None:
    options = CHANNELS[kind].options.model_validate({"kind": kind})

    with pytest.raises(ConfigurationError) as wrong:
        make(options, secrets)
    assert str(wrong.value).startswith(f"{variable}: ")
    assert "sEcReT" not in everything_of(wrong.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_test_and_what_is_over_reach_every_channel(kind: str) -> None:
    assert {Kind.TEST, Kind.FIRING, Kind.ESCALATION, Kind.REPEAT, Kind.RESOLVED} <= a_channel(kind).takes


def test_only_pagerduty_is_told_that_somebody_acknowledged() -> None:
    assert [kind for kind in KINDS if Kind.ACKNOWLEDGED in a_channel(kind).takes] == ["pagerduty"]


# --- no secret comes out ---

ECHO = " ".join(value for secrets in SECRETS.values() for value in secrets.values()).encode()
FAILURES: dict[str, FakeAnswer | Exception] = {
    "200 without ok": FakeAnswer(200, ECHO),
    "300": FakeAnswer(302, ECHO, {"Location": SECRETS["slack"]["webhook_url"]}),
    **{str(status): FakeAnswer(status, ECHO) for status in (400, 401, 403, 404, 408, 410, 413, 429, 500, 503)},
    "telegram's refusal": FakeAnswer(200, b'{"ok":false,"error_code":403,"description":"' + ECHO + b'"}'),
    "timeout": requests.ReadTimeout(ECHO.decode()),
    "connection": requests.ConnectionError(ECHO.decode()),
    "reset": ConnectionResetError(ECHO.decode()),
}


def secret_parts(kind: str) -> list[str]:
    """Return what must not be found: the parts that look like secrets, and the whole."""
    values = SECRETS[kind].values()
    marked = [part for value in values for part in value.replace("?", "/").replace("@", "/").split("/")]
    return [*values, *(part for part in marked if part.lower().endswith(("secret", "secret@")))]


def everything_of(error: BaseException) -> str:
    """Return all that a handler or a log could show of an error, what it came from included."""
    told = [str(error), repr(error), repr(error.args), *traceback.format_exception(error)]
    context = error.__cause__ or error.__context__
    return "\n".join([*told, *([everything_of(context)] if context is not None else [])])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_no_failure_tells_a_secret(
    kind: str, failure: FakeAnswer | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    channel = a_channel(kind, answering(failure))
    told = [repr(channel), repr(channel.takes)]
    actions: list[Any] = [lambda: channel.send(a_message())]
    if kind == "pushover":
        actions += [lambda: channel.is_acknowledged("r1"), lambda: channel.cancel("r1")]  # type: ignore[attr-defined]
    for act in actions:
        try:
            told.append(repr(act()))
        except (PermanentError, LimitedError, TransientError) as error:
            told.append(everything_of(error))
    told += [record.getMessage() for record in caplog.records]

    for secret in secret_parts(kind):
        assert secret not in "\n".join(told)


def test_the_sweep_finds_a_secret_where_there_is_one() -> None:
    error = ConfigurationError("x")
    error.__context__ = requests.ConnectionError(SECRETS["slack"]["webhook_url"])

    assert any(secret in everything_of(error) for secret in secret_parts("slack"))


@pytest.mark.parametrize("kind", sorted({*CHANNELS} - {"smtp", "apprise"}))
def test_no_secret_is_where_a_message_shows(kind: str) -> None:
    fake = FakeApi([FakeAnswer(200, b'{"ok":true,"status":1}')])
    channel = a_channel(kind, fake)
    shown = repr(channel.payload(a_message()))  # type: ignore[attr-defined]

    hidden = {"pushover": ["token", "user"], "pagerduty": ["routing_key"], "telegram": ["chat_id"]}.get(kind, [])
    carried = [secret for secret in SECRETS[kind].values() if secret in shown]
    assert len(carried) == len(hidden)


@pytest.mark.parametrize("kind", ["smtp", "apprise"])
def test_libraries_of_others_are_kept_quiet(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1, logger="")
    logging.getLogger("apprise").setLevel(1)
    channel = a_channel(kind)
    with pytest.raises(TransientError):
        channel.send(a_message())

    assert [record for record in caplog.records if record.name.startswith(("apprise", "urllib3"))] == []
