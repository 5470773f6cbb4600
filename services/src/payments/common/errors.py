"""Errors as RFC 9457 problem details. One table maps each code to its status and title."""

from typing import Any, NamedTuple

import msgspec
from starlette.responses import Response

from payments.common import context


class Kind(NamedTuple):
    """Status and title of a problem code, and whether the same request may be sent again."""

    status: int
    title: str
    retryable: bool = False


# The original's codes are the same words in upper case and stand in the member `error`.
KINDS: dict[str, Kind] = {
    "malformed_request": Kind(400, "The request could not be read"),
    "missing_required_fields": Kind(400, "Required fields are missing"),
    "missing_idempotency_key": Kind(400, "The Idempotency-Key header is required"),
    "invalid_idempotency_key": Kind(400, "The Idempotency-Key header is malformed"),
    "decryption_failed": Kind(400, "The payload could not be decrypted"),
    "invalid_otp": Kind(400, "The one-time password is not valid"),
    "access_token_required": Kind(401, "An access token is required"),
    "invalid_credentials": Kind(401, "User name or password is wrong"),
    "unauthenticated": Kind(401, "The access token is missing, expired or not valid"),
    "token_revoked": Kind(401, "The access token has been revoked"),
    "caller_unauthenticated": Kind(401, "The calling service could not be identified"),
    "insufficient_funds": Kind(402, "The account does not hold enough"),
    "bank_declined": Kind(402, "The bank declined the transfer"),
    "invalid_token": Kind(403, "The access token is not valid"),
    "caller_not_allowed": Kind(403, "The calling service may not use this route"),
    "forbidden": Kind(403, "This role may not do this"),
    "payment_refused": Kind(403, "The payment was refused"),
    "webhooks_disabled": Kind(403, "Webhooks are switched off on this platform"),
    "not_found": Kind(404, "There is no such resource"),
    "user_not_found": Kind(404, "There is no such user"),
    "account_not_found": Kind(404, "There is no such account"),
    "payment_not_found": Kind(404, "There is no such payment"),
    "method_not_allowed": Kind(405, "The route does not support this method"),
    "username_taken": Kind(409, "There is a user of this name already"),
    "illegal_state": Kind(409, "The payment's state does not allow this"),
    "already_succeeded": Kind(409, "The payment has already succeeded"),
    "idempotency_key_in_flight": Kind(409, "A request with this key is being processed", retryable=True),
    "otp_restart": Kind(409, "The one-time password is exhausted or expired; ask for a new one"),
    "account_frozen": Kind(409, "The account is frozen"),
    "account_closed": Kind(409, "The account is closed"),
    "refund_exceeds_payment": Kind(409, "The refunds would exceed the payment"),
    "webhook_endpoint_limit": Kind(409, "There are as many webhook endpoints as there may be"),
    "webhook_endpoint_disabled": Kind(409, "The webhook endpoint is disabled"),
    "payload_too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The body must be application/json"),
    "validation_failed": Kind(422, "The request is not valid"),
    "idempotency_key_reused": Kind(422, "The key was used with another request"),
    "otp_invalid": Kind(422, "The one-time password is not valid"),
    "currency_mismatch": Kind(422, "The currencies do not match; there is no conversion"),
    "self_transfer": Kind(422, "Payer and payee are the same account"),
    "payment_mismatch": Kind(422, "The request contradicts the stored payment"),
    "rate_limited": Kind(429, "Too many requests", retryable=True),
    "otp_send_limit": Kind(429, "Too many one-time passwords were asked for", retryable=True),
    "internal_error": Kind(500, "An unexpected error occurred"),
    "service_unavailable": Kind(503, "A service that this needs is unavailable", retryable=True),
}


class Problem(Exception):
    """An error that the caller is told.

    Args:
        code: a key of KINDS.
        detail: one sentence for this occurrence; never echoes input, never names internals.
        errors: one entry for each wrong field: {"field": "amount", "message": "must be positive"}.
        retry_after: seconds, becomes the Retry-After header.
        status: overrides the table's (the original's routes answer some codes differently).
        members: further members of the body.
    """

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        errors: list[dict[str, str]] | None = None,
        retry_after: int | None = None,
        status: int | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.errors = errors or []
        self.retry_after = retry_after if retry_after is not None or self.kind.status != 503 else 1
        self.status = status or self.kind.status
        self.members = members or {}

    def body(self, instance: str | None = None) -> bytes:
        """The problem as JSON (application/problem+json)."""
        document: dict[str, Any] = {
            "type": f"urn:paymentplatform:problem:{self.code}",
            "title": self.kind.title,
            "status": self.status,
            "detail": self.detail or self.kind.title,
            "code": self.code,
            "error": self.code.upper(),
            "errors": self.errors,
            "retryable": self.kind.retryable,
            "request_id": context.request_id.get(),
            **self.members,
        }
        if instance is not None:
            document["instance"] = instance
        return msgspec.json.encode(document)

    def response(self, instance: str | None = None) -> Response:
        """The problem as a response, with Retry-After and WWW-Authenticate where they belong."""
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(self.body(instance), self.status, headers, "application/problem+json")


def unavailable(dependency: str) -> Problem:
    """503 for a dependency that did not answer, before anything had an effect."""
    return Problem("service_unavailable", f"{dependency} did not answer; try again later")
