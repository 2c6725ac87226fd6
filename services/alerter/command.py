"""What a person asks the alerter from the command line: ``python -m services.alerter.command silences``.

It asks the alerter that listens on this machine's (or this container's) METRICS_PORT. ``make ack``, ``make silence``
and their kin call it.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

import requests
from pydantic import Field, SecretStr

from nightdesk import outbound
from nightdesk.durations import seconds
from nightdesk.errors import ConfigurationError, NightdeskError, UnavailableError
from nightdesk.matchers import read_matchers, written
from nightdesk.settings import Settings, load

BY: Final = "command line"
BOUNDS: Final = outbound.Bounds(timeout_s=(3.05, 90.0), deadline_s=120.0)
"""A test waits for every channel's answer, and each of them may take half a minute."""

NOT_CONFIGURED: Final = "not_configured"


class RefusedError(NightdeskError):
    """The alerter understood and says no; the text says why."""


class CommandSettings(Settings):
    """Where the alerter is, and what it asks for."""

    alerter_token: SecretStr = Field(description="bearer token of the alerter")


class Said(NamedTuple):
    """What is printed, and whether what was asked for came true."""

    text: str
    good: bool = True


Body: TypeAlias = dict[str, Any]
Ask: TypeAlias = Callable[[str, str, Body | None], Body]
"""Do one request, by method, path and body; return the answer. Raises NightdeskError."""


def main(arguments: Sequence[str], environ: Mapping[str, str], call: outbound.Call) -> Said:
    """Do what the arguments say; raises NightdeskError, and SystemExit for arguments that make no sense."""
    chosen = _parser().parse_args(arguments)
    settings = load(CommandSettings, environ)
    said: Said = chosen.run(partial(ask, call, settings), chosen)
    return said


def ask(call: outbound.Call, settings: CommandSettings, method: str, path: str, body: Body | None) -> Body:
    """Return the alerter's answer; raises UnavailableError, or RefusedError with its reason."""
    where = f"127.0.0.1:{settings.metrics_port}"
    headers = {"Authorization": f"Bearer {settings.alerter_token.get_secret_value()}"}
    sent = None if body is None else json.dumps(body).encode()
    if sent is not None:
        headers["Content-Type"] = "application/json"
    try:
        answer = call(method, f"http://{where}{path}", headers, sent)
        found: Body = json.loads(answer.content)
    except (requests.RequestException, ValueError) as error:
        raise UnavailableError(f"no alerter answers on {where}") from error
    if answer.status_code >= 400:
        raise RefusedError(str(found.get("detail", f"the alerter answers {answer.status_code}")))
    return found


def acknowledge(ask: Ask, chosen: argparse.Namespace) -> Said:
    """Acknowledge an alert and its group."""
    done = ask("POST", f"/alerts/{chosen.id}/ack", {"by": BY, "note": chosen.note})["alerts"]
    if not done:
        return Said(f"alert {chosen.id} is over or was acknowledged before; nothing changed")
    return Said("acknowledged: " + ", ".join(f"#{number}" for number in done))


def silence(ask: Ask, chosen: argparse.Namespace) -> Said:
    """Silence alerts for a while."""
    try:
        wanted = {"match": read_matchers(chosen.match), "seconds": seconds(chosen.length)}
    except ValueError as error:
        raise ConfigurationError(str(error)) from error
    made = ask("POST", "/silences", {**wanted, "by": BY, "reason": chosen.reason})
    return Said(f"silence {made['silence_id']} until {_minute(made['ends_at'])}: {written(made['match'])}")


def silences(ask: Ask, _chosen: argparse.Namespace) -> Said:
    """List the silences in force."""
    found = ask("GET", "/silences", None)["silences"]
    if not found:
        return Said("nothing is silenced")
    head = ("id", "until", "by", "matches", "reason")
    rows = [
        (str(one["silence_id"]), _minute(one["ends_at"]), one["by"], written(one["match"]), one["reason"])
        for one in found
    ]
    return Said(table([head, *rows]))


def unsilence(ask: Ask, chosen: argparse.Namespace) -> Said:
    """End a silence now."""
    ended = ask("DELETE", f"/silences/{chosen.id}", None)
    return Said(f"silence {ended['silence_id']} is over: {written(ended['match'])}")


def test(ask: Ask, _chosen: argparse.Namespace) -> Said:
    """Send a test through every channel that is configured."""
    found = ask("POST", "/test", None)["channels"]
    configured = [one for one in found if one["outcome"] != NOT_CONFIGURED]
    head = ("channel", "outcome", "status", "ms", "")
    rows = [_tested(one) for one in found]
    shown = table([head, *rows])
    if not configured:
        return Said(f"{shown}\nno channel is configured: nobody would be woken; .env.example says what to set")
    return Said(shown, good=all(one["outcome"] == "delivered" for one in configured))


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns, each as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _tested(one: Mapping[str, Any]) -> tuple[str, ...]:
    if one["outcome"] == NOT_CONFIGURED:
        return one["channel"], "not configured", "", "", one["detail"]
    status = "" if one["status"] is None else str(one["status"])
    return one["channel"], one["outcome"].replace("_", " "), status, f"{one['latency_s'] * 1000:.0f}", one["detail"]


def _minute(moment: str) -> str:
    return f"{moment[:10]} {moment[11:16]} UTC"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="alerter", description="Ask the alerter that runs here.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Callable[[Ask, argparse.Namespace], Said]) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        made.set_defaults(run=run)
        return made

    one = command("ack", acknowledge)
    one.add_argument("id", type=_number, help="number of the alert")
    one.add_argument("--note", default="", help="for the history")
    one = command("silence", silence)
    one.add_argument("match", help="label=pattern,label=pattern: all have to match")
    one.add_argument("length", help="how long, as 30m, 2h or 3d")
    one.add_argument("--reason", default="", help="why")
    command("silences", silences)
    command("unsilence", unsilence).add_argument("id", type=_number, help="number of the silence")
    command("test", test)
    return parser


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return int(text)


def run() -> int:
    """Run this process's command; return its exit status."""
    try:
        said = main(sys.argv[1:], os.environ, partial(outbound.call, bounds=BOUNDS))
    except NightdeskError as error:
        print(f"alerter: {error}", file=sys.stderr)  # noqa: T201  to the person who asked
        return 1
    print(said.text)  # noqa: T201
    return 0 if said.good else 1


if __name__ == "__main__":
    sys.exit(run())
