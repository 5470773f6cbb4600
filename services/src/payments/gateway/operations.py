"""The list of public operations: from it come the routes and their documentation."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path.

    Args:
        request, query, response: msgspec Structs (or a JSON Schema for `response`).
        errors: problem codes it may answer, beyond those that every operation may.
        signed_in: an access token is needed.
        idempotent: takes an Idempotency-Key; True when it is required.
        encryptable: the body may be encrypted.
    """

    method: str
    path: str
    summary: str
    tag: str
    endpoint: Endpoint
    description: str = ""
    request: Any = None
    query: Any = None
    response: Any = None
    status: int = 200
    errors: tuple[str, ...] = ()
    signed_in: bool = True
    idempotent: bool | None = None
    encryptable: bool = False
    examples: dict[str, Any] = field(default_factory=dict)


def routes(operations: Iterable[Operation]) -> list[Route]:
    """One route for each path, so that 405 names all of its methods."""
    paths: dict[str, dict[str, Endpoint]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.endpoint
    return [_route(path, endpoints) for path, endpoints in paths.items()]


def _route(path: str, endpoints: dict[str, Endpoint]) -> Route:
    if "GET" in endpoints:
        endpoints["HEAD"] = endpoints["GET"]

    async def endpoint(request: Request) -> Response:
        return await endpoints[request.method](request)

    return Route(path, endpoint, methods=list(endpoints))
