"""The list of public operations: from it come the routes and their documentation."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path.

    Args:
        description: Markdown.
        request, query, response: msgspec types; `response` None when the answer has none.
        status: of success; `also` maps further ones to what they mean.
        errors: codes of problems, beyond those that every such operation may answer.
        signed_in: an access token is needed.
        key: needs an Idempotency-Key.
        encryptable: the body may come encrypted.
        media: media types that a success can also have, each with an example.
        media_type: of the answer.
    """

    method: str
    path: str
    summary: str
    tag: str
    endpoint: Endpoint
    response: Any
    description: str = ""
    request: Any = None
    query: Any = None
    status: int = 200
    also: tuple[tuple[int, str], ...] = ()
    errors: tuple[str, ...] = ()
    signed_in: bool = True
    key: bool = False
    encryptable: bool = False
    media: tuple[tuple[str, str], ...] = ()
    media_type: str = "application/json"


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
