"""The description of the api, as programs and the docs page read it."""

from typing import Any, Final

from nightdesk import problems

TITLE: Final = "Nightdesk"
SUMMARY: Final = "What the desk has collected, and how it is."
DESCRIPTION: Final = """Market data as it was committed: symbols, last ticks, bars, and the ledger of
what was not received; and what is wrong, who was told of it, and how to say that somebody looks after it.

Times are UTC. Prices and sizes are in the feed's own units. Once `API_TOKEN` is set, everything but health and metrics
takes `Authorization: Bearer <API_TOKEN>`; from outside, through the proxy, it always does.
Every error is a problem document (RFC 9457) that names the fields at fault.
"""
TAGS: Final = [
    {"name": "health", "description": "How everything is. Open to all, quick whatever is down."},
    {"name": "ticks", "description": "Symbols and their last ticks."},
    {"name": "bars", "description": "Open, high, low, close and volume from 1 minute to 1 day."},
    {"name": "gaps", "description": "What was not received, why, and what became of it."},
    {"name": "runs", "description": "What was to run, what became of it; starting a job."},
    {
        "name": "orders",
        "description": "Instruments, traders and orders: recording them, by JSON or CSV, and looking them up.",
    },
    {"name": "alerts", "description": "What fires and what fired, who was told; acknowledging and silencing."},
    {"name": "reports", "description": "A day, a week: whether it was good, and why; as a page, as JSON and as text."},
]
LINKS: Final[dict[tuple[str, str, str], dict[str, Any]]] = {
    ("/symbols", "get", "200"): {
        name: {
            "operationId": name,
            "parameters": {"feed": "$response.body#/symbols/0/feed", "symbol": "$response.body#/symbols/0/symbol"},
            "description": f"{what} of a symbol that was found",
        }
        for name, what in (("bars", "bars"), ("latest", "last ticks"), ("gaps", "gaps"))
    },
    ("/gaps", "get", "200"): {
        "older": {
            "operationId": "gaps",
            "parameters": {"before": "$response.body#/next"},
            "description": "the next page, where there is one",
        }
    },
    ("/alerts", "get", "200"): {
        name: {
            "operationId": name,
            "parameters": {"alert_id": "$response.body#/alerts/0/alert_id"},
            "description": f"{what} an alert that was found",
        }
        for name, what in (("alert", "history of"), ("acknowledge", "acknowledge"))
    },
    ("/reports/logs/{day}", "get", "200"): {
        "error_lines": {
            "operationId": "error_lines",
            "parameters": {
                "day": "$response.body#/day",
                "fingerprint": "$response.body#/errors/0/fingerprint",
            },
            "description": "the lines of an error that was found",
        }
    },
    ("/runs", "get", "200"): {
        "run": {
            "operationId": "run",
            "parameters": {"run_id": "$response.body#/runs/0/run_id"},
            "description": "one of them",
        }
    },
    ("/runs", "post", "202"): {
        "started": {
            "operationId": "run",
            "parameters": {"run_id": "$response.body#/run_id"},
            "description": "how it goes",
        }
    },
    ("/orders", "get", "200"): {
        "older": {
            "operationId": "orders",
            "parameters": {"before": "$response.body#/next"},
            "description": "the next page, where there is one",
        }
    },
    ("/instruments", "get", "200"): {
        "of_it": {
            "operationId": "orders",
            "parameters": {"symbol": "$response.body#/instruments/0/symbol"},
            "description": "orders of an instrument that was found",
        }
    },
    ("/traders", "get", "200"): {
        "of_them": {
            "operationId": "orders",
            "parameters": {"trader": "$response.body#/traders/0/name"},
            "description": "orders of a trader that was found",
        }
    },
    ("/silences", "post", "201"): {
        "end": {
            "operationId": "end_silence",
            "parameters": {"silence_id": "$response.body#/silence_id"},
            "description": "end it",
        }
    },
}
"""What one answer is good for, by path, method and status: programs and tests follow it."""

WHY: Final = {
    "401": "no token, or not the token",
    "403": "sent by another site's page",
    "404": "no such symbol",
    "422": "a parameter is wrong; `errors` names each",
    "429": "too many wrong tokens from outside; `Retry-After` says for how long",
    "503": "what knows the answer (the database, the alerter or the scheduler) does not answer; try again later",
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with every error as a problem document and the token where it is taken."""
    problems.described(schema)
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "API_TOKEN, when one is set"}
    }
    for (path, method, status), links in LINKS.items():
        schema["paths"][path][method]["responses"][status]["links"] = links
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return schema


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "health" in operation.get("tags", []):
        if operation.get("parameters"):
            responses["422"] = _problem("422")
        return
    operation["security"] = [{"token": []}, {}]
    for status in ("401", "422", "429", "503", *(["403"] if method != "get" else [])):
        responses[status] = _problem(status)
    if path == "/bars":
        responses["404"] = _problem("404")


def _problem(status: str) -> dict[str, Any]:
    return {"description": WHY[status], "content": problems.CONTENT}
