"""Requests as no schema describes them: raw bytes in bodies, headers, queries, paths. Never a 5xx."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st

from payments.gateway.docs import example
from tests.integration.api.conftest import SOAK
from tests.integration.api.inside import OPEN, Services
from tests.integration.api.matrix import ROUTES
from tests.integration.api.problems import wrong_with
from tests.integration.api.world import Person, World
from tests.support.raw_http import send

EXAMPLES = 20_000 if SOAK else 200
DEEP = 30_000
# uvicorn's own answer to what is no HTTP; the load balancer does not let it through.
NO_HTTP = b"Invalid HTTP request received."
WHOLE_BODIES: list[bytes] = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf{}",
    b"nul",
    b"null",
    b"[]",
    b"{}" * 2,
    b'"text"',
    b"-0",
    b"1e999",
    b"9" * 6000,
    b"NaN",
    b'{"a":-Infinity}',
    b'{"\\ud800":1}',
    b'{"a":"\\udfff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":1,"a":2}',
    b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    b"[" * DEEP,
    b'{"' + b"k" * 70_000 + b'":1}',
    "{'a': 1}".encode("utf-16"),
]
PIECES: list[bytes] = [
    b"NaN",
    b"-Infinity",
    b"1E400",
    b"-1e-400",
    b"9" * 400,
    b"-" + b"9" * 30,
    b"1.0",
    b"true",
    b"null",
    b"{}",
    b"[[]]",
    b'"\\ud83d"',
    b'"\\u0000"',
    b'"\xff"',
    b'"\xc3\x28"',
    b'"\\u202e"',
    b'"' + b"A" * 3000 + b'"',
    b"[" * 600 + b"]" * 600,
    b'{"a":' * 600 + b"1" + b"}" * 600,
]
HEADERS = {
    "Idempotency-Key": ["", " ", "k" * 255, "k" * 256, "a\tb", "schl\xfcssel", "\x7f", "k,k"],
    "Content-Type": [
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/json;charset=utf-8",
        "application/jose",
        ";;;",
        "multipart/form-data",
    ],
    "Content-Encoding": ["gzip", "identity", "br, gzip", "\xff"],
    "X-Encrypted": ["true", "TRUE", "1", "\xff"],
    "X-Request-Id": ["", "a" * 129, "\xff", "../.."],
    "Traceparent": ["00-0-0-00", "zz", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"],
    "Accept": ["text/csv", "*/*;q=x", "\xff", ",,,"],
    "X-Forwarded-For": ["::", "1.2.3.4, x", "\xff"],
    "Cookie": ["a=b; " * 300],
    "Range": ["bytes=0-"],
}
Raw = tuple[str, str, dict[str, str], bytes | None]


def bodies(good: Any) -> st.SearchStrategy[bytes]:
    """A good body with a value replaced, a member twice or some bytes changed; or something else."""
    members = good if isinstance(good, dict) and good else {"amount": 1, "otp": "123456"}

    @st.composite
    def replaced(draw: st.DrawFn) -> bytes:
        name = draw(st.sampled_from(sorted(members)))
        pieces = {key: json.dumps(value).encode() for key, value in members.items()}
        written = [
            (key, draw(st.sampled_from(PIECES)) if key == name else raw) for key, raw in pieces.items()
        ]
        if draw(st.booleans()):
            written.append((name, pieces[name]))
        return b"{" + b",".join(json.dumps(key).encode() + b":" + raw for key, raw in written) + b"}"

    @st.composite
    def torn(draw: st.DrawFn) -> bytes:
        raw = json.dumps(members, ensure_ascii=False).encode()
        spot = draw(st.integers(0, len(raw)))
        return raw[:spot] + draw(st.binary(max_size=4)) + raw[spot + draw(st.integers(0, 4)) :]

    return replaced() | torn() | st.sampled_from(WHOLE_BODIES) | st.binary(max_size=60)


def words() -> st.SearchStrategy[str]:
    """A piece of a path or the value of a parameter, percent-encoded."""
    odd = [b".", b"..", b"%", b"\x00", b"\xff\xfe", b"a/b", b"a\\b", b"' OR 1=1 --", b"A" * 3000, b"\r\nX: y"]
    plain = st.sampled_from(odd) | st.binary(min_size=1, max_size=12)
    return plain.map(quote_from_bytes) | st.sampled_from(
        ["%", "%zz", "%2e%2e%2f", "-", "0", "9" * 30, "1e3", ""]
    )


def queries() -> st.SearchStrategy[str]:
    """Nothing, or parameters of the lists with odd values."""
    names = st.sampled_from(
        ["limit", "starting_after", "status", "created_gte", "type", "from", "format", "%ff", ""]
    )
    pairs = st.lists(st.tuples(names, words()).map("=".join), min_size=1, max_size=3)
    return st.just("") | pairs.map(lambda found: "?" + "&".join(found))


def requests(routes: dict[str, Any], fixed: Callable[[str], dict[str, str]]) -> st.SearchStrategy[Raw]:
    """Requests of these routes ("METHOD /path" -> a good body); `fixed` headers go along unless replaced."""

    @st.composite
    def one(draw: st.DrawFn) -> Raw:
        name = draw(st.sampled_from(sorted(routes)))
        method, template = name.split(" ")[-2:]
        parts = template.split("{")
        path = parts[0] + "".join(
            draw(words() | st.just("no-such-thing")) + part.partition("}")[2] for part in parts[1:]
        )
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k" * 16} | fixed(name)
        for header in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=2)):
            headers[header] = draw(st.sampled_from(HEADERS[header]))
        body = None if method == "GET" else draw(bodies(routes[name]))
        return method, path + draw(queries() if method == "GET" else st.just("")), headers, body

    return one()


def try_all(strategy: st.SearchStrategy[Raw], url: str, seed: int, examples: int) -> Counter[int]:
    """Send examples; fails with the first that breaks the service."""
    statuses: Counter[int] = Counter()

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @hypothesis.given(strategy)
    def attempt(raw: Raw) -> None:
        method, path, headers, body = raw
        answer = send(url, method, path, headers=headers, body=body)
        statuses[answer.status] += 1
        assert answer.status < 500, (raw, answer)
        if answer.status >= 400 and answer.body != NO_HTTP:
            sent = "" if body is None else body.decode("latin-1")
            wrong = wrong_with(answer.status, answer.headers, answer.body, sent=sent)
            assert wrong is None, (wrong, raw, answer)

    attempt()
    return statuses


@pytest.mark.timeout(3600 if SOAK else 300)
@pytest.mark.parametrize("role", ["customer", "operator"])
def test_the_public_api_survives(
    role: str, world: World, document: dict[str, Any], owner: Person, seed: int
) -> None:
    routes: dict[str, Any] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if name in ROUTES and not ROUTES[name].ends_session:
                routes[name] = None if content is None else example(content["schema"], document)
    token = (owner if role == "customer" else world.staff(role)).token
    strategy = requests(routes, lambda _: {"Authorization": f"Bearer {token}"})
    statuses = try_all(strategy, world.stack.url("api-gateway"), seed, EXAMPLES)
    print(f"{role}: {statuses.total()} requests, {dict(sorted(statuses.items()))}")  # noqa: T201
    assert statuses.keys() & {400, 415, 422}


@pytest.mark.timeout(3600 if SOAK else 300)
def test_the_services_inside_survive(world: World, services: Services, owner: Person, seed: int) -> None:
    identity = world.stack.identity
    actor = identity.actor_token(owner.customer_id)
    totals: Counter[int] = Counter()
    for service in sorted({name.partition(" ")[0] for name in services.routes}):
        described = services.document(service)
        routes: dict[str, Any] = {}
        for name in services.routes:
            if name.startswith(f"{service} ") and name not in OPEN:
                kind = services.body_type(name)
                routes[name] = None if kind is None else example({"$ref": f"/{kind.__name__}"}, described)

        def fixed(name: str) -> dict[str, str]:
            token = identity.token(services.caller(name))
            return {"Authorization": f"Bearer {token}", "X-Actor-Token": actor}

        totals += try_all(requests(routes, fixed), world.stack.url(service), seed, EXAMPLES // 5)
    print(f"inside: {totals.total()} requests, {dict(sorted(totals.items()))}")  # noqa: T201
    assert totals.keys() & {400, 404, 422}
