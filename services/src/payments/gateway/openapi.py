"""The OpenAPI 3.1 document, made from the list of operations and the types that validate requests."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from payments.common.errors import KINDS, Problem
from payments.gateway.answers import ProblemDetails
from payments.gateway.operations import Operation

Document = dict[str, Any]

_REF = "#/components/schemas/{name}"
_JOSE: Document = {"schema": {"type": "string", "description": "Compact JWE."}}
_EVERYWHERE = ("rate_limited", "service_unavailable")
_WITH_BODY = ("malformed_request", "payload_too_large", "unsupported_media_type", "validation_failed")
_INTRODUCTION = """\
Payments between accounts. Log in, create a payment, confirm it (with a one-time password when it is risky),
refund it, read its history.

* Amounts under `/v1` are integers in minor units: `1234` USD is 12.34.
* Send a new `Idempotency-Key` with each new order. Repeating a request with its key never does it twice;
  after an answer with `retryable: true`, or after none, repeat it so.
* Errors are problems (RFC 9457, `application/problem+json`); `code` is stable.
* Operations that list `application/jose` take encrypted bodies: a compact JWE (RSA-OAEP-256, A256GCM) for the
  key with `use: enc` of `/.well-known/jwks.json`. Its protected header holds `iat` (now), `jti` (random),
  `sub` (the customer), `aud` (method and path, e.g. `POST /payment/confirm`) and `idempotency_key` (as in the
  header); `kid`, `typ` and `cty` are allowed. `POST /payment/confirm` takes as well, if `X-Encrypted: true`,
  JSON with `encrypted_payload`, `iv`, `auth_tag` and `encrypted_key` (the AES-256 key under RSA-OAEP-256),
  all in hex or all in base64. The answer, unless it is a problem, is encrypted with the same key. A body is
  taken once; to repeat a request, encrypt it again under the same Idempotency-Key.
"""


def document(operations: Iterable[Operation], *, version: str) -> Document:
    """The document of these operations."""
    listed = list(operations)
    types = [ProblemDetails]
    for operation in listed:
        types += [
            item for item in (operation.request, operation.query, operation.response) if item is not None
        ]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    by_type = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: Document = {}
    for operation in listed:
        described = _operation(operation, by_type, components)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    queries = {operation.query.__name__ for operation in listed if operation.query is not None}
    return _ecma_patterns(
        {
            "openapi": "3.1.0",
            "info": {"title": "Payment platform", "version": version, "description": _INTRODUCTION},
            "paths": paths,
            "components": {
                "schemas": {name: schema for name, schema in components.items() if name not in queries},
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            },
        }
    )


def _operation(operation: Operation, by_type: dict[int, Any], components: Document) -> Document:
    described: Document = {
        "operationId": _operation_id(operation),
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.tag],
        "parameters": list(_parameters(operation, components)),
        "responses": {str(operation.status): _success(operation, by_type)},
    }
    if operation.signed_in:
        described["security"] = [{"token": []}]
    if operation.request is not None:
        content = {"application/json": {"schema": by_type[id(operation.request)]}}
        if operation.encryptable:
            content["application/jose"] = _JOSE
        schema = _resolve(by_type[id(operation.request)], components)
        described["requestBody"] = {"content": content, "required": _has_required(operation, schema)}
    for status, meaning in operation.also:
        answer = {**_success(operation, by_type), "description": meaning}
        described["responses"][str(status)] = answer
    described["responses"] |= _problems(operation, by_type)
    return described


def _has_required(operation: Operation, schema: Document) -> bool:
    # The original's routes tell all missing members at once, so that their types require none.
    return bool(schema.get("required")) or not operation.path.startswith("/v1")


def _success(operation: Operation, by_type: dict[int, Any]) -> Document:
    if operation.response is None:
        return {"description": "Success."}
    content: Document = {operation.media_type: {"schema": by_type[id(operation.response)]}}
    if operation.encryptable:
        content["application/jose"] = _JOSE
    for name, example in operation.media:
        content[name] = {"schema": {"type": "string"}, "example": example}
    return {"description": "Success.", "content": content}


def _problems(operation: Operation, by_type: dict[int, Any]) -> Document:
    codes = [*operation.errors, *_EVERYWHERE]
    if operation.signed_in and "access_token_required" not in codes:
        codes.append("unauthenticated")
    if operation.request is not None:
        codes += _WITH_BODY
    if operation.query is not None:
        codes.append("validation_failed")
    if operation.key:
        codes += ["missing_idempotency_key", "invalid_idempotency_key"]
        codes += ["idempotency_key_reused", "idempotency_key_in_flight"]
    if operation.encryptable:
        codes.append("decryption_failed")
    if "{" in operation.path:
        codes.append("not_found")
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(codes):
        by_status.setdefault(KINDS[code].status, []).append(code)
    return {str(status): _problem(by_status[status], by_type) for status in sorted(by_status)}


def _problem(codes: list[str], by_type: dict[int, Any]) -> Document:
    return {
        "description": "; ".join(f"`{code}`: {KINDS[code].title}" for code in codes),
        "content": {
            "application/problem+json": {
                "schema": by_type[id(ProblemDetails)],
                "examples": {code: {"value": msgspec.json.decode(Problem(code).body("/"))} for code in codes},
            }
        },
    }


def _parameters(operation: Operation, components: Document) -> Iterable[Document]:
    for name in re.findall(r"{(\w+)}", operation.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    if operation.query is not None:
        schema = components[operation.query.__name__]
        for name, kind in schema["properties"].items():
            yield {"name": name, "in": "query", "required": name in schema["required"], "schema": kind}
    if operation.key:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": True,
            "description": "Names the order; kept for 24 hours.",
            "schema": {"type": "string", "maxLength": 255},
        }


def _operation_id(operation: Operation) -> str:
    words = re.findall(r"[A-Za-z]+", operation.path.replace("/v1/", "/"))
    return "_".join([operation.method.lower(), *words])


def _resolve(schema: Document, components: Document) -> Document:
    name = schema.get("$ref", "").rpartition("/")[2]
    resolved: Document = components.get(name, schema)
    return resolved


def _ecma_patterns(document: Document) -> Document:
    """Python's `\\Z` is the `$` of JSON Schema's regular expressions (ECMA-262)."""
    text = msgspec.json.encode(document).decode().replace(r"\\Z", "$")
    converted: Document = msgspec.json.decode(text)
    return converted
