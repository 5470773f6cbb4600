"""Headers of every answer: security, CORS, rate limit; and the answer to CORS preflights."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from payments.common.middleware import header
from payments.gateway.addresses import Addresses
from payments.gateway.guard import Window

Headers = list[tuple[bytes, bytes]]

_SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-dns-prefetch-control", b"off"),
    (b"x-permitted-cross-domain-policies", b"none"),
]
# Set unless the route says otherwise.
_DEFAULTS: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]
_HTTPS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"DELETE, GET, PATCH, POST"),
    (
        b"access-control-allow-headers",
        b"Authorization, Content-Type, Idempotency-Key, X-Encrypted, X-Request-Id, Traceparent",
    ),
    (b"access-control-max-age", b"600"),
]
_EXPOSED = (
    b"access-control-expose-headers",
    b"Idempotent-Replayed, Location, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After,"
    b" X-Request-Id",
)


class Edge:
    """Adds the headers; answers preflights itself. `scope["trusted"]`: the load balancer sent the request."""

    def __init__(self, app: ASGIApp, *, origins: frozenset[str], addresses: Addresses) -> None:
        self._app = app
        self._origins = frozenset(origin.encode() for origin in origins)
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trusted = scope["trusted"] = self._addresses.trusted(scope)
        extra = [*_SECURITY, *self._cors(scope)]
        if scope["scheme"] == "https" or (trusted and header(scope, b"x-forwarded-proto") == "https"):
            extra.append(_HTTPS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Headers = message["headers"]
                names = {name for name, _ in headers}
                headers = [*headers, *extra, *(item for item in _DEFAULTS if item[0] not in names)]
                message["headers"] = headers + _rate_limit(scope.get("window"))
            await send(message)

        if scope["method"] == "OPTIONS" and header(scope, b"access-control-request-method") is not None:
            await send_with_headers({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, send_with_headers)

    def _cors(self, scope: Scope) -> Headers:
        """Nothing for a foreign origin: its browser then keeps the answer from the script."""
        if not self._origins:
            return []
        vary = (b"vary", b"Origin")
        origin = header(scope, b"origin")
        if origin is None or origin.encode("latin-1") not in self._origins:
            return [vary]
        allow = (b"access-control-allow-origin", origin.encode("latin-1"))
        return [vary, allow, *(_PREFLIGHT if scope["method"] == "OPTIONS" else [_EXPOSED])]


def _rate_limit(window: Window | None) -> Headers:
    if window is None:
        return []
    return [
        (b"ratelimit-limit", b"%d" % window.limit),
        (b"ratelimit-remaining", b"%d" % window.remaining),
        (b"ratelimit-reset", b"%d" % window.reset),
    ]
