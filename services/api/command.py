"""What a person asks the api from the command line: ``python -m services.api.command report 2026-11-01 2026-11-28``.

It asks the api that listens on this machine's (or this container's) API_PORT, with API_TOKEN where one is set.
``make report`` and ``make import`` call it.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlencode

import requests
from pydantic import Field, SecretStr

from nightdesk import outbound
from nightdesk.errors import NightdeskError, UnavailableError
from nightdesk.orders.kinds import KINDS
from nightdesk.settings import Settings, load

BOUNDS: Final = outbound.Bounds(timeout_s=(3.05, 300.0), deadline_s=600.0)
"""A large file waits for its answer until all of it is recorded."""


class RefusedError(NightdeskError):
    """The api understood and says no; the text says why."""


class CommandSettings(Settings):
    """Where the api is, and what it asks for."""

    api_port: int = Field(8000, ge=0, le=65535, description="port of the api")
    api_token: SecretStr | None = Field(None, description="bearer token of the api")


def main(arguments: Sequence[str], environ: Mapping[str, str], call: outbound.Call, given: Callable[[], bytes]) -> str:
    """Do what the arguments say and return what to print; ``given`` reads the file of an import.

    Raises NightdeskError, and SystemExit for arguments that make no sense.
    """
    chosen = _parser().parse_args(arguments)
    settings = load(CommandSettings, environ)
    if chosen.command == "report":
        period = {"from": chosen.first, "to": chosen.last, "format": "text"}
        query = urlencode({name: value for name, value in period.items() if value})
        return ask(call, settings, "GET", f"/reports/trades?{query}", None).rstrip("\n")
    create = "?create=yes" if chosen.create else ""
    counts = json.loads(ask(call, settings, "POST", f"/{chosen.kind}{create}", given()))
    said = ", ".join(f"{counts[name]:,} {name}" for name in ("added", "changed", "unchanged"))
    return f"{counts['received']:,} {chosen.kind}: {said}"


def ask(call: outbound.Call, settings: CommandSettings, method: str, path: str, file: bytes | None) -> str:
    """Return the api's answer; raises UnavailableError, or RefusedError with its reasons."""
    where = f"127.0.0.1:{settings.api_port}"
    headers = {} if file is None else {"Content-Type": "text/csv"}
    if settings.api_token is not None:
        headers["Authorization"] = f"Bearer {settings.api_token.get_secret_value()}"
    try:
        answer = call(method, f"http://{where}{path}", headers, file)
    except requests.RequestException as error:
        raise UnavailableError(f"no api answers on {where}; make up starts it") from error
    text = answer.content.decode("utf-8", "replace")
    if answer.status_code >= 400:
        raise RefusedError(reasons(text) or f"the api answers {answer.status_code}")
    return text


def reasons(text: str) -> str:
    """Return what a problem document says, a line for each thing at fault; nothing when it is none."""
    try:
        found = json.loads(text)
        lines = [f"  {one['place']}, {one['field']}: {one['detail']}" for one in found.get("errors", [])]
        return "\n".join([str(found["detail"]), *lines])
    except (ValueError, KeyError, AttributeError, TypeError):
        return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="services.api.command", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser("report", help="the trade report as text")
    report.add_argument("first", nargs="?", default="", help="the first day, as 2026-11-01")
    report.add_argument("last", nargs="?", default="", help="the last day, included")
    taking = commands.add_parser("import", help="record a file of CSV, which is read from the standard input")
    taking.add_argument("kind", choices=tuple(KINDS))
    taking.add_argument("--create", action="store_true", help="record unknown instruments and traders as well")
    return parser


def run() -> int:
    """Run this process's command; return its exit status."""
    try:
        said = main(sys.argv[1:], os.environ, partial(outbound.call, bounds=BOUNDS), sys.stdin.buffer.read)
    except NightdeskError as error:
        print(f"api: {error}", file=sys.stderr)  # noqa: T201  to the person who asked
        return 1
    print(said)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(run())
