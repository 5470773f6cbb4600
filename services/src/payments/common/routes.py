"""Routes between the services: JSON in, JSON out, decoded and encoded by msgspec."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payments.common import tracing
from payments.common.auth import Actor
from payments.common.errors import Problem

B = TypeVar("B")

_ABOUT_MEMBERS = (
    ("Object missing required field ", "is required"),
    ("Object contains unknown field ", "is not known"),
)


class Call(Generic[B]):
    """One call of a route: the decoded body, and who calls for whom."""

    __slots__ = ("body", "raw", "request")

    def __init__(self, request: Request, raw: bytes, body: B) -> None:
        self.request = request
        self.raw = raw
        self.body = body

    @property
    def caller(self) -> str:
        """Name of the calling service."""
        return str(self.request.scope["caller"])

    @property
    def actor(self) -> Actor | None:
        """The person behind the call, None when a service acts as itself."""
        actor: Actor | None = self.request.scope["actor"]
        return actor

    @property
    def actor_token(self) -> str | None:
        """The actor token as it came, to be passed on."""
        return self.request.headers.get("x-actor-token")

    def required_actor(self, *roles: str) -> Actor:
        """The actor, who must have one of `roles` (any when none is named). Raises Problem."""
        if self.actor is None:
            raise Problem("unauthenticated")
        if roles and self.actor.role not in roles:
            raise Problem("forbidden")
        return self.actor

    def act_for(self, customer_id: str) -> None:
        """Whoever acts for one customer cannot ask about another. Raises Problem(not_found)."""
        actor = self.actor
        if actor is not None and actor.role == "customer" and actor.customer_id != customer_id:
            raise Problem("not_found")

    def path(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])


Handler = Callable[[Call[B]], Awaitable[Any]]


def post(path: str, body: type[B], handler: Handler[B], *, method: str = "POST") -> Route:
    """A POST route, or another one with a body. The handler returns a Struct or dict (200), or a Response."""
    decoder = msgspec.json.Decoder(body)

    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        decoded = _decode(decoder, raw or b"{}")
        if payment := request.path_params.get("payment_id") or getattr(decoded, "payment_id", None):
            tracing.note_payment(payment)
        call = Call(request, raw, decoded)
        return _respond(await handler(call))

    return Route(path, endpoint, methods=[method])


def get(path: str, handler: Handler[None], *, method: str = "GET") -> Route:
    """A GET or DELETE route; parameters come from `call.path` and `call.request.query_params`."""

    async def endpoint(request: Request) -> Response:
        return _respond(await handler(Call(request, b"", None)))

    return Route(path, endpoint, methods=[method])


def reply(result: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """`result` as a JSON response; bytes are taken as JSON already."""
    content = result if isinstance(result, bytes) else msgspec.json.encode(result)
    return Response(content, status, headers, "application/json")


def _respond(result: Any) -> Response:
    return result if isinstance(result, Response) else reply(result)


def _decode(decoder: "msgspec.json.Decoder[B]", raw: bytes) -> B:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", errors=[field_error(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem("malformed_request", "The body is not valid JSON") from error


def field_error(error: msgspec.ValidationError) -> dict[str, str]:
    """Field and message of a msgspec error such as "Expected `int`, got `str` - at `$.amount`".

    Refused values are never echoed.
    """
    message, _, where = str(error).partition(" - at ")
    path = where.strip("`").removeprefix("$").lstrip(".")
    for said, meant in _ABOUT_MEMBERS:
        if message.startswith(said):
            name = message.removeprefix(said).strip("`")[:64]
            return {"field": f"{path}.{name}" if path else name, "message": meant}
    if message.startswith("Invalid enum value"):
        message = "is not one of the allowed values"
    return {"field": path or "body", "message": message}
