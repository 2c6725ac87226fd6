"""``make night``: ``python -m tests.night [--seed 7] [--keep]``."""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final

from deploy.local import machine
from deploy.local.stack import SOURCE
from nightdesk.errors import NightdeskError, UnavailableError
from tests.channel_server import ChannelServer
from tests.chaos.simulator import Simulator
from tests.night import configuration, judging, report
from tests.night.disguise import Clock
from tests.night.incidents import INCIDENTS
from tests.night.judging import Verdict
from tests.night.mailbox import Mailbox
from tests.night.quiet import Quiet, quiets
from tests.night.running import Happened, Running
from tests.night.scene import Scene
from tests.night.stack import Desk, desk
from tests.night.understudy import Understudy
from tests.night.week import Week

REPORT: Final = SOURCE / "build" / "night.json"
MESSAGES: Final = SOURCE / "build" / "night.messages.json"
LIMIT_S: Final = 20 * 60
"""Whatever hangs, the week is over by then."""

NOT_HERE: Final = 2
LEAST_FREE: Final = 0.16
LEAST_MEMORY: Final = 0.11
"""Below these the machine itself would rightly be told of, and nobody could say why."""

READY_LIMIT_S: Final = 60.0


def main(arguments: Sequence[str]) -> int:
    """Let the week happen; 0 when the goal is met."""
    options = _options(arguments)
    lacks = lacking()
    if lacks:
        print(lacks, file=sys.stderr)
        return NOT_HERE
    signal.alarm(LIMIT_S)
    print(f"seed {options.seed}; the week takes {Week().length_s / 60:.0f} minutes", file=sys.stderr)
    try:
        return week(options.seed, keep=options.keep)
    except NightdeskError as error:
        print(f"the week did not happen: {error}", file=sys.stderr)
        return 1


def week(seed: int, *, keep: bool) -> int:
    """Start everything, let the week happen, judge it, write the report; return the exit status."""
    clock: list[Clock] = []
    before = machine_now()
    with (
        ChannelServer() as server,
        Understudy(lambda wall_s: clock[0].simulated_s(wall_s) if clock else Week().simulated_s(0.0)) as understudy,
    ):
        mail = Mailbox(server)
        print("starting a desk of its own", file=sys.stderr)
        with desk(understudy=understudy.address, channels_url=server.url, seed=seed, keep=keep) as found:
            clock.append(found.clock)
            scene = Scene(
                stack=found.stack,
                simulator=Simulator(found.stack.url("simulator")),
                understudy=understudy,
                mail=mail,
                clock=found.clock,
            )
            happened, quiet = _happen(scene, seed)
            verdict = judging.judged(happened.cases, mail.told(), _day_of(found.clock), happened.problems)
            keep_messages(mail, found)
            write(
                verdict, found, happened, quiet, {"seed": seed, "machine": {"before": before, "after": machine_now()}}
            )
    print(report.table(verdict))
    print()
    for line in configuration.listed(found.changes):
        print(f"differs from production: {line}")
    print(report.summary(verdict))
    for line in verdict.problems:
        print(f"missed: {line}")
    return 1 if verdict.problems else 0


def _happen(scene: Scene, seed: int) -> tuple[Happened, list[Quiet]]:
    """Begin the week once everything works, and let it happen."""
    if not scene.wait_for(lambda: _is_watched(scene), READY_LIMIT_S):
        raise UnavailableError(f"the rules were not evaluated within {READY_LIMIT_S:.0f} s")
    scene.clock.begin(time.time())
    quiet = quiets(scene.clock.week)
    return Running(scene, INCIDENTS, quiet, seed).run(), quiet


def _is_watched(scene: Scene) -> bool:
    """Return whether the alerter knows what fires, and the store of every feed was seen."""
    return bool(scene.stack.ask_prometheus("ALERTS{alertname='Watchdog'}")) and bool(
        scene.stack.ask_prometheus("feed:nightdesk_store_moved:timestamp{feed='simulator'}")
    )


def write(verdict: Verdict, found: Desk, happened: Happened, quiet: Sequence[Quiet], others: dict[str, Any]) -> None:
    """Write ``build/night.json``."""
    shipped = {
        name: (SOURCE / name).read_text(encoding="utf-8")
        for name in ("prometheus/prometheus.yml", "config/alerts.yaml")
    }
    document = report.as_json(
        verdict,
        {
            **others,
            "week_real_s": found.clock.week.length_s,
            "intervals": configuration.intervals(*shipped.values()),
            "changed": [one._asdict() for one in found.changes],
            "market_hours": {"scrapes": happened.scrapes},
        },
        [one.as_json(verdict.false_pages, found.clock.passed_s) for one in quiet],
    )
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def keep_messages(mail: Mailbox, found: Desk) -> None:
    """Write down every message as it arrived, for whoever wonders about one, and what the alerter logged."""
    MESSAGES.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "passed_s": round(found.clock.passed_s(one.at_s), 1),
            "channel": one.channel,
            "delivered": one.is_delivered,
            "sign": one.sign.name.lower(),
            "title": one.title,
            "lines": one.lines,
        }
        for one in mail.told()
    ]
    MESSAGES.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    log = found.stack.layout.logs / "alerter.log"
    shutil.copyfile(log, MESSAGES.with_name("night.alerter.log"))


def lacking() -> str:
    """Return why the week cannot happen here; nothing when it can."""
    if machine.find_prometheus() is None:
        return "make night needs prometheus on PATH (on Debian: apt-get install prometheus)"
    usage = shutil.disk_usage(Path("/tmp"))
    shares = {"disk": (usage.free / usage.total, LEAST_FREE), "memory": (_available_memory(), LEAST_MEMORY)}
    for what, (share, least) in shares.items():
        if share < least:
            return f"only {share:.0%} of this machine's {what} is left, which would rightly be told all the week"
    return ""


def machine_now() -> dict[str, Any]:
    """Return what it runs on, and how busy that is."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 1),
        "load_5m": round(os.getloadavg()[1], 1),
    }


def _day_of(clock: Clock) -> Any:
    return lambda at_s: datetime.fromtimestamp(clock.simulated_s(at_s), UTC).date().isoformat()


def _available_memory() -> float:
    lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    sizes = {words[0].rstrip(":"): int(words[1]) for words in lines}
    return sizes["MemAvailable"] / sizes["MemTotal"]


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.night", description="A week of incidents in 17 minutes.")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the jitter and of the market")
    parser.add_argument("--keep", action="store_true", help="leave the desk's directory behind, with its logs")
    return parser.parse_args(arguments)


def _end(number: int, _frame: FrameType | None) -> None:
    """Leave through the ``finally`` clauses: the desk must not stay behind."""
    if number == signal.SIGALRM:
        print(f"given up after {LIMIT_S // 60} minutes", file=sys.stderr)
    raise SystemExit(130)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGALRM, _end)
    sys.exit(main(sys.argv[1:]))
