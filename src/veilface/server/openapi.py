"""The API's schema as files: JSON for the front end's generated types, Markdown for readers. Both deterministic."""

import json
from collections.abc import Iterator
from typing import Any

from veilface.server.api import DESCRIPTION, api
from veilface.server.wire import Json

WHO = {
    "SiteAccess": "session cookie",
    "ProgramAccess": "bearer token",
    "KioskAccess": "kiosk's bearer token",
}


FAILURE = {"$ref": "#/components/schemas/Failure"}


def document() -> str:
    """The OpenAPI document, keys sorted."""
    return json.dumps(schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def schema() -> Json:
    """The OpenAPI document as plain objects."""
    plain: Json = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/")))
    return plain


def reference() -> str:
    """docs/api.md."""
    content = schema()
    lines = ["# HTTP API", "", "Made from the code by `python -m veilface.server.manage openapi`. Do not edit.", ""]
    lines += [DESCRIPTION, "A running server shows the same at `/api/docs` and `/api/openapi.json`.", ""]
    for path, operations in content["paths"].items():
        for method, operation in operations.items():
            lines += _operation(f"{method.upper()} {path}", operation)
    lines += ["## Types", ""]
    for name, definition in sorted(content["components"]["schemas"].items()):
        lines += _definition(name, definition)
    return "\n".join(lines).rstrip() + "\n"


def _operation(title: str, operation: Json) -> Iterator[str]:
    yield from (f"## `{title}`", "", operation["description"], "")
    callers = sorted({WHO[name] for way in operation.get("security", ()) for name in way})
    yield f"- Who: {', '.join(callers) or 'anybody'}"
    for parameter in operation["parameters"]:
        yield f"- `{parameter['name']}` in the {parameter['in']}: {_type(parameter['schema'])}"
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"- Body: `{kind}`, {_type(body['schema'])}"
    refusals = [status for status, answer in operation["responses"].items() if "$ref" in answer]
    for status, answer in operation["responses"].items():
        if status in refusals:
            continue
        kinds = ", ".join(f"`{kind}` {_type(body['schema'])}" for kind, body in answer.get("content", {}).items())
        yield f"- {status}: {kinds or 'empty'}"
    yield f"- {', '.join(refusals)}: {_type(FAILURE)}"
    yield ""


def _definition(name: str, definition: Json) -> Iterator[str]:
    yield from (f"### {name}", "", definition.get("description", ""), "", "| field | type | |", "|---|---|---|")
    required = set(definition.get("required", ()))
    for field, content in definition.get("properties", {}).items():
        yield f"| `{field}` | {_type(content)} | {'' if field in required else 'optional'} |"
    yield ""


def _type(content: dict[str, Any]) -> str:
    if "$ref" in content:
        name = content["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in content:
        return " or ".join(_type(choice) for choice in content["anyOf"])
    if choices := content.get("enum", [content["const"]] if "const" in content else []):
        return " · ".join(f"`{value}`" for value in choices)
    if content.get("type") == "array":
        return f"list of {_type(content['items'])}"
    if content.get("format") == "binary":
        return f"{content['maxLength']:,} bytes"
    qualities = (content.get("type", "any"), content.get("contentEncoding"), content.get("format"))
    return ", ".join(quality for quality in qualities if quality) + _limits(content)


def _limits(content: dict[str, Any]) -> str:
    if "pattern" in content:
        return f" `{content['pattern']}`"
    names = {"minLength": "≥", "maxLength": "≤"}
    limits = [f"{sign} {content[name]}" for name, sign in names.items() if name in content]
    return f" ({', '.join(limits)})" if limits else ""
