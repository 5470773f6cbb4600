"""What happens around every request: its context, its caller, its deadline, and errors as problems.

Order, outside in: context -> problems -> caller -> route.
"""

import asyncio
import logging
import re
import time
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payments.common import context, metrics, tracing
from payments.common.auth import ActorVerifier, CallerVerifier
from payments.common.errors import Problem
from payments.common.ids import new_id

log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/live", "/ready", "/health", metrics.PATH})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PAYMENT = "/v1/payments/"
_PAYMENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|txn_[0-9]{1,9}")
_REQUEST = tracing.Shape("request", tracing.SERVER, {})  # until it is known which


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None


def shown_path(scope: Scope) -> str:
    """The path for logs: names in the place of what varies, as account numbers; "-" without a route."""
    if "endpoint" not in scope:
        return "-"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in scope["path"].split("/"))


class RequestContext:
    """Takes or makes X-Request-Id, takes traceparent and X-Deadline, and echoes the id; the request's span.

    Args:
        edge: the callers are strangers: their deadlines count for nothing, and traces begin here.
    """

    def __init__(self, app: ASGIApp, *, timeout: float, edge: bool = False) -> None:
        self._app = app
        self._timeout = timeout
        self._edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        request_id = given if given and _REQUEST_ID.fullmatch(given) else new_id()
        context.request_id.set(request_id)
        trace = tracing.valid(header(scope, b"traceparent"))
        span = None
        if scope["path"] in OPEN_PATHS:
            context.traceparent.set(trace)
        else:
            span = tracing.serve(trace, _REQUEST, edge=self._edge)
        context.deadline.set(self._deadline(scope))
        id_header = (b"x-request-id", request_id.encode())
        began = time.monotonic()
        status = 500

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                nonlocal status
                status = message["status"]
                message["headers"] = [*message["headers"], id_header]
                if log.isEnabledFor(logging.DEBUG):  # the load balancer writes the access log
                    taken = round((time.monotonic() - began) * 1000, 2)
                    fields = {"method": scope["method"], "path": shown_path(scope), "milliseconds": taken}
                    log.debug("request", extra={**fields, "status": message["status"]})
            await send(message)

        if span is None:
            await self._app(scope, receive, send_with_id)
            return
        with span:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                describe(span, scope, status)

    def _deadline(self, scope: Scope) -> float:
        latest = time.time() + self._timeout
        if not self._edge and (given := header(scope, b"x-deadline")):
            try:
                return min(latest, float(given))
            except ValueError:
                return latest
        return latest


def describe(span: tracing.Span, scope: Scope, status: int) -> None:
    """Give a request's span its name, now that its route and its status are known."""
    route = shown_path(scope)
    method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
    span.shape = _shape(method, route, status, scope["scheme"])
    payment = scope["path_params"].get("id", "") if route.startswith(_PAYMENT) else ""
    if _PAYMENT_ID.fullmatch(payment):  # a stranger may put anything there
        span.note({"payment.id": payment})


@lru_cache(maxsize=1024)
def _shape(method: str, route: str, status: int, scheme: str) -> tracing.Shape:
    attributes: tracing.Attributes = {
        "http.request.method": method,
        "http.response.status_code": status,
        "url.scheme": scheme,
    }
    if route != "-":
        attributes["http.route"] = route
    if status >= 500:
        attributes["error.type"] = str(status)
    verb = "HTTP" if method == "_OTHER" else method
    name = verb if route == "-" else f"{verb} {route}"
    return tracing.Shape(name, tracing.SERVER, attributes, error=status >= 500)


class Problems:
    """Turns Problem, a passed deadline and any bug into problem+json; a bug shows its request id only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(context.remaining(3600)):
                await self._app(scope, receive, send_noting)
        except Problem as error:
            problem = error
        except TimeoutError:
            problem = Problem("service_unavailable", "The request's deadline has passed")
        except Exception:
            log.exception("unexpected error", extra={"method": scope["method"], "path": shown_path(scope)})
            problem = Problem("internal_error")
        else:
            return
        if started:
            raise ConnectionError("the response had begun")
        await problem.response(scope["path"])(scope, receive, send)


class Callers:
    """Lets in the services of the catalog only, and notes for whom they call."""

    def __init__(
        self, app: ASGIApp, *, callers: CallerVerifier, actors: ActorVerifier, open_paths: frozenset[str]
    ) -> None:
        self._app = app
        self._callers = callers
        self._actors = actors
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._open:
            scope["caller"] = self._callers.verify(header(scope, b"authorization"))
            scope["actor"] = self._actors.verify(header(scope, b"x-actor-token"))
        await self._app(scope, receive, send)
