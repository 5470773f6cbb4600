"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header): who sent which request under which name."""

import hashlib
import re
from dataclasses import dataclass

import msgspec
from starlette.requests import Request

from payments.common.errors import Problem

HEADER = "idempotency-key"
_decoder = msgspec.json.Decoder(float_hook=str)  # exactly what was written, however large
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Key:
    """A key in its scope. Two requests with the same key and fingerprint are one."""

    owner: str
    route: str
    key: str
    fingerprint: bytes


def read(request: Request, route: str, owner: str, raw: bytes) -> Key:
    """The request's key in the scope of `owner` and `route` (method and path template).

    Raises:
        Problem(missing_idempotency_key | invalid_idempotency_key | malformed_request): 400.
    """
    given = request.headers.get(HEADER, "").strip()
    if not given:
        raise Problem("missing_idempotency_key", "Send a unique Idempotency-Key with each new request")
    if not _KEY.fullmatch(given):
        raise Problem("invalid_idempotency_key", "Idempotency-Key takes 1 to 255 printable ASCII characters")
    try:
        return Key(owner, route, given, fingerprint(request.method, request.url.path, owner, raw))
    except msgspec.DecodeError as error:  # an ignored member may hold what JSON can say and nobody can read
        raise Problem("malformed_request", "The body is not valid JSON") from error


def fingerprint(method: str, path: str, owner: str, raw: bytes) -> bytes:
    """SHA-256 of method, path, owner and body; neither the password nor the order of members counts.

    Raises:
        msgspec.DecodeError: the body is not JSON.
    """
    body = _decoder.decode(raw) if raw else {}
    if isinstance(body, dict):
        body.pop("otp", None)
    canonical = msgspec.json.encode(body, order="sorted")
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), owner.encode(), canonical))).digest()
