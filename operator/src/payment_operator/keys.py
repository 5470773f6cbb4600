"""Making passwords and keys. Pure but for the random source of the operating system."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, generate_private_key

Jwk = dict[str, Any]
PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")
RSA_BITS = 3072


def password() -> str:
    """32 characters, 192 bits, safe in URLs and on command lines (the first one is no dash)."""
    while True:
        text = secrets.token_urlsafe(24)
        if text[0] not in "-_":
            return text


def hmac_key() -> str:
    """43 characters, 256 bits."""
    return secrets.token_urlsafe(32)


def kafka_cluster_id() -> str:
    """22 characters of base64url, as Kafka's own random ids: never one that looks like an option."""
    while True:
        text = _base64url(secrets.token_bytes(16))
        if not text.startswith("-"):
            return text


def signing_jwk() -> Jwk:
    """A private P-256 key for ES256 (RFC 7518)."""
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = numbers.public_numbers
    required = {"crv": "P-256", "kty": "EC", "x": _octets(public.x), "y": _octets(public.y)}
    private = {"d": _octets(numbers.private_value)}
    return required | private | {"kid": thumbprint(required), "use": "sig", "alg": "ES256"}


def encryption_jwk() -> Jwk:
    """A private RSA key for RSA-OAEP-256 (RFC 7518)."""
    numbers: RSAPrivateNumbers = generate_private_key(65537, RSA_BITS).private_numbers()
    public = numbers.public_numbers
    required = {"e": _integer(public.e), "kty": "RSA", "n": _integer(public.n)}
    private = {
        "d": _integer(numbers.d),
        "p": _integer(numbers.p),
        "q": _integer(numbers.q),
        "dp": _integer(numbers.dmp1),
        "dq": _integer(numbers.dmq1),
        "qi": _integer(numbers.iqmp),
    }
    return required | private | {"kid": thumbprint(required), "use": "enc", "alg": "RSA-OAEP-256"}


def key_set(*keys: Jwk) -> str:
    """A JSON Web Key Set (RFC 7517)."""
    return json.dumps({"keys": list(keys)}, sort_keys=True, separators=(",", ":"))


def public_keys(*private_sets: str) -> str:
    """The public halves of private key sets as one set. Raises ValueError when one is no key set."""
    keys: list[Jwk] = []
    for text in private_sets:
        parsed = json.loads(text)
        if not isinstance(parsed, dict) or not isinstance(parsed.get("keys"), list) or not parsed["keys"]:
            raise ValueError("not a JSON Web Key Set")
        for key in parsed["keys"]:
            if not isinstance(key, dict) or "kty" not in key or "kid" not in key:
                raise ValueError("a key without kty or kid")
            if key["kty"] not in ("OKP", "EC", "RSA"):
                raise ValueError(f"a key of type {key['kty']} has no public half")
            keys.append({name: key[name] for name in PUBLIC_MEMBERS if name in key})
    return key_set(*keys)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _octets(value: int) -> str:
    """A coordinate of P-256: always 32 octets."""
    return _base64url(value.to_bytes(32, "big"))


def _integer(value: int) -> str:
    return _base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def thumbprint(required: dict[str, str]) -> str:
    """The id of a key, from its required members (RFC 7638)."""
    return _base64url(
        hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode()).digest()
    )
