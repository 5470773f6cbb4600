"""Bad input through the load balancer: the documented status, problem+json, and never a 5xx."""

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from hack.client import Client
from hack.kubectl import Cluster
from hack.up import NAMESPACE
from tests.support.bad_requests import BAD_REQUESTS, BadRequest
from tests.support.raw_http import send

USERS = {"customer": "demo", "other": "demo2", "operator": "operator", "auditor": "auditor"}


@pytest.fixture(scope="module")
def tokens(cluster: Cluster, url: str) -> dict[str, str]:
    """An access token for each name that the table uses; the spoilt ones are made with the platform's key."""
    tokens = {}
    for name, user in USERS.items():
        client = Client(url)
        client.login(user, "password123")
        tokens[name] = client.token
    revoked = Client(url)
    revoked.login("demo", "password123")
    assert revoked.post("/auth/logout").status == 200
    secret = cluster.get("-n", NAMESPACE, "secret", "gateway-signing-keys")["data"]["private.jwks.json"]
    keys = KeySet.import_key_set(json.loads(base64.b64decode(secret)))
    token = jwt.decode(tokens["customer"], keys, algorithms=["ES256"])
    claims, header = token.claims, {"alg": "ES256", "typ": "at+jwt", "kid": keys.keys[0].kid}
    past = claims | {"iat": claims["iat"] - 7200, "exp": claims["iat"] - 3600}
    return tokens | {
        "revoked": revoked.token,
        "expired": jwt.encode(header, past, keys.keys[0], algorithms=["ES256"]),
        "forged": jwt.encode(header, claims, ECKey.generate_key("P-256"), algorithms=["ES256"]),
    }


@pytest.mark.parametrize("case", BAD_REQUESTS, ids=[case.name for case in BAD_REQUESTS])
def test_a_bad_request_gets_its_problem(case: BadRequest, url: str, tokens: dict[str, str]) -> None:
    headers = dict(case.headers)
    if case.token is not None:
        headers["Authorization"] = f"Bearer {tokens[case.token]}"
    answer = send(url, case.method, case.path, headers=headers, body=case.body)
    if case.not_for_proxies:  # nginx refuses it by itself, as a problem too
        assert 400 <= answer.status < 500
    else:
        assert (answer.status, answer.json()["code"]) == (case.status, case.code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_table_is_as_long_as_promised() -> None:
    assert len(BAD_REQUESTS) >= 60
    # nginx refuses a null byte in a path, and nothing else of these, before the gateway sees it.
    assert {case.name for case in BAD_REQUESTS if case.not_for_proxies} == {
        case.name for case in BAD_REQUESTS if "%00" in case.path.partition("?")[0]
    }
