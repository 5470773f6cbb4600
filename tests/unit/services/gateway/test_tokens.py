"""Which tokens are good, and the thirty ways in which they are not."""

import base64
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from payments.common.auth import ActorVerifier
from payments.gateway.domain import Person
from payments.gateway.keys import Keys
from payments.gateway.tokens import InvalidToken, Tokens
from tests.unit.services.gateway.conftest import new_signing_key, write_keys

DEMO = Person("user_demo", "demo", "cust_001", "customer")
OPERATOR = Person("user_operator", "operator", "", "operator")


@pytest.fixture
def tokens(signing_keys: Keys) -> Tokens:
    return Tokens(signing_keys, access_seconds=3600)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "iss": "payment-platform-gateway",
        "aud": "payment-platform",
        "sub": "cust_001",
        "user_id": "user_demo",
        "username": "demo",
        "role": "customer",
        "sid": "s",
        "jti": "j",
        "iat": now,
        "exp": now + 60,
    } | changes
    return {name: value for name, value in good.items() if value is not None}


def sign(key: ECKey | RSAKey | OctKey, body: dict[str, Any], **header: Any) -> str:
    full = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid} | header
    return jwt.encode({k: v for k, v in full.items() if v is not None}, body, key, algorithms=[full["alg"]])


@pytest.mark.parametrize("person", [DEMO, OPERATOR])
def test_what_is_issued_is_read(tokens: Tokens, person: Person) -> None:
    session = tokens.read(tokens.issue(person, "session-1"))
    assert (session.person, session.id) == (person, "session-1")
    assert session.expires_at == pytest.approx(time.time() + 3600, abs=5)


def test_a_token_without_a_session_is_its_own(tokens: Tokens, signing_key: ECKey) -> None:
    assert tokens.read(sign(signing_key, claims(sid=None))).id == "j"


def test_a_good_token_is_verified_once(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(DEMO, "s")
    first = tokens.read(token)
    monkeypatch.setattr(jwt, "decode", None)
    assert tokens.read(token) is first


def test_a_remembered_token_expires_all_the_same(
    tokens: Tokens, signing_key: ECKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = sign(signing_key, claims())
    tokens.read(token)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(InvalidToken):
        tokens.read(token)


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 1},
    "no expiry": {"exp": None},
    "expiry is text": {"exp": "tomorrow"},
    "not yet valid": {"nbf": int(time.time()) + 600},
    "issued in the future": {"iat": int(time.time()) + 600},
    "no time of issue": {"iat": None},
    "another issuer": {"iss": "somebody-else"},
    "no issuer": {"iss": None},
    "for the services": {"aud": "payment-platform-services"},
    "no audience": {"aud": None},
    "no id": {"jti": None},
    "no user": {"user_id": None},
    "no role": {"role": None},
}


@pytest.mark.parametrize("changes", BAD_CLAIMS.values(), ids=BAD_CLAIMS)
def test_bad_claims(tokens: Tokens, signing_key: ECKey, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(sign(signing_key, claims(**changes)))


def encode(part: Any) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forgeries(key: ECKey) -> dict[str, str]:
    stranger = ECKey.generate_key("P-256", {"kid": str(key.kid)})
    rsa = RSAKey.generate_key(2048, {"kid": str(key.kid)})
    good = sign(key, claims())
    header, payload, signature = good.split(".")
    public = json.dumps(key.as_dict(private=False)).encode()
    as_secret = OctKey.import_key(public, {"kid": str(key.kid)})
    pem_secret = OctKey.import_key(base64.b64encode(key.as_pem(private=False)), {"kid": str(key.kid)})
    plain = {"alg": "none", "typ": "at+jwt", "kid": key.kid}
    detached = jws.serialize_compact(
        {"alg": "ES256", "kid": key.kid, "typ": "at+jwt", "b64": False, "crit": ["b64"]},
        "payload",
        key,
        algorithms=["ES256"],
    )
    return {
        "another key": sign(stranger, claims()),
        "another key, embedded": sign(stranger, claims(), jwk=stranger.as_dict(private=False)),
        "another key, by address": sign(stranger, claims(), jku="https://keys.example.com/jwks.json"),
        "unknown key id": sign(stranger, claims(), kid="unknown"),
        "no key id": sign(stranger, claims(), kid=None),
        "key id is a path": sign(stranger, claims(), kid="../../dev/null"),
        "RSA signature": sign(rsa, claims(), alg="PS256"),
        "RS256": sign(rsa, claims(), alg="RS256"),
        "public key as secret": sign(as_secret, claims(), alg="HS256"),
        "public PEM as secret": sign(pem_secret, claims(), alg="HS256"),
        "unsigned": f"{encode(plain)}.{payload}.",
        "unsigned, signature kept": f"{encode(plain)}.{payload}.{signature}",
        "unsigned, other spelling": f"{encode(plain | {'alg': 'nOnE'})}.{payload}.",
        "payload changed": f"{header}.{encode(claims(sub='cust_002'))}.{signature}",
        "role changed": f"{header}.{encode(claims(role='operator'))}.{signature}",
        "signature dropped": f"{header}.{payload}.",
        "signature of zeros": f"{header}.{payload}.{encode(bytes(64))}",
        "signature cut": f"{header}.{payload}.{signature[:-8]}",
        "header of another algorithm": f"{encode({'alg': 'ES512', 'kid': key.kid})}.{payload}.{signature}",
        "algorithm is a list": f"{encode({'alg': ['ES256'], 'kid': key.kid})}.{payload}.{signature}",
        "critical extension": detached,
        "another type": sign(key, claims(), typ="JWT"),
        "an actor's type": sign(key, claims(), typ="actor+jwt"),
        "no type": sign(key, claims(), typ=None),
        "two parts": f"{header}.{payload}",
        "four parts": f"{good}.x",
        "five parts": f"{good}.x.y",
        "empty": "",
        "dots": "..",
        "no JSON": "a.b.c",
        "header is a list": f"{encode([])}.{payload}.{signature}",
        "header nested deep": f"{encode(b'[' * 300)}.{payload}.{signature}",
        "huge": good + "a" * 5000,
        "not ASCII": "\xff.\xfe.\xfd",
        "null byte": good.replace(".", ".\x00", 1),
    }


def test_forgeries(tokens: Tokens, signing_key: ECKey) -> None:
    accepted = []
    for name, token in forgeries(signing_key).items():
        try:
            tokens.read(token)
        except InvalidToken:
            continue
        accepted.append(name)
    assert accepted == []
    assert tokens.read(sign(signing_key, claims())).person == DEMO


def test_services_accept_the_actor_token(tokens: Tokens, signing_key: ECKey, tmp_path: Path) -> None:
    public = tmp_path / "jwks.json"
    public.write_text(json.dumps({"keys": [signing_key.as_dict(private=False)]}))
    session = tokens.read(tokens.issue(DEMO, "s"))
    token = tokens.actor_token(session)
    actor = ActorVerifier(public).verify(token)
    assert actor == ("user_demo", "cust_001", "customer")
    assert tokens.actor_token(session) is token
    with pytest.raises(InvalidToken):
        tokens.read(token)


def test_actor_tokens_are_renewed_before_they_expire(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    session = tokens.read(tokens.issue(DEMO, "s"))
    first = tokens.actor_token(session)
    later = time.time() + 241
    monkeypatch.setattr(time, "time", lambda: later)
    second = tokens.actor_token(session)
    assert second != first
    body = json.loads(base64.urlsafe_b64decode(second.split(".")[1] + "=="))
    assert later < body["exp"] <= later + 300


def test_rotation_overlaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_signing_key(), new_signing_key()
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    path = write_keys(tmp_path / "keys.json", [old])
    keys = Keys(path)
    tokens = Tokens(keys, access_seconds=60)
    before = tokens.issue(DEMO, "s")

    def rotate(*now: ECKey) -> None:
        nonlocal clock
        write_keys(path, now)
        os.utime(path, (clock, clock))
        clock += 11

    rotate(new, old)
    assert tokens.read(before).person == DEMO
    after = tokens.issue(DEMO, "s")
    assert json.loads(base64.urlsafe_b64decode(after.split(".")[0] + "=="))["kid"] == new.kid
    assert {key["kid"] for key in keys.public()} == {old.kid, new.kid}
    rotate(new)
    assert tokens.read(after).person == DEMO
    with pytest.raises(InvalidToken):
        tokens.read(before)


def test_a_broken_key_file_keeps_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    path = write_keys(tmp_path / "keys.json", [new_signing_key()])
    tokens = Tokens(Keys(path), access_seconds=60)
    token = tokens.issue(DEMO, "s")
    for broken in ("", "{}", '{"keys": []}', '{"keys": [{"kty": "EC"}]}', "[]"):
        path.write_text(broken)
        clock += 30
        assert tokens.read(token).person == DEMO
    path.unlink()
    clock += 30
    assert tokens.read(token).person == DEMO
    assert "the former keys stay in use" in caplog.text


@pytest.mark.parametrize("content", ["", "{}", '{"keys": []}', '{"keys": [{"kty": "EC", "crv": "P-256"}]}'])
def test_a_gateway_does_not_start_without_keys(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    with pytest.raises(ValueError):
        Keys(path)
    with pytest.raises(OSError):
        Keys(tmp_path / "missing.json")
