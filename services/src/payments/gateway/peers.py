"""Passing requests on to the services behind, byte for byte, and their answers back."""

import logging

from starlette.responses import Response

from payments.common.errors import unavailable
from payments.common.http import Peer, PeerDown, Reply
from payments.gateway.domain import Session
from payments.gateway.tokens import Tokens

log = logging.getLogger(__name__)

_PASSED_BACK = ("Location", "Retry-After", "Idempotent-Replayed", "Link", "Content-Disposition")


class Peers:
    """Calls the services in the name of a session's person."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def call(
        self,
        peer: Peer,
        method: str,
        path: str,
        session: Session,
        *,
        body: bytes | None = None,
        idempotency_key: str | None = None,
        accept: str | None = None,
    ) -> Reply:
        """The peer's answer, whatever its status.

        Raises:
            Problem: service_unavailable, when it gives none, or does not take us for the gateway. Trying
                again is safe: a POST is repeated under the same Idempotency-Key.
        """
        named = {"Idempotency-Key": idempotency_key, "Accept": accept}
        try:
            reply = await peer.request(
                method,
                path,
                body,
                actor_token=self._tokens.actor_token(session),
                headers={name: value for name, value in named.items() if value is not None},
            )
        except PeerDown as error:
            log.warning("%s gave no answer", peer.name, extra={"sent": error.sent})
            raise unavailable(peer.name) from error
        # 401 from inside is never about the customer's token, which has been checked here.
        if reply.status == 401 or (reply.status == 403 and reply.code() == "caller_not_allowed"):
            log.error("%s refused the gateway itself: %s", peer.name, reply.code())
            raise unavailable(peer.name)
        return reply


def respond(reply: Reply) -> Response:
    """The peer's answer as ours: status, body and the headers that mean something to the client."""
    headers = {name: reply.headers[name] for name in _PASSED_BACK if name in reply.headers}
    return Response(reply.body, reply.status, headers, reply.headers.get("Content-Type", "application/json"))
