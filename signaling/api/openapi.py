"""The machine-readable description of the API families: OpenAPI 3.1, from the models that check and render."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from signaling.api import Family, Operation

_REFERENCE = "#/components/schemas/{model}"


def describe(families: Sequence[Family], version: str) -> dict[str, Any]:
    """The whole document."""
    models = list(dict.fromkeys(model for family in families for model in _models(family)))
    keys, definitions = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    references = {model: keys[model, "validation"] for model in models}
    paths: dict[str, dict[str, Any]] = {}
    for family in families:
        for operation in family.operations:
            methods = paths.setdefault(operation.path, {})
            methods[operation.method.lower()] = _operation(family, operation, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Folkmoot", "version": version, "description": "Meetings in a browser, by REST."},
        "tags": [{"name": family.name, "description": family.title} for family in families],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {family.credential.name: dict(family.credential.scheme) for family in families},
        },
    }


def _models(family: Family) -> Iterator[type[BaseModel]]:
    """Those that are referred to; a query's parameters stand in the operation itself."""
    yield family.problem_model
    for operation in family.operations:
        if operation.answer is not None:
            yield operation.answer
        yield from (what for what in operation.answers.values() if isinstance(what, type))
        if operation.body is not None and not isinstance(operation.body, str):
            yield operation.body


def _operation(family: Family, operation: Operation, references: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [family.name],
        "operationId": operation.name or operation.handler.__name__,
        "summary": operation.summary,
        "security": [] if operation.public else [{family.credential.name: []}],
        "responses": _responses(family, operation, references),
    }
    if parameters := [*_path_parameters(operation), *_query_parameters(operation)]:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = _body(operation, operation.body, references)
    return described


def _responses(family: Family, operation: Operation, references: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    answers = {status: _content(what, references) for status, what in operation.answers.items()}
    if operation.answer is not None:
        one = references[operation.answer]
        content = _json({"type": "array", "items": one} if operation.many else one)
        answers[200] = {"content": content | answers.get(200, {}).get("content", {})}
    responses: dict[str, Any] = {str(status): {"description": "Done", **what} for status, what in answers.items()}
    problem = {family.problem_type: {"schema": references[family.problem_model]}}
    for status, when in sorted({**family.errors, **operation.errors}.items()):
        responses[str(status)] = {"description": when, "content": problem}
    return responses


def _body(
    operation: Operation, body: type[BaseModel] | str, references: Mapping[type[BaseModel], Any]
) -> dict[str, Any]:
    if isinstance(body, str):
        return {"required": True, **_content(body, references)}
    return {"required": False, "content": {each: {"schema": references[body]} for each in operation.body_types}}


def _content(what: type[BaseModel] | str | None, references: Mapping[type[BaseModel], Any]) -> dict[str, Any]:
    """What an answer or a body holds, if anything."""
    if what is None:
        return {}
    if isinstance(what, str):
        return {"content": {what: {"schema": {"type": "string"}}}}
    return {"content": _json(references[what])}


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name, meaning in (operation.path_parameters or {}).items():
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": meaning,
            "schema": {"type": "string", "minLength": 1},
        }


def _query_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    if operation.query is None:
        return
    schema = operation.query.model_json_schema()
    required = schema.get("required", ())
    for name, described in schema["properties"].items():
        plain = {key: value for key, value in described.items() if key not in ("title", "description")}
        parameter = {"name": name, "in": "query", "required": name in required, "schema": plain}
        if "description" in described:
            parameter["description"] = described["description"]
        yield parameter


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
