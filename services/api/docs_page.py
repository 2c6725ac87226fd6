"""The description of the api (OpenAPI) as people read it: what can be asked, how, with lines to paste. Pure."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

METHODS: Final = ("get", "post", "put", "patch", "delete")
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter, or one field of a body."""

    name: str
    place: str
    kind: str
    about: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing to ask; ``example`` is a line for a shell."""

    key: str
    method: str
    path: str
    summary: str
    about: Sequence[str]
    parameters: Sequence[Parameter]
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Operations of one kind."""

    name: str
    about: str
    operations: Sequence[Operation]


def read(schema: Mapping[str, Any], address: str) -> tuple[list[str], list[Group]]:
    """Return what the api says of itself in paragraphs, and its operations by group; ``address`` is in the examples."""
    groups = [
        Group(
            name=tag["name"],
            about=tag["description"],
            operations=list(_operations(schema, tag["name"], address)),
        )
        for tag in schema.get("tags", [])
    ]
    return _paragraphs(schema["info"]["description"]), [group for group in groups if group.operations]


def _operations(schema: Mapping[str, Any], tag: str, address: str) -> Iterator[Operation]:
    schemas = schema.get("components", {}).get("schemas", {})
    for path, methods in schema["paths"].items():
        for method in METHODS:
            operation = methods.get(method)
            if operation is None or tag not in operation.get("tags", []):
                continue
            body = _body(operation, schemas)
            yield Operation(
                key=operation["operationId"],
                method=method.upper(),
                path=path,
                summary=operation.get("summary", ""),
                about=_paragraphs(operation.get("description", "")),
                parameters=[
                    *(_parameter(one, schemas) for one in operation.get("parameters", [])),
                    *_fields(body, schemas),
                ],
                example=_example(method, path, operation, body, address),
            )


def _paragraphs(text: str) -> list[str]:
    plain = text.replace("`", "")
    return [" ".join(one.split()) for one in plain.split("\n\n") if one.strip()]


def _parameter(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=one["name"],
        place=one["in"],
        kind=kind_of(one["schema"], schemas),
        about=_about(one.get("description", ""), one["schema"]),
        required=bool(one.get("required")),
    )


def _fields(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> list[Parameter]:
    return [
        Parameter(
            name=name,
            place="body",
            kind=kind_of(field, schemas),
            about=_about(field.get("description", ""), field),
            required=name in body.get("required", []),
        )
        for name, field in body.get("properties", {}).items()
    ]


def _about(text: str, schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    return text.replace("`", "") + ("" if default in (None, {}, []) else f" (default {json.dumps(default)})")


def kind_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    """Return in words which values a parameter takes."""
    if "$ref" in schema:
        return kind_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        kinds = dict.fromkeys(kind_of(one, schemas) for one in schema["anyOf"] if one.get("type") != "null")
        return " or ".join(kinds)
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {kind_of(schema.get('items', {}), schemas)}"
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = "" if low is None or high is None else f" {low} to {high}"
    return f"{schema.get('format', schema.get('type', 'anything'))}{limits}"


def _body(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    given = content.get(JSON, {}).get("schema", {})
    if "anyOf" in given:
        given = given["anyOf"][0]
    return dict(schemas[given["$ref"].rpartition("/")[2]]) if "$ref" in given else given


def _example(method: str, path: str, operation: Mapping[str, Any], body: Mapping[str, Any], address: str) -> str:
    required = [one for one in operation.get("parameters", []) if one.get("required")]
    query = urlencode({one["name"]: _sample(one) for one in required if one["in"] == "query"})
    for one in required:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", quote(str(_sample(one)), safe=""))
    words = ["curl", *([] if method == "get" else ["-X", method.upper()])]
    line = " ".join(words)
    if "security" in operation:
        line += ' -H "Authorization: Bearer $API_TOKEN"'
    if operation.get("requestBody", {}).get("required") and body.get("properties"):
        sample = {name: _sample(body["properties"][name]) for name in body.get("required", [])}
        line += f" -H 'Content-Type: {JSON}' -d {shlex.quote(json.dumps(sample))}"
    return f"{line} {shlex.quote(address + path + (f'?{query}' if query else ''))}"


def _sample(one: Mapping[str, Any]) -> Any:  # noqa: ANN401  whatever JSON can say
    inside = one.get("schema", one)
    examples = inside.get("examples") or one.get("examples") or [""]
    return examples[0] if isinstance(examples, list) else next(iter(examples.values())).get("value", "")
