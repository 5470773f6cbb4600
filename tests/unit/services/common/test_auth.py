import json
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from payments.common.auth import Actor, ActorVerifier, CallerVerifier
from payments.common.errors import Problem

ISSUER = "https://cluster.example"


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256", auto_kid=True)


@pytest.fixture
def callers(tmp_path: Path, key: ECKey) -> CallerVerifier:
    (tmp_path / "issuer").write_text(ISSUER + "\n")
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    return CallerVerifier(
        issuer_file=tmp_path / "issuer",
        jwks_file=tmp_path / "jwks.json",
        namespace="shop",
        allowed=frozenset({"api-gateway"}),
    )


def sign(key: ECKey, header: dict[str, Any] | None = None, **claims: Any) -> str:
    content = {
        "iss": ISSUER,
        "aud": ["payment-platform"],
        "sub": "system:serviceaccount:shop:api-gateway",
        "exp": int(time.time()) + 60,
        **claims,
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, **(header or {})}, content, key)


def test_a_service_of_the_catalog_is_known(callers: CallerVerifier, key: ECKey) -> None:
    token = sign(key)
    assert callers.verify(f"Bearer {token}") == "api-gateway"
    assert callers.verify(f"bearer {token}") == "api-gateway"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": ["kubernetes"]},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"nbf": int(time.time()) + 600},
    ],
)
def test_wrong_claims_are_no_identity(callers: CallerVerifier, key: ECKey, claims: dict[str, Any]) -> None:
    token = sign(key, **claims)
    with pytest.raises(Problem) as raised:
        callers.verify(f"Bearer {token}")
    assert raised.value.code == "caller_unauthenticated"


@pytest.mark.parametrize(
    "subject",
    ["system:serviceaccount:other:api-gateway", "system:serviceaccount:shop:otp-service", "api-gateway"],
)
def test_others_are_not_let_in(callers: CallerVerifier, key: ECKey, subject: str) -> None:
    with pytest.raises(Problem) as raised:
        callers.verify(f"Bearer {sign(key, sub=subject)}")
    assert raised.value.code == "caller_not_allowed"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Basic abc", "Bearer a.b.c", "Bearer ..", "Bearer \x00"]
)
def test_what_is_no_token(callers: CallerVerifier, header: str | None) -> None:
    with pytest.raises(Problem) as raised:
        callers.verify(header)
    assert raised.value.code == "caller_unauthenticated"


def test_a_token_of_another_key(callers: CallerVerifier, key: ECKey) -> None:
    other = ECKey.generate_key("P-256", parameters={"kid": str(key.kid)})
    with pytest.raises(Problem) as raised:
        callers.verify(f"Bearer {sign(other, header={'kid': key.kid})}")
    assert raised.value.code == "caller_unauthenticated"


def test_a_missing_key_file_lets_nobody_in(tmp_path: Path, key: ECKey) -> None:
    verifier = CallerVerifier(
        issuer_file=tmp_path / "issuer",
        jwks_file=tmp_path / "jwks.json",
        namespace="shop",
        allowed=frozenset({"api-gateway"}),
    )
    with pytest.raises(Problem) as raised:
        verifier.verify(f"Bearer {sign(key)}")
    assert raised.value.code == "caller_unauthenticated"


def actor_token(key: ECKey, typ: str = "actor+jwt", **claims: Any) -> str:
    content = {
        "iss": "payment-platform-gateway",
        "aud": "payment-platform-services",
        "sub": "cust_001",
        "user_id": "u1",
        "role": "customer",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
        **claims,
    }
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": typ}, content, key)


def test_the_actor_is_who_the_gateway_says(tmp_path: Path, key: ECKey) -> None:
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    verifier = ActorVerifier(tmp_path / "jwks.json")
    assert verifier.verify(None) is None
    assert verifier.verify(actor_token(key)) == Actor("u1", "cust_001", "customer")
    for bad in (
        actor_token(key, typ="at+jwt"),
        actor_token(key, aud="payment-platform"),
        actor_token(key, exp=1),
        actor_token(key, role=None)[:-4] + "AAAA",
        actor_token(key, role=None),
        actor_token(key, role="admin"),
        actor_token(key, sub=None),
        actor_token(key, sub=""),
        actor_token(key, iat=None),
        actor_token(key, exp=int(time.time()) + 86_400),
    ):
        with pytest.raises(Problem) as raised:
            verifier.verify(bad)
        assert raised.value.code == "unauthenticated"


def test_a_dropped_keys_tokens_are_refused_although_they_were_seen(
    tmp_path: Path, key: ECKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    path = tmp_path / "jwks.json"
    new = ECKey.generate_key("P-256", auto_kid=True)

    def publish(*keys: ECKey) -> None:
        nonlocal clock
        fresh = tmp_path / "fresh"
        fresh.write_text(json.dumps({"keys": [each.as_dict(private=False) for each in keys]}))
        fresh.replace(path)
        clock += 11

    publish(key, new)
    verifier = ActorVerifier(path)
    old_token, new_token = actor_token(key), actor_token(new)
    for token in (old_token, new_token, old_token):
        assert verifier.verify(token) is not None
    publish(new)
    assert verifier.verify(new_token) is not None
    with pytest.raises(Problem):
        verifier.verify(old_token)
    path.write_text("{")
    clock += 11
    assert verifier.verify(new_token) is not None, "a broken file keeps the keys before it"
