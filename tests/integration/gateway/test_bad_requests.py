"""Every bad request of the table gets its documented problem, and never reaches a service behind."""

import asyncio

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from hack.dev.identity import Identity
from tests.integration.gateway.conftest import Gateway, login
from tests.support.bad_requests import BAD_REQUESTS, BadRequest
from tests.support.echo_peer import EchoPeer
from tests.support.raw_http import send

CASES = [case for case in BAD_REQUESTS if not case.needs_services]
USERS = {"customer": "demo", "other": "demo2", "operator": "operator", "auditor": "auditor"}


@pytest.fixture(scope="module")
async def tokens(gateway: Gateway, identity: Identity) -> dict[str, str]:
    """An access token for each name that the table uses."""
    async with gateway.http() as http:
        tokens = {name: (await login(http, user))["access_token"] for name, user in USERS.items()}
        revoked = (await login(http))["access_token"]
        answer = await http.post("/auth/logout", headers={"Authorization": f"Bearer {revoked}"})
        assert answer.status_code == 200
    claims = jwt.decode(tokens["customer"], identity.gateway_key, algorithms=["ES256"]).claims
    header = {"alg": "ES256", "typ": "at+jwt", "kid": identity.gateway_key.kid}
    past = claims | {"iat": claims["iat"] - 7200, "exp": claims["iat"] - 3600}
    expired = jwt.encode(header, past, identity.gateway_key, algorithms=["ES256"])
    forged = jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"])
    return tokens | {"revoked": revoked, "expired": expired, "forged": forged}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
async def test_bad_request(
    case: BadRequest, gateway: Gateway, tokens: dict[str, str], peer: EchoPeer
) -> None:
    headers = dict(case.headers)
    if case.token is not None:
        headers["Authorization"] = f"Bearer {tokens[case.token]}"
    answer = await asyncio.to_thread(
        send, gateway.url, case.method, case.path, headers=headers, body=case.body
    )
    assert answer.status == case.status, answer.body[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == case.code, problem
    assert problem["status"] == case.status
    assert problem["error"] == case.code.upper()
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["retryable"] is False
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (case.status == 401)
    assert peer.seen == []


async def test_the_gateway_is_well_after_all_of_them(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ready")
    assert answer.json() == {"status": "ready"}


def test_unauthenticated_looks_the_same_whatever_the_reason() -> None:
    reasons = {case.name for case in CASES if case.code == "unauthenticated"}
    assert {
        "create_token_missing",
        "create_token_forged",
        "create_token_expired",
        "create_token_revoked",
    } < reasons
