"""The channels: how each is, and a test through every one."""

import asyncio

from fastapi import APIRouter, Request

from nightdesk.alerting import Channel, Channels
from services.alerter.models import Tested, TestedAll, tested
from services.alerter.wording import test_message

router = APIRouter(tags=["channels"])
tests = APIRouter(tags=["channels"])
"""Open to jobs as well: the preflight sends a test before the open. Whoever may post may reach the channels anyway."""


@router.get("/channels", summary="Which channels there are")
async def channels(request: Request) -> Channels:
    """Return every channel of the policy and how it is."""
    return Channels(channels=[_shown(request, name) for name in request.app.state.desk.policy.channels])


@tests.post("/test", summary="Send a test through every channel")
async def test(request: Request) -> TestedAll:
    """Send a test message through every configured channel at once, and return what each answered.

    It goes past policy and outbox; a channel that was left alone and delivers is used again.
    """
    state = request.app.state
    number = int(state.wall_s() * 1000)
    sent = [courier.test(test_message(number, name)) for name, courier in state.couriers.items()]
    attempts = await asyncio.gather(*sent)
    done = [tested(name, attempt) for name, attempt in zip(state.couriers, attempts, strict=True)]
    return TestedAll(channels=[*done, *(_not_configured(name, lacks) for name, lacks in state.roster.lacking.items())])


def _shown(request: Request, name: str) -> Channel:
    state = request.app.state
    kind = state.desk.policy.channels[name].kind
    waiting = state.outbox.queues().get(name)
    count = 0 if waiting is None else waiting.deliveries
    if name in state.roster.lacking:
        lacks = ", ".join(state.roster.lacking[name])
        return Channel(channel=name, kind=kind, state="not_configured", detail=f"not set: {lacks}", waiting=count)
    broken = state.roster.disabled.get(name)
    if broken is None:
        return Channel(channel=name, kind=kind, state="ready", detail="", waiting=count)
    detail = f"{broken.reason}; tried again in {state.roster.rests_s(name):.0f} s"
    return Channel(channel=name, kind=kind, state="resting", detail=detail, waiting=count)


def _not_configured(name: str, lacks: list[str]) -> Tested:
    return Tested(
        channel=name, outcome="not_configured", status=None, latency_s=0.0, detail=f"not set: {', '.join(lacks)}"
    )
