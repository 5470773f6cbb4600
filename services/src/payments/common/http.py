"""Calls to other services: keep-alive, the caller's identity, the request's id, trace and deadline.

Each peer has a circuit breaker: while it is open a call fails at once, known to have had no effect. Deadlines
shrink from hop to hop, and no call begins when the time left is used up.

aiohttp, because a request costs a tenth of httpx's CPU (measured: 88 against 1,340 microseconds).
"""

import logging
import time
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from payments.common import context, metrics, tracing
from payments.common.auth import TokenFile
from payments.common.breaker import Breaker, State
from payments.common.errors import unavailable
from payments.common.red import Calls

T = TypeVar("T")

CIRCUIT = metrics.gauge(
    "payments_circuit_state",
    "Circuit to a peer: 0 closed, 1 half-open (a probe is on its way), 2 open.",
    ["peer"],
)
OPENED = metrics.counter(
    "payments_circuit_opened_total", "Times that the circuit to a peer opened.", ["peer"]
)
SHORT = metrics.counter(
    "payments_circuit_refused_total",
    "Calls that an open circuit answered at once, without the peer.",
    ["peer"],
)

_KEEPALIVE_SECONDS = 60.0
# What a caller keeps of its own time to work with the answer, so that a callee's deadline is always earlier.
HOP_SECONDS = 0.02

log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """A peer's answer: status, raw body, headers (case-insensitive)."""

    status: int
    body: bytes
    headers: Any

    def decode(self, type_: type[T]) -> T:
        """The body as `type_`. Raises msgspec.DecodeError when it does not fit."""
        return msgspec.json.decode(self.body, type=type_)

    def code(self) -> str:
        """The problem code of an error answer, empty when it has none."""
        try:
            return self.decode(_Code).code
        except msgspec.DecodeError:
            return ""


class _Code(msgspec.Struct):
    code: str = ""


class PeerDown(Exception):
    """A peer gave no answer. `sent` is False when the request surely never reached it."""

    def __init__(self, peer: str, *, sent: bool) -> None:
        super().__init__(f"{peer} did not answer")
        self.peer = peer
        self.sent = sent


class Http:
    """The service's HTTP client, one pool of connections for all peers."""

    def __init__(self, token_file: TokenFile, *, limit: int = 200) -> None:
        self._token = token_file
        self._limit = limit
        self._pooled: aiohttp.ClientSession | None = None
        self._unpooled: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Cookies, redirects, proxies of the environment: none of it between services.
        pooled = aiohttp.TCPConnector(
            limit=self._limit, keepalive_timeout=_KEEPALIVE_SECONDS, ttl_dns_cache=30
        )
        self._pooled = aiohttp.ClientSession(connector=pooled, cookie_jar=aiohttp.DummyCookieJar())
        unpooled = aiohttp.TCPConnector(limit=self._limit, force_close=True, use_dns_cache=False)
        self._unpooled = aiohttp.ClientSession(connector=unpooled, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in (self._pooled, self._unpooled):
            if session is not None:
                await session.close()

    def session(self, *, pooled: bool) -> aiohttp.ClientSession | None:
        """The session whose connections are kept, or the one that opens one for each request."""
        return self._pooled if pooled else self._unpooled

    def peer(self, name: str, url: str, *, timeout: float = 5.0) -> "Peer":
        """A peer service at `url` (scheme://host:port); `timeout` seconds for each call at the most."""
        return Peer(self, name, url.rstrip("/"), timeout)

    def authorization(self) -> str:
        """This service's own identity as a header value."""
        return f"Bearer {self._token.token()}"


class Peer:
    """One other service."""

    def __init__(self, http: Http, name: str, url: str, timeout: float) -> None:
        self._http = http
        self.name = name
        self._url = url
        self._timeout = timeout
        self._address = urlsplit(url)
        self._shapes: dict[tuple[str, int], tracing.Shape] = {}
        self._distrusted_until = float("-inf")
        self._calls = Calls(name)
        self.breaker = Breaker(changed=self._circuit_changed)
        CIRCUIT.labels(name).set(State.CLOSED)
        metrics.from_zero(OPENED, [name])
        metrics.from_zero(SHORT, [name])

    async def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        """POST `body` (a Struct, dict or ready bytes) as JSON; see `request`."""
        return await self.request("POST", path, body, **options)

    async def get(self, path: str, **options: Any) -> Reply:
        """GET; see `request`."""
        return await self.request("GET", path, **options)

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        actor_token: str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        guarded: bool = True,
    ) -> Reply:
        """Send a request and read the whole answer, whatever its status.

        A connection that the peer had closed is tried once more on a fresh one: every route between the
        services may be repeated. Every service echoes X-Request-Id; whoever does not is not the peer (an
        address that was given to another pod, a proxy in between): kept connections are not used then until
        all of that time have gone.

        Args:
            guarded: False lets the call through an open circuit: for what must be known or finished because
                of an effect that may exist already. Its end counts for the circuit all the same.

        Raises:
            PeerDown: no answer of the peer within the timeout or the request's deadline, no time left, an
                open circuit, or no token of our own.
        """
        limit = self._limit(timeout)
        if limit <= 0:
            raise PeerDown(self.name, sent=False)
        sent_headers = self._headers(limit, actor_token, headers)
        if guarded and not self.breaker.allow():
            SHORT.labels(self.name).inc()
            raise PeerDown(self.name, sent=False)
        began = time.perf_counter()
        span = tracing.begin(self._shape(method, 0))
        if span is not None:
            sent_headers["traceparent"] = span.traceparent
        try:
            with span or tracing.NOTHING:
                reply = await self._send(method, path, body, sent_headers, limit)
                if span is not None:
                    span.shape = self._shape(method, reply.status)
        except PeerDown as error:
            self._calls.failed(method, error.__cause__, time.perf_counter() - began)
            # Too little time is the caller's fault: only a peer that had enough of it has failed.
            if isinstance(error.__cause__, TimeoutError) and limit < 0.5 * min(self._timeout, 2.0):
                self.breaker.neutral()
            else:
                self.breaker.failure()
            raise
        except BaseException:
            self.breaker.neutral()
            raise
        self._calls.answered(method, reply.status, time.perf_counter() - began)
        self.breaker.success()
        return reply

    def _limit(self, timeout: float | None) -> float:
        """Seconds that a call may take; 0 or less when no time is left for it."""
        limit = timeout or self._timeout
        end = context.deadline.get()
        return limit if end is None else min(limit, end - time.time() - HOP_SECONDS)

    async def _send(self, method: str, path: str, body: Any, headers: dict[str, str], limit: float) -> Reply:
        end = time.monotonic() + limit
        session = self._http.session(pooled=time.monotonic() > self._distrusted_until)
        if session is None:
            raise PeerDown(self.name, sent=False)
        options: dict[str, Any] = {"headers": headers, "allow_redirects": False}
        if body is not None:
            options["data"] = body if isinstance(body, bytes) else msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
        for attempt in (1, 2):
            options["timeout"] = aiohttp.ClientTimeout(total=max(0.001, end - time.monotonic()))
            try:
                async with session.request(method, self._url + path, **options) as response:
                    if "X-Request-Id" not in response.headers:
                        self._distrusted_until = time.monotonic() + _KEEPALIVE_SECONDS + 1
                        log.warning("not %s answered at %s: %d", self.name, self._url, response.status)
                        raise PeerDown(self.name, sent=True)
                    return Reply(response.status, await response.read(), response.headers)
            except aiohttp.ClientConnectorError as error:
                # The first attempt may have been processed before its connection broke.
                raise PeerDown(self.name, sent=attempt == 2) from error
            except aiohttp.ServerDisconnectedError as error:
                if attempt == 2:
                    raise PeerDown(self.name, sent=True) from error
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise PeerDown(self.name, sent=True) from error
        raise AssertionError("unreachable")

    def _shape(self, method: str, status: int) -> tracing.Shape:
        """What spans of requests tell: whom, never the path, in which account numbers may stand."""
        shape = self._shapes.get((method, status))
        if shape is None:
            attributes: tracing.Attributes = {
                "http.request.method": method,
                "peer.service": self.name,
                "server.address": self._address.hostname or "",
                "server.port": self._address.port or 80,
            }
            if status:
                attributes["http.response.status_code"] = status
            if status >= 400:
                attributes["error.type"] = str(status)
            shape = tracing.Shape(method, tracing.CLIENT, attributes, error=status >= 400)
            self._shapes[method, status] = shape
        return shape

    def _circuit_changed(self, state: State) -> None:
        CIRCUIT.labels(self.name).set(state)
        if state is State.OPEN:
            OPENED.labels(self.name).inc()
        log.log(
            logging.INFO if state is State.CLOSED else logging.WARNING,
            "circuit to %s: %s",
            self.name,
            state.name.lower(),
            extra={"peer": self.name, "circuit": state.name.lower()},
        )

    def _headers(
        self, limit: float, actor_token: str | None = None, more: dict[str, str] | None = None
    ) -> dict[str, str]:
        try:
            authorization = self._http.authorization()
        except OSError as error:
            raise PeerDown(self.name, sent=False) from error
        headers = {
            "Authorization": authorization,
            "X-Request-Id": context.request_id.get(),
            "X-Deadline": f"{time.time() + limit:.3f}",
        }
        if actor_token:
            headers["X-Actor-Token"] = actor_token
        if traceparent := context.traceparent.get():
            headers["traceparent"] = traceparent
        return headers | more if more else headers

    async def ping(self) -> None:
        """Raises Problem(service_unavailable) when the peer's /live does not answer 200.

        Past the circuit breaker: a process that lives may still not answer its questions.
        """
        try:
            limit = max(0.001, self._limit(2.0))
            reply = await self._send("GET", "/live", None, self._headers(limit), limit)
        except PeerDown as error:
            raise unavailable(self.name) from error
        if reply.status != 200:
            raise unavailable(self.name)
