"""Who asks, and may they: the rate limits and the access token of every request."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from payments.common.errors import Problem
from payments.common.middleware import OPEN_PATHS
from payments.gateway.addresses import Addresses
from payments.gateway.domain import Session
from payments.gateway.guard import Guard
from payments.gateway.tokens import InvalidToken, Tokens

JWKS_PATH = "/.well-known/jwks.json"
_UNCOUNTED = OPEN_PATHS | {JWKS_PATH}


class Gate:
    """Notes in the scope: `client` address as `address`, and `session`: a Session, or the code of what is
    wrong with the token. Whether a route needs a session is the route's business.
    """

    def __init__(self, app: ASGIApp, *, addresses: Addresses, tokens: Tokens, guard: Guard) -> None:
        self._app = app
        self._addresses = addresses
        self._tokens = tokens
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _UNCOUNTED:
            await self._admit(scope)
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        address = scope["address"] = self._addresses.client(scope, trusted=scope["trusted"])
        session = self._session(scope)
        known = session if isinstance(session, Session) else None
        verdict = await self._guard.check(scope["path"], address, known)
        scope["window"] = verdict.window
        if verdict.retry_after:
            raise Problem("rate_limited", retry_after=verdict.retry_after)
        scope["session"] = "token_revoked" if known and verdict.revoked else session

    def _session(self, scope: Scope) -> Session | str:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            return "invalid_token"
        scheme, _, token = (given[0] if given else b"").decode("latin-1").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            return "access_token_required"
        try:
            return self._tokens.read(token)
        except InvalidToken:
            return "invalid_token"


class InsideOnly:
    """`paths` do not exist for requests that come through the load balancer."""

    def __init__(self, app: ASGIApp, *, paths: frozenset[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in self._paths and scope["trusted"]:
            raise Problem("not_found")
        await self._app(scope, receive, send)


def signed_in(request: Request, *roles: str, original: bool = False) -> Session:
    """The session of the request, of one of `roles` (any when none is named).

    Args:
        original: tell what is wrong with the token in the original's codes; otherwise one answer for all.

    Raises:
        Problem: unauthenticated, or the original's code; forbidden for another role.
    """
    session: Session | str = request.scope["session"]
    if isinstance(session, str):
        raise Problem(session if original else "unauthenticated")
    if roles and session.person.role not in roles:
        raise Problem("forbidden")
    return session
