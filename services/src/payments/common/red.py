"""Rate, errors and duration of every route and of every call to a peer.

Names, labels and bounds are OpenTelemetry's (https://opentelemetry.io/docs/specs/semconv/http/http-metrics):
`http_route` is the route's template, never the path, and "-" for what has no route, so that nobody outside
can make new series. A request costs about 3 microseconds: the labelled children are kept.
"""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

from prometheus_client import Histogram
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payments.common import metrics

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
SERVER = metrics.histogram(
    "http_server_request_duration_seconds",
    "Duration of requests, by route.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=BUCKETS,
)
ACTIVE = metrics.gauge("http_server_active_requests", "Requests that are being answered now.")
CLIENT = metrics.histogram(
    "http_client_request_duration_seconds",
    "Duration of calls to peers; the status is empty and `error_type` says why when there was no answer.",
    ["server_address", "http_request_method", "http_response_status_code", "error_type"],
    buckets=BUCKETS,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NO_ROUTE = "-"


class Measured:
    """The outermost middleware: whatever is answered is counted, refusals before the route too."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = [route for route in routes if isinstance(route, Route)]
        self._templates = {route.endpoint: route.path for route in self._routes}
        self._children: dict[tuple[str, str, int], Histogram] = {}
        self._active = 0
        ACTIVE.set_function(lambda: self._active)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500  # of a request that ends without an answer

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = perf_counter()
        self._active += 1
        try:
            await self._app(scope, receive, noting)
        finally:
            self._active -= 1
            self._child(scope, status).observe(perf_counter() - began)

    def _child(self, scope: Scope, status: int) -> Histogram:
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        key = (method, self._route(scope, status), status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = SERVER.labels(*key)
        return child

    def _route(self, scope: Scope, status: int) -> str:
        if "endpoint" in scope:
            return self._templates.get(scope["endpoint"], _NO_ROUTE)
        if status == 404:
            return _NO_ROUTE
        # Refused on the way to its route: who was not let in counts there all the same.
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                return route.path
        return _NO_ROUTE


class Calls:
    """Durations of the calls to one peer."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._children: dict[tuple[str, str, str], Histogram] = {}

    def answered(self, method: str, status: int, seconds: float) -> None:
        """The peer has answered."""
        self._observe((method, str(status), ""), seconds)

    def failed(self, method: str, cause: BaseException | None, seconds: float) -> None:
        """There was no answer, because of `cause`."""
        self._observe((method, "", error_type(cause)), seconds)

    def _observe(self, key: tuple[str, str, str], seconds: float) -> None:
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = CLIENT.labels(self._peer, *key)
        child.observe(seconds)


def error_type(cause: Any) -> str:
    """One of three words for why a peer did not answer."""
    if isinstance(cause, TimeoutError):
        return "timeout"
    return "connection" if isinstance(cause, OSError) else "other"
