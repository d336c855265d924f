"""The OpenAPI document: FastAPI's, with TensorFlow Serving's routes, which are answered before FastAPI, added."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from forecaster.serving.problems import PROBLEMS

__all__ = ["document"]

NAME = {"name": "model", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[^/:]+$"}}
NUMBER = {
    "name": "version", "in": "path", "required": True,
    "schema": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
}  # fmt: skip
LABEL = {
    "name": "label",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "enum": ["champion", "previous"]},
}
STRICT = {
    "name": "strict", "in": "query", "required": False, "schema": {"type": "boolean"},
    "description": "JSON as RFC 8259 knows it: null where a number is missing, both ways, instead of NaN",
}  # fmt: skip
VALUE: dict[str, Any] = {"description": "numbers or strings, nested as the signature's shapes say"}
REQUEST = {
    "type": "object",
    "properties": {
        "signature_name": {"type": "string"},
        "instances": {"type": "array", "minItems": 1},
        "inputs": VALUE,
    },
    "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
}
PREDICTION = {"type": "object", "properties": {"predictions": {"type": "array"}, "outputs": VALUE}}
STATUS = {
    "type": "object",
    "required": ["model_version_status"],
    "properties": {
        "model_version_status": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["version", "state", "status"],
                "properties": {
                    "version": {"type": "string"},
                    "state": {"enum": ["AVAILABLE", "END"]},
                    "status": {
                        "type": "object",
                        "properties": {"error_code": {"type": "string"}, "error_message": {"type": "string"}},
                    },
                },
            },
        }
    },
}
METADATA = {"type": "object", "required": ["model_spec", "metadata"]}


def document(application: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the whole server.

    Args:
        application: The inner application.
    """
    if application.openapi_schema is None:
        found = FastAPI.openapi(application)
        for methods in found["paths"].values():
            for operation in methods.values():
                operation["responses"].pop("422", None)  # answered as 400
        found["paths"].update(_served())
        application.openapi_schema = found
    return application.openapi_schema


def _served() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for which, parameters in (("", []), ("/versions/{version}", [NUMBER]), ("/labels/{label}", [LABEL])):
        base, names = f"/v1/models/{{model}}{which}", [NAME, *parameters]
        paths[base + ":predict"] = {"post": _operation("Predict", [*names, STRICT], PREDICTION, REQUEST)}
        paths[base] = {"get": _operation("Status of the versions", names, STATUS)}
        paths[base + "/metadata"] = {"get": _operation("Signatures", names, METADATA)}
    return paths


def _operation(
    summary: str, parameters: list[dict[str, Any]], answer: dict[str, Any], body: dict[str, Any] | None = None
) -> dict[str, Any]:
    problem = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[str, Any] = {
        "summary": summary,
        "tags": ["TensorFlow Serving"],
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "As TensorFlow Serving answers.",
                "content": {"application/json": {"schema": answer}},
            },
            **{
                str(status): {"description": told["description"], "content": problem}
                for status, told in PROBLEMS.items()
            },
        },
    }
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return told
