"""What every error of the API has to look like, whoever sends it."""

import re
from collections.abc import Mapping

import msgspec

# What an implementation says about itself when it breaks, and never to a client.
TRACES = re.compile(
    r"Traceback \(most recent|File \"|\.py\b|asyncpg|psycopg|postgres|msgspec|starlette|uvicorn|site-packages"
    r"|SELECT .* FROM|INSERT INTO|Exception\b|127\.0\.0\.1",
    re.IGNORECASE,
)
_MEMBERS = {"type": str, "title": str, "status": int, "detail": str, "code": str, "request_id": str}
_MARK = re.compile(r"[^\W_]{12,}")


def wrong_with(status: int, headers: Mapping[str, str], body: bytes, *, sent: str = "") -> str | None:
    """What is wrong with an error answer, None when all is well.

    Args:
        headers: lower-case names.
        sent: what the client sent, of which a 422 must not repeat anything that looks chosen by the client.
    """
    if headers.get("content-type") != "application/problem+json":
        return f"Content-Type is {headers.get('content-type')}"
    try:
        problem = msgspec.json.decode(body, type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"the body is no JSON object: {error}"
    for name, kind in _MEMBERS.items():
        if type(problem.get(name)) is not kind or problem[name] == "":
            return f"{name} is {problem.get(name)!r}"
    if problem["status"] != status:
        return f"status says {problem['status']}"
    if problem["request_id"] != headers.get("x-request-id"):
        return "request_id is not that of the header"
    if problem["type"] != f"urn:paymentplatform:problem:{problem['code']}":
        return f"type {problem['type']} is not of code {problem['code']}"
    if not isinstance(problem.get("retryable"), bool) or not isinstance(problem.get("errors"), list):
        return "retryable or errors is missing"
    # `instance` is the path as the client wrote it; `field` names a member, never its value.
    errors = [{**error, "field": ""} for error in problem["errors"]]
    said = msgspec.json.encode({**problem, "errors": errors, "instance": "", "request_id": ""}).decode()
    if found := TRACES.search(said):
        return f"tells about its inside: {found[0]!r}"
    if status == 422 and (echo := _echo(said, sent)):
        return f"repeats what was sent: {echo!r}"
    return None


def _echo(said: str, sent: str) -> str | None:
    """A long word of `sent` that stands in `said`; names of members are told, values are not."""
    return next((word for word in set(_MARK.findall(sent)) if word in said), None)
