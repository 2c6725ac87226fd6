"""Alerts and what goes with them, as the alerter tells them."""

from typing import Any

AT = "2026-01-05T14:30:00Z"
LATER = "2026-01-05T14:47:30Z"


def an_alert(number: int = 12, **changes: Any) -> dict[str, Any]:
    return {
        "alert_id": number,
        "name": "SymbolSilent",
        "state": "firing",
        "tier": "critical",
        "source": "prometheus",
        "summary": "BTC-USD of coinbase is silent for 15 min",
        "description": "Its market is open, and nothing has come.",
        "last_good": "67,000.5 at 14:15",
        "runbook": "docs/runbooks/SymbolSilent.md",
        "labels": {"alertname": "SymbolSilent", "severity": "critical", "symbol": "BTC-USD", "pair": "a.b"},
        "started_at": AT,
        "ended_at": None,
        "told_at": AT,
        "acknowledged_at": None,
        "acknowledged_by": None,
        "note": None,
        "hidden": False,
        **changes,
    }


def an_attempt(**changes: Any) -> dict[str, Any]:
    return {
        "at": AT, "outcome": "delivered", "reason": "", "status": 200, "latency_s": 0.12, "detail": "", **changes,
    }  # fmt: skip


def a_delivery(*attempts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "channel": "slack-desk",
        "state": "delivered",
        "due_at": AT,
        "ended_at": AT,
        "attempts": list(attempts),
        **changes,
    }


def a_notification(*deliveries: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "notification_id": 5,
        "kind": "firing",
        "tier": "critical",
        "created_at": AT,
        "title": "BTC-USD is silent",
        "text": "What it means.",
        "facts": [["Since", "14:30"]],
        "items": ["one of two"],
        "deliveries": list(deliveries),
        **changes,
    }


def a_silence(**changes: Any) -> dict[str, Any]:
    return {
        "silence_id": 3,
        "match": {"alertname": "SymbolSilent", "symbol": "BTC.*"},
        "starts_at": AT,
        "ends_at": LATER,
        "by": "me",
        "reason": "maintenance",
        "active": True,
        **changes,
    }


def a_channel(state: str = "ready", **changes: Any) -> dict[str, Any]:
    return {"channel": "slack-desk", "kind": "slack", "state": state, "detail": "", "waiting": 0, **changes}
