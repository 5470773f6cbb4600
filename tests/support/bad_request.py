"""One bad request and the answer that is documented for it, as data. See `bad_requests` for the words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOWHERE = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True, kw_only=True)
class BadRequest:
    """One request, and the status and problem code that it must get."""

    name: str
    method: str
    path: str
    status: int
    code: str
    token: str | None = "customer"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    needs_services: bool = False
    not_for_proxies: bool = False


def post(
    path: str, name: str, body: Any, status: int, code: str, *, method: str = "POST", **changes: Any
) -> BadRequest:
    """A request with a body, which is sent as JSON unless it is bytes; a header of None is left out."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"bad-{name}"} | changes.pop(
        "headers", {}
    )
    return BadRequest(
        name=name,
        method=method,
        path=path,
        status=status,
        code=code,
        body=raw,
        headers={key: value for key, value in headers.items() if value is not None},
        **changes,
    )


def get(path: str, name: str, status: int, code: str, **changes: Any) -> BadRequest:
    """A request without a body."""
    return BadRequest(name=name, method="GET", path=path, status=status, code=code, **changes)
