"""What alerting itself stands on: Prometheus, its rules, the channels, the person."""

import re
import time
from typing import Final

from nightdesk.errors import UnavailableError
from tests.channel_server import hang, status
from tests.night.configuration import SECOND_STEP_S
from tests.night.incidents.incident import Harm
from tests.night.scene import Scene

UNREACHABLE_S: Final = 60.0
"""``watch.unreachable_after``."""

HANG_S: Final = 40.0
REFUSED_LIMIT_S: Final = 60.0
ANSWERING_S: Final = 15.0
"""Receipts are asked about every ten seconds."""

LOSING: Final = "momentum lost 4.2 % of its money within a minute"
FLAT: Final = "momentum cannot close its position in BTCUSDT"


def prometheus_gone(scene: Scene) -> Harm:
    """SIGKILL Prometheus and keep it down."""
    killed_s = scene.stack.hold_down("prometheus")
    return Harm(condition_s=killed_s + UNREACHABLE_S)


def rules_gone(scene: Scene) -> Harm:
    """Prometheus is reloaded with a configuration that has lost its rules; they were evaluated a moment ago."""
    (evaluated,) = scene.stack.ask_prometheus('timestamp(ALERTS{alertname="Watchdog"})')
    scene.stack.take_rules_away()
    return Harm(condition_s=float(evaluated["value"][1]) + UNREACHABLE_S)


def strategy_loses(scene: Scene) -> Harm:
    """A strategy posts something critical, and nobody looks at Slack."""
    at_s = scene.post(LOSING, "It was stopped, its position stays open.", strategy="momentum")
    return Harm(condition_s=at_s)


def nobody_looks(scene: Scene) -> Harm:
    """Wait for the first word of it; the second step is due so long after that. Then answer the phone."""
    first = scene.wait_told(re.compile(re.escape(LOSING)), from_s=0.0, limit_s=REFUSED_LIMIT_S)
    if first is None:
        raise UnavailableError("the strategy's message did not arrive")
    return Harm(condition_s=first.at_s + SECOND_STEP_S, mend=lambda: _answer(scene))


def slack_hangs(scene: Scene) -> Harm:
    """Slack takes connections and says nothing; a strategy posts something critical."""
    mend = scene.mail.fail_slack(hang(HANG_S))
    return Harm(condition_s=scene.post(FLAT, "The exchange refuses its orders.", strategy="momentum"), mend=mend)


def slack_gone(scene: Scene) -> Harm:
    """Slack's webhook is gone, and the machine has no memory left."""
    mend_slack = scene.mail.fail_slack(status(404, b"no_service"))
    condition_s = scene.understudy.memory(0.03)

    def mend() -> None:
        scene.understudy.memory(0.5)
        mend_slack()

    return Harm(condition_s=condition_s, mend=mend)


def webhook_refused(scene: Scene) -> Harm:
    """Look on while Slack refuses a message for good."""
    from_s = time.time()
    refused = [0.0]

    def happened() -> bool:
        refused[:] = [one.at_s for one in scene.mail.told() if one.at_s > from_s and not one.is_delivered][:1]
        return bool(refused)

    if not scene.wait_for(happened, REFUSED_LIMIT_S):
        raise UnavailableError("Slack was not asked")
    return Harm(condition_s=refused[0])


def _answer(scene: Scene) -> None:
    scene.mail.answer_phone()
    scene.pause(ANSWERING_S)
    scene.mail.leave_phone()
