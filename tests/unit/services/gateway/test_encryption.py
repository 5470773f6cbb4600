"""Opening and sealing payloads: mutations and downgrades all end in the same exception."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from payments.gateway.encryption import DecryptionFailed, Encryption
from payments.gateway.keys import Keys
from tests.support.sealing import open_jwe, seal, seal_jwe
from tests.unit.services.gateway.conftest import write_keys

PLAINTEXT = b'{"amount": 1000.00}'


@pytest.fixture(scope="module")
def encryption(encryption_key: RSAKey, tmp_path_factory: pytest.TempPathFactory) -> Encryption:
    folder = tmp_path_factory.mktemp("encryption")
    newer = RSAKey.generate_key(2048, {"use": "enc", "alg": "RSA-OAEP-256"}, auto_kid=True)
    return Encryption(Keys(write_keys(folder / "keys.json", [newer, encryption_key])))


@pytest.fixture(scope="module")
def public(encryption_key: RSAKey) -> dict[str, Any]:
    return dict(encryption_key.as_dict(private=False))


def test_an_older_key_still_opens(encryption: Encryption, public: dict[str, Any]) -> None:
    assert encryption.open_body(seal(public, PLAINTEXT).body).plaintext == PLAINTEXT
    assert encryption.open_jwe(seal_jwe(public, PLAINTEXT).encode()).plaintext == PLAINTEXT


def test_answers(encryption: Encryption, public: dict[str, Any]) -> None:
    sealed = seal(public, PLAINTEXT, encoding="base64")
    body, kind = encryption.seal(encryption.open_body(sealed.body), b'{"status": "SUCCESS"}')
    assert (sealed.open(body), kind) == ({"status": "SUCCESS"}, "application/json")
    opened = encryption.open_jwe(seal_jwe(public, PLAINTEXT).encode())
    token, kind = encryption.seal(opened, b'{"status": "SUCCESS"}')
    assert (open_jwe(token, opened.key), kind) == ({"status": "SUCCESS"}, "application/jose")


def test_copies_have_the_same_fingerprint(encryption: Encryption, public: dict[str, Any]) -> None:
    sealed = seal(public, PLAINTEXT)
    respelt = {
        name: base64.b64encode(bytes.fromhex(value)).decode() for name, value in sealed.members.items()
    }
    fingerprints = {
        encryption.open_body(body).fingerprint
        for body in (
            sealed.body,
            json.dumps({name: value.upper() for name, value in sealed.members.items()}).encode(),
            json.dumps(respelt).encode(),
        )
    }
    assert len(fingerprints) == 1
    assert fingerprints != {encryption.open_body(seal(public, PLAINTEXT).body).fingerprint}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_of_the_originals_form(
    encryption_key: RSAKey, encryption: Encryption, data: st.DataObject
) -> None:
    members = seal(dict(encryption_key.as_dict(private=False)), PLAINTEXT).members
    name = data.draw(st.sampled_from(sorted(members)))
    raw = bytearray(bytes.fromhex(members[name]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecryptionFailed):
        encryption.open_body(json.dumps(members | {name: raw.hex()}).encode())


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_of_a_jwe(
    encryption_key: RSAKey, encryption: Encryption, data: st.DataObject
) -> None:
    parts = seal_jwe(dict(encryption_key.as_dict(private=False)), PLAINTEXT, jti="j").split(".")
    part = data.draw(st.integers(0, 4))
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(DecryptionFailed):
        encryption.open_jwe(".".join(parts).encode())


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=300))
def test_garbage(encryption: Encryption, raw: bytes) -> None:
    for opening in (encryption.open_body, encryption.open_jwe):
        with pytest.raises(DecryptionFailed):
            opening(raw)


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "RSA1_5"},
        {"alg": "RSA-OAEP"},
        {"alg": "dir"},
        {"alg": "none"},
        {"enc": "A128GCM"},
        {"enc": "A256CBC-HS512"},
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"jwk": {}},
        {"alg": ["RSA-OAEP-256"]},
        {"iat": "now"},
        {"iat": 10**400},
        {"kid": None, "enc": None},
    ],
)
def test_downgrades(encryption: Encryption, public: dict[str, Any], changes: dict[str, Any]) -> None:
    header, _, rest = seal_jwe(public, PLAINTEXT).partition(".")
    members = json.loads(base64.urlsafe_b64decode(header + "==")) | changes
    forged = base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()
    with pytest.raises(DecryptionFailed):
        encryption.open_jwe(f"{forged}.{rest}".encode())


def test_a_tag_may_not_be_short(encryption: Encryption, public: dict[str, Any]) -> None:
    members = seal(public, PLAINTEXT).members
    for length in (0, 8, 24, 30):
        with pytest.raises(DecryptionFailed):
            encryption.open_body(json.dumps(members | {"auth_tag": members["auth_tag"][:length]}).encode())


def test_keys_that_cannot_decrypt(signing_keys: Keys, public: dict[str, Any]) -> None:
    with pytest.raises(DecryptionFailed):
        Encryption(signing_keys).open_body(seal(public, PLAINTEXT).body)
