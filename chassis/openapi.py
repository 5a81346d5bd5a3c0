"""The OpenAPI 3.1 document: made of routes, annotations and docstrings, so that it says nothing else than the code.

Beside the standard it says what tests are generated from: ``x-roles`` (who may call), ``x-public`` (no token),
``x-party-scoped`` (a thing of another party is 404 here, and lists do not hold it), ``x-command``, ``x-service``, and
``x-dialect``, where a protocol of others says what answers and problems look like.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from chassis.edge import method_of
from chassis.http import Route, bare_app, routes_of
from chassis.service import Service
from chassis.values import describe_wire
from chassis.wire import PROBLEM_JSON, Dialect, Pairs, Reply

VERSION = "3.1.0"
IDENTIFIER = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_.:\\-]+$"}
PROBLEM = {
    "title": "Problem",
    "description": "A problem document (RFC 9457). `field` is the JSON path of the member that is at fault.",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "field": {"type": "string"},
    },
}
REASONS = {
    "401": "There is no valid token.",
    "403": "The caller's roles do not allow it.",
    "404": "There is no such thing, or the caller may not see it.",
    "409": "The state of things does not allow it.",
    "413": "The body is too large.",
    "415": "The body is of another media type.",
    "422": "The request is not valid.",
    "428": "The Idempotency-Key is missing.",
    "429": "There were too many requests.",
    "503": "Try again after a moment.",
}


@dataclass(frozen=True)
class Operation:
    """A route as the document tells it."""

    service: str
    endpoint: str
    path: str
    method: str
    route: Route
    dialect: Dialect
    converters: dict[str, str]


def list_operations(services: Iterable[Service]) -> list[Operation]:
    """Every route of some services, by path and method."""
    operations = [
        Operation(
            service=service.name,
            endpoint=rule.endpoint,
            path=re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule),
            method=method_of(rule),
            route=route,
            dialect=dialect,
            converters={name: type(converter).__name__ for name, converter in rule._converters.items()},
        )
        for service in services
        for rule, route, dialect in routes_of(bare_app(service.name, service.blueprints))
    ]
    return sorted(operations, key=lambda operation: (operation.path, operation.method))


def write_document(services: Iterable[Service], *, version: str, server: str = "/") -> dict[str, Any]:
    """The OpenAPI document of some services as one.

    A field whose default msgspec cannot write (an ``Exact``) makes that default in a ``default_factory`` and says it by
    ``Meta(extra_json_schema={"default": …})``. Raises TypeError otherwise.
    """
    operations = list_operations(services)
    kinds = [kind for operation in operations for kind in _kinds(operation)]
    schemas, components = msgspec.json.schema_components(
        kinds, schema_hook=describe_wire, ref_template="#/components/schemas/{name}"
    )
    # Annotations that are equal are one schema; unhashable ones do not occur among structs.
    known = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, known, components)
    return {
        "openapi": VERSION,
        "info": {"title": "Haihe", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": PROBLEM},
            "responses": {f"Problem{status}": _describe_refusal(reason) for status, reason in REASONS.items()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _kinds(operation: Operation) -> list[Any]:
    signature = operation.route.signature
    body = None if signature.body is bytes else signature.body
    view = None if operation.route.gives or signature.view is Reply else signature.view
    params = None if signature.params == Pairs else signature.params
    return [kind for kind in (body, params, view) if kind is not None]


def _describe(operation: Operation, known: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    route, signature = operation.route, operation.route.signature
    words = inspect.getdoc(route.function) or ""
    summary, _, rest = words.partition("\n")
    described: dict[str, Any] = {
        "operationId": operation.endpoint.replace(".", "_"),
        "tags": [operation.service],
        "summary": summary,
        "x-service": operation.service,
        "x-command": route.is_command,
        "x-public": route.public,
        "x-party-scoped": not (route.public or route.shared),
        "x-roles": sorted(route.roles),
        "security": [] if route.public else [{"token": []}],
        "parameters": _parameters(operation, known, components),
        "responses": _responses(operation, known),
    }
    if operation.dialect.rename is not None:
        described["x-dialect"] = operation.dialect.prefix
    if rest.strip():
        described["description"] = rest.strip()
    if signature.body is not None:
        schema = {} if signature.body is bytes else known[repr(signature.body)]
        media_types = route.accept or operation.dialect.accept
        described["requestBody"] = {"required": True, "content": dict.fromkeys(media_types, {"schema": schema})}
        described["x-max-bytes"] = route.max_bytes
    return described


def _parameters(operation: Operation, known: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    signature, parameters = operation.route.signature, []
    for name in re.findall(r"{([^}]+)}", operation.path):
        number = operation.converters[name] == "IntegerConverter"
        of_text = {"type": "string", "minLength": 1} if operation.converters[name] == "PathConverter" else IDENTIFIER
        schema = {"type": "integer", "minimum": 0} if number else of_text
        parameters.append({"name": name, "in": "path", "required": True, "schema": schema})
    if signature.params not in (None, Pairs):
        component = components[known[repr(signature.params)]["$ref"].rpartition("/")[2]]
        for name, schema in component.get("properties", {}).items():
            required = name in component.get("required", ())
            style = {"style": "deepObject", "explode": True} if schema.get("type") == "object" else {}
            parameters.append({"name": name, "in": "query", "required": required, "schema": schema, **style})
    if operation.route.idempotent:
        schema = {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"}
        parameters.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    return parameters


def _responses(operation: Operation, known: dict[str, Any]) -> dict[str, Any]:
    route, signature = operation.route, operation.route.signature
    if signature.view is None:
        status = 204 if route.status == 200 else route.status
        responses: dict[str, Any] = {str(status): {"description": "Done."}}
    elif signature.view is Reply:
        content = {kind: {} for kind in operation.dialect.gives}
        responses = {str(route.status): {"description": "Done.", "content": content}}
    elif route.gives:
        responses = {"200": {"description": "The document.", "content": {kind: {} for kind in route.gives}}}
    else:
        content = {operation.dialect.media_type: {"schema": known[repr(signature.view)]}}
        responses = {str(route.status): {"description": "Done.", "content": content}}
    own_words = operation.dialect.problem_media_type
    for status in _refusals(route):
        if own_words == PROBLEM_JSON:
            responses[status] = {"$ref": f"#/components/responses/Problem{status}"}
        else:
            responses[status] = {"description": REASONS[status], "content": {own_words: {}}}
    return responses


def _describe_refusal(reason: str) -> dict[str, Any]:
    return {"description": reason, "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _refusals(route: Route) -> list[str]:
    statuses = {"404", "422", "503"}
    if not route.public:
        statuses |= {"401", "403"}
    else:
        statuses |= {"401", "429"} if route.is_command else set()
    if route.is_command:
        statuses |= {"409", "413"}
    if route.idempotent:
        statuses.add("428")
    if route.signature.body is not None:
        statuses.add("415")
    return sorted(statuses)
