"""No forged token opens a route: of the gateway, by its own OpenAPI document, or of a service behind."""

import asyncio
import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import httpx
import pytest
from joserfc.jwk import ECKey

from hack.dev.identity import ISSUER, NAMESPACE, Identity
from hack.dev.stack import Stack
from tests.integration.gateway.conftest import Gateway, bearer, login
from tests.support.echo_peer import EchoPeer
from tests.support.forgeries import foreign, misused, sign

BODY = b'{"transaction_id": "txn_001", "customer_id": "cust_001", "amount": 1}'
# Routes of the services behind that do or tell something, with a caller who may use them.
INSIDE = [
    ("confirm-service", "api-gateway", "GET", "/v1/payments"),
    ("confirm-service", "api-gateway", "POST", "/payment/confirm"),
    ("account-service", "api-gateway", "GET", "/v1/accounts"),
    ("account-service", "confirm-service", "POST", "/transfers"),
    ("audit-service", "api-gateway", "GET", "/events"),
    ("otp-service", "confirm-service", "POST", "/generate-otp"),
    ("otp-service", "confirm-service", "POST", "/verify-otp"),
    ("risk-service", "confirm-service", "POST", "/assess-risk"),
    ("partner-bank-api", "confirm-service", "POST", "/process-transfer"),
    ("kyc-service", "risk-service", "POST", "/check-status"),
    ("kyc-service", "notification-service", "GET", "/customers/cust_001/contact"),
    ("ofac-service", "risk-service", "POST", "/check-sanctions"),
    ("notification-service", "otp-service", "POST", "/send-notification"),
]


def header_safe(tokens: dict[str, str]) -> dict[str, bytes]:
    """Those that can be sent as a header at all."""
    return {
        name: f"Bearer {token}".encode()
        for name, token in tokens.items()
        if re.fullmatch(r"[\x20-\x7e]*", token)
    }


class Attempt(NamedTuple):
    """A request with a token that is not good."""

    name: str
    method: str
    url: str
    headers: dict[bytes, bytes]


async def tried(client: httpx.AsyncClient, attempts: Sequence[Attempt]) -> tuple[Counter[int], list[str]]:
    """Statuses of all attempts, and which were let in."""
    statuses: Counter[int] = Counter()
    accepted = []
    slots = asyncio.Semaphore(8)

    async def one(attempt: Attempt) -> None:
        async with slots:
            answer = await client.request(
                attempt.method, attempt.url, content=BODY, headers=list(attempt.headers.items())
            )
        statuses[answer.status_code] += 1
        if answer.status_code not in (401, 403) or answer.json()["code"] == "forbidden":
            accepted.append(f"{attempt.name}: {answer.status_code}")

    await asyncio.gather(*map(one, attempts))
    return statuses, accepted


def issuer_key(identity: Identity) -> ECKey:
    """The stand-in for the cluster's own signing key."""
    return ECKey.import_key(json.loads((identity.root / "issuer.key.json").read_text()))


def access_forgeries(identity: Identity, session: dict[str, Any]) -> dict[str, str]:
    key = identity.gateway_key
    assert isinstance(key, ECKey)
    good = session["access_token"]
    now = int(time.time())
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid}
    claims: dict[str, Any] = {
        "iss": "payment-platform-gateway",
        "aud": "payment-platform",
        "sub": "cust_001",
        "user_id": "user_demo",
        "username": "demo",
        "role": "customer",
        "sid": "s",
        "gen": 0,
        "jti": "j",
        "iat": now,
        "exp": now + 60,
    }
    changed = {
        "lives a hundred years": claims | {"exp": now + 10**9 * 3},
        "iat in the future": claims | {"iat": now + 3600, "exp": now + 7200},
        "unknown role": claims | {"role": "root"},
        "no role": claims | {"role": None},
        "no jti": claims | {"jti": None},
        "generation is text": claims | {"gen": "latest"},
    }
    others = {
        "actor token": identity.actor_token("cust_001"),
        "service token": identity.token("api-gateway"),
        "refresh token": session["refresh_token"],
        "type JWT": sign(key, header | {"typ": "JWT"}, claims),
        "no type": sign(key, header | {"typ": None}, claims),
        **{name: sign(key, header, content) for name, content in changed.items()},
    }
    return {
        **foreign(key, good),
        **{f"signed: {name}": token for name, token in misused(key, good, others=others).items()},
    }


async def test_no_forged_access_token_opens_a_route_of_the_gateway(
    http: httpx.AsyncClient, identity: Identity, peer: EchoPeer
) -> None:
    session = await login(http)
    tokens = header_safe(access_forgeries(identity, session))
    assert len(tokens) >= 50
    paths = (await http.get("/openapi.json")).json()["paths"]
    closed = [
        (method.upper(), re.sub(r"{\w+}", "user_1", path))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "security" in operation
    ]
    assert len(closed) >= 20
    attempts = [
        Attempt(
            f"{name} at {method} {path}",
            method,
            path,
            {
                b"Authorization": authorization,
                b"Idempotency-Key": b"k",
                b"Content-Type": b"application/json",
            },
        )
        for method, path in closed
        for name, authorization in tokens.items()
    ]
    statuses, accepted = await tried(http, attempts)
    print(f"{len(tokens)} forgeries x {len(closed)} routes: {dict(statuses)}")  # noqa: T201
    assert accepted == []
    assert peer.seen == []
    good = await http.get("/v1/payments", headers=bearer(session["access_token"]))
    assert (good.status_code, len(peer.seen)) == (200, 1)


def service_forgeries(identity: Identity, caller: str) -> dict[str, str]:
    key = issuer_key(identity)
    good = identity.token(caller)
    now = int(time.time())
    header = {"alg": "ES256", "kid": key.kid}
    subject = f"system:serviceaccount:{NAMESPACE}:{caller}"
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": ["payment-platform"],
        "sub": subject,
        "iat": now,
        "exp": now + 60,
    }
    others = {
        "actor token": identity.actor_token("cust_001"),
        "another audience": identity.token(caller, audience="https://kubernetes.default.svc"),
        "another namespace": identity.token(caller, namespace="other"),
        "nobody's account": identity.token("intruder"),
        "no service account": sign(key, header, claims | {"sub": caller}),
        "subject is a list": sign(key, header, claims | {"sub": [subject]}),
    }
    return {
        **foreign(key, good),
        **{f"signed: {name}": token for name, token in misused(key, good, others=others).items()},
    }


def actor_forgeries(identity: Identity, access_token: str) -> dict[str, str]:
    key = identity.gateway_key
    assert isinstance(key, ECKey)
    good = identity.actor_token("cust_001")
    now = int(time.time())
    header = {"alg": "ES256", "typ": "actor+jwt", "kid": key.kid}
    claims: dict[str, Any] = {
        "iss": "payment-platform-gateway",
        "aud": "payment-platform-services",
        "sub": "cust_001",
        "user_id": "u",
        "role": "customer",
        "iat": now,
        "exp": now + 60,
    }
    others = {
        "access token": access_token,
        "service token": identity.token("api-gateway"),
        "type": sign(key, header | {"typ": "at+jwt"}, claims),
        "a customer without id": sign(key, header, claims | {"sub": ""}),
        "unknown role": sign(key, header, claims | {"role": "root"}),
        "lives a day": sign(key, header, claims | {"exp": now + 86_400}),
        "no iat": sign(key, header, claims | {"iat": None}),
    }
    return {
        **foreign(key, good),
        **{f"signed: {name}": token for name, token in misused(key, good, others=others).items()},
    }


@pytest.fixture(scope="module")
async def access_token(gateway: Gateway) -> str:
    """A good access token."""
    async with gateway.http() as http:
        return str((await login(http))["access_token"])


@pytest.mark.parametrize(("service", "caller", "method", "path"), INSIDE)
async def test_no_forged_token_opens_a_service(
    running: Stack,
    identity: Identity,
    client: httpx.AsyncClient,
    access_token: str,
    service: str,
    caller: str,
    method: str,
    path: str,
) -> None:
    url = running.url(service) + path
    common = {b"Content-Type": b"application/json", b"Idempotency-Key": secrets.token_hex(8).encode()}
    known = common | {b"Authorization": f"Bearer {identity.token(caller)}".encode()}
    as_service = header_safe(service_forgeries(identity, caller))
    as_actor = header_safe(actor_forgeries(identity, access_token))
    attempts = [
        *(Attempt(name, method, url, common | {b"Authorization": it}) for name, it in as_service.items()),
        *(
            Attempt(f"actor: {name}", method, url, known | {b"X-Actor-Token": it.removeprefix(b"Bearer ")})
            for name, it in as_actor.items()
        ),
    ]
    # All services check by the same code: one sees everything, the others a part each.
    first = INSIDE.index((service, caller, method, path))
    chosen = [
        *(attempts if first == 0 else attempts[first % 4 :: 4]),
        Attempt("nothing", method, url, common),
    ]
    statuses, accepted = await tried(client, chosen)
    print(f"{service}: {len(chosen)} attempts at {method} {path}: {dict(statuses)}")  # noqa: T201
    assert accepted == []
    actor = identity.actor_token("cust_001").encode()
    good = await client.request(method, url, content=b"{}", headers=known | {b"X-Actor-Token": actor})
    assert good.status_code != 401 and good.json().get("code") != "caller_not_allowed", good.text
