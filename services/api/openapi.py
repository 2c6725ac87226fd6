"""The description of the api, as programs and the docs page read it."""

from typing import Any, Final

from nightdesk import problems

TITLE: Final = "Nightdesk"
SUMMARY: Final = "What the desk has collected, and how it is."
DESCRIPTION: Final = """Market data as it was committed: symbols, last ticks, bars, and the ledger of
what was not received.

Times are UTC. Prices and sizes are in the feed's own units. Once `API_TOKEN` is set, everything but health and metrics
takes `Authorization: Bearer <API_TOKEN>`. Every error is a problem document (RFC 9457) that names the fields at fault.
"""
TAGS: Final = [
    {"name": "health", "description": "How everything is. Open to all, quick whatever is down."},
    {"name": "ticks", "description": "Symbols and their last ticks."},
    {"name": "bars", "description": "Open, high, low, close and volume from 1 minute to 1 day."},
    {"name": "gaps", "description": "What was not received, why, and what became of it."},
]
LINKS: Final[dict[str, dict[str, Any]]] = {
    "/symbols": {
        name: {
            "operationId": name,
            "parameters": {"feed": "$response.body#/symbols/0/feed", "symbol": "$response.body#/symbols/0/symbol"},
            "description": f"{what} of a symbol that was found",
        }
        for name, what in (("bars", "bars"), ("latest", "last ticks"), ("gaps", "gaps"))
    },
    "/gaps": {
        "older": {
            "operationId": "gaps",
            "parameters": {"before": "$response.body#/next"},
            "description": "the next page, where there is one",
        }
    },
}
"""What one answer is good for: programs and tests follow it."""

WHY: Final = {
    "401": "no token, or not the token",
    "404": "no such symbol",
    "422": "a parameter is wrong; `errors` names each",
    "503": "the database does not answer; try again later",
}


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with every error as a problem document and the token where it is taken."""
    problems.described(schema)
    schema["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "API_TOKEN, when one is set"}
    }
    for path, links in LINKS.items():
        schema["paths"][path]["get"]["responses"]["200"]["links"] = links
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _complete(path, operation)
    return schema


def _complete(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    if "health" in operation.get("tags", []):
        if operation.get("parameters"):
            responses["422"] = _problem("422")
        return
    operation["security"] = [{"token": []}, {}]
    responses["401"] = _problem("401")
    responses["503"] = _problem("503")
    responses["422"] = _problem("422")
    if path == "/bars":
        responses["404"] = _problem("404")


def _problem(status: str) -> dict[str, Any]:
    return {"description": WHY[status], "content": problems.CONTENT}

