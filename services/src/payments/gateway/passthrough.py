"""Routes that check a request, hand it on byte for byte, and hand the answer back."""

import re
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from payments.common.errors import Problem
from payments.common.http import Peer
from payments.common.routes import field_error
from payments.gateway import body
from payments.gateway.gate import signed_in
from payments.gateway.models import NoQuery
from payments.gateway.operations import Endpoint
from payments.gateway.payloads import Payloads
from payments.gateway.peers import Peers, respond

T = TypeVar("T")
Check = Callable[[T], None]

# Begins with a letter or digit, so that it is neither `.` nor `..`.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Passthrough:
    """Makes endpoints for one service behind."""

    def __init__(self, peers: Peers, payloads: Payloads, peer: Peer) -> None:
        self._peers = peers
        self._payloads = payloads
        self._peer = peer

    def post(
        self,
        path: str,
        request_type: type[T],
        *,
        roles: tuple[str, ...] = (),
        original: bool = False,
        check: Check[T] | None = None,
        method: str = "POST",
    ) -> Endpoint:
        """A POST, which needs an Idempotency-Key, or another method with a body, which needs none.

        Args:
            path: at the peer; `{name}` is filled from the request's path.
            request_type: what the body must be; no body counts as {}.
            roles: who may call; any role when empty.
            original: token errors in the original's codes.
            check: raises Problem for what the type cannot say.
        """
        decoder = msgspec.json.Decoder(request_type)

        async def endpoint(request: Request) -> Response:
            session = signed_in(request, *roles, original=original)
            target = _fill(path, request)
            raw, opened = await self._payloads.read(request, session, original=original)
            try:
                decoded = body.decode(decoder, raw or b"{}")
            except Problem as problem:
                if opened is not None and problem.code == "malformed_request":
                    raise Problem("decryption_failed") from problem
                raise
            if check is not None:
                check(decoded)
            key = body.idempotency_key(request) if method == "POST" else None
            reply = await self._peers.call(
                self._peer, method, target, session, body=raw or None, idempotency_key=key
            )
            response = respond(reply)
            if opened is not None and reply.status < 300:
                response.body, media_type = self._payloads.seal(opened, reply.body)
                response.headers["content-type"] = media_type
                response.headers["content-length"] = str(len(response.body))
            return response

        return endpoint

    def patch(
        self, path: str, request_type: type[T], *, roles: tuple[str, ...] = (), check: Check[T] | None = None
    ) -> Endpoint:
        """A PATCH; see `post`."""
        return self.post(path, request_type, roles=roles, check=check, method="PATCH")

    def delete(self, path: str, *, roles: tuple[str, ...] = ()) -> Endpoint:
        """A DELETE, without a query."""
        return self.get(path, NoQuery, roles=roles, method="DELETE")

    def get(
        self,
        path: str,
        query_type: type[Any],
        *,
        roles: tuple[str, ...] = (),
        accept: bool = False,
        method: str = "GET",
    ) -> Endpoint:
        """A GET, or another method without a body.

        Args:
            query_type: what the query must be.
            accept: the peer answers in several media types.
        """

        async def endpoint(request: Request) -> Response:
            session = signed_in(request, *roles)
            target = _fill(path, request) + query(request, query_type)
            accepted = request.headers.get("accept") if accept else None
            return respond(await self._peers.call(self._peer, method, target, session, accept=accepted))

        return endpoint


def query(request: Request, query_type: type[Any]) -> str:
    """The query again, checked; with its `?`, or empty.

    Raises:
        Problem: validation_failed for an unknown, repeated or malformed parameter.
    """
    text: bytes = request.scope["query_string"]
    if not text:
        return ""
    pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True)
    values = dict(pairs)
    try:
        if len(values) != len(pairs):
            raise msgspec.ValidationError("Each parameter may be given once")
        msgspec.convert(values, query_type, strict=False)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", errors=[{**field_error(error), "in": "query"}]) from error
    return "?" + urlencode(pairs)


def _fill(path: str, request: Request) -> str:
    for name, value in request.path_params.items():
        if not _ID.fullmatch(value):
            raise Problem("not_found")
        path = path.replace(f"{{{name}}}", value)
    return path
