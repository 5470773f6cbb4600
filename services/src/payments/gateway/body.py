"""Request bodies: how they may come, how large they may be, and what must be in them."""

import asyncio
import json
import re
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from payments.common.errors import Problem
from payments.common.routes import field_error

T = TypeVar("T")

MAX_BYTES = 10 * 1024 * 1024
_RECEIVE_SECONDS = 15
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
JSON = "application/json"
JOSE = "application/jose"


class Body:
    """A body that has been read. `media_type` is empty when there was no body."""

    __slots__ = ("media_type", "raw")

    def __init__(self, raw: bytes, media_type: str) -> None:
        self.raw = raw
        self.media_type = media_type


async def read(request: Request, *, jose: bool = False) -> Body:
    """The body: JSON, with `jose` also a compact JWE.

    Raises:
        Problem: payload_too_large, unsupported_media_type, malformed_request (408) when it does not arrive.
    """
    length = request.headers.get("content-length")
    if length is not None and length.isdecimal() and int(length[:20]) > MAX_BYTES:
        raise Problem("payload_too_large")
    raw = await _receive(request)
    if not raw:
        return Body(raw, "")
    media_type = _media_type(request)
    if media_type != JSON and not (jose and media_type == JOSE):
        raise Problem("unsupported_media_type")
    return Body(raw, media_type)


async def _receive(request: Request) -> bytes:
    chunks, size = [], 0
    try:
        async with asyncio.timeout(_RECEIVE_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_BYTES:
                    raise Problem("payload_too_large")
                chunks.append(chunk)
    except TimeoutError as error:
        raise Problem("malformed_request", "The body did not arrive in time", status=408) from error
    except ClientDisconnect as error:
        raise Problem("malformed_request", "The body did not arrive") from error
    return b"".join(chunks)


def _media_type(request: Request) -> str:
    """Lower case, without parameters; empty when it is no UTF-8 or compressed."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return ""
    media_type, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip('"') not in ("utf-8", "utf8", "us-ascii"):
            return ""
    return media_type.strip()


def decode(decoder: "msgspec.json.Decoder[T]", raw: bytes) -> T:
    """The body as the decoder's type.

    Raises:
        Problem: malformed_request when it is no JSON, validation_failed when it does not fit.
    """
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise Problem("validation_failed", errors=[field_error(error)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _has_nonfinite(raw):
            message = {"field": "body", "message": "NaN and Infinity are no numbers"}
            raise Problem("validation_failed", errors=[message]) from error
        raise Problem("malformed_request", "The body is not valid JSON") from error


def _has_nonfinite(raw: bytes) -> bool:
    """True for what would be JSON but for NaN or Infinity, which several languages' encoders write."""
    found: list[str] = []
    try:
        json.loads(raw, parse_constant=found.append)
    except (ValueError, RecursionError):
        return False
    return bool(found)


def missing_fields(body: Any, required: tuple[str, ...]) -> None:
    """Raises Problem(missing_required_fields) when one is absent, null or empty, as the original did."""
    missing = [name for name in required if getattr(body, name) in (None, "")]
    if missing:
        raise Problem(
            "missing_required_fields",
            errors=[{"field": name, "message": "is required"} for name in missing],
            members={"missing_fields": missing},
        )


def idempotency_key(request: Request) -> str:
    """The Idempotency-Key. Raises Problem(missing_idempotency_key | invalid_idempotency_key)."""
    keys = [key.strip() for key in request.headers.getlist("idempotency-key")]
    if not any(keys):
        raise Problem("missing_idempotency_key", "Send a new Idempotency-Key with each new order")
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        detail = "Send one Idempotency-Key of 1 to 255 printable ASCII characters"
        raise Problem("invalid_idempotency_key", detail)
    return keys[0]
