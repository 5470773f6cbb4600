"""Thirty and more tokens that nobody may accept, made from a good one and the key that signed it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def encode(part: Any) -> str:
    """base64url of bytes, or of JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    """The bytes of base64url."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def sign(key: ECKey | RSAKey | OctKey, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """A JWT signed by `key`; claims that are None are left out."""
    body = {name: value for name, value in claims.items() if value is not None}
    full = {name: value for name, value in header.items() if value is not None}
    return jwt.encode(dict(full), body, key, algorithms=[full["alg"]])


def raw(key: ECKey, header: Any, payload: bytes) -> str:
    """Any text as payload, with a good signature."""
    return jws.serialize_compact(header, payload, key, algorithms=["ES256"])


@cache
def strangers(kid: str) -> tuple[ECKey, RSAKey, ECKey]:
    """Keys of the attacker's own that call themselves `kid`; made once, for they take long."""
    return (
        ECKey.generate_key("P-256", {"kid": kid}),
        RSAKey.generate_key(2048, {"kid": kid}),
        ECKey.generate_key("P-384", {"kid": kid}),
    )


def foreign(key: ECKey, good: str) -> dict[str, str]:
    """Made without the private key: what an attacker can do with a good token and the published keys."""
    header_part, payload, signature = good.split(".")
    header, claims = json.loads(decode(header_part)), json.loads(decode(payload))
    kid = str(key.kid)
    stranger, rsa, p384 = strangers(kid)
    public = key.as_dict(private=False)
    r_s = decode(signature)
    s_other = (P256_ORDER - int.from_bytes(r_s[32:], "big")).to_bytes(32, "big")

    def unsigned(**changes: Any) -> str:
        return f"{encode(header | changes)}.{payload}"

    def by(secret: bytes) -> str:
        signed = unsigned(alg="HS256")
        return f"{signed}.{encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"

    def stranger_says(**changes: Any) -> str:
        return sign(stranger, header | changes, claims)

    twice = decode(payload)[:-1] + b',"role":"operator"}'
    nested = b'{"a":' * 400
    tampered = claims | {"role": "operator", "sub": "cust_002", "user_id": "user_operator"}
    return {
        "another key": stranger_says(),
        "another key, embedded": stranger_says(jwk=stranger.as_dict(private=False)),
        "another key, jku": stranger_says(jku="https://keys.example.com/jwks.json"),
        "another key, x5u": stranger_says(x5u="https://keys.example.com/cert.pem"),
        "another key, x5c": stranger_says(x5c=[encode(b"certificate")]),
        "unknown kid": stranger_says(kid="unknown"),
        "no kid": stranger_says(kid=None),
        "kid is a path": stranger_says(kid="../../../../dev/null"),
        "kid is SQL": stranger_says(kid="' OR 1=1 --"),
        "kid is empty": stranger_says(kid=""),
        "RS256": sign(rsa, header | {"alg": "RS256"}, claims),
        "PS256": sign(rsa, header | {"alg": "PS256"}, claims),
        "ES384": sign(p384, header | {"alg": "ES384"}, claims),
        "HS256 with the public JWK": by(json.dumps(public).encode()),
        "HS256 with the public PEM": by(key.as_pem(private=False)),
        "HS256 with the public point": by(decode(str(public["x"])) + decode(str(public["y"]))),
        "HS256 with nothing": by(b""),
        "alg none": f"{unsigned(alg='none')}.",
        "alg nOnE": f"{unsigned(alg='nOnE')}.",
        "alg none, signature kept": f"{unsigned(alg='none')}.{signature}",
        "alg empty": f"{unsigned(alg='')}.{signature}",
        "alg is a list": f"{unsigned(alg=['ES256'])}.{signature}",
        "crit": f"{unsigned(crit=['exp'], exp=1)}.{signature}",
        "b64 false": f"{unsigned(b64=False, crit=['b64'])}.{signature}",
        "zip": f"{unsigned(zip='DEF')}.{signature}",
        "claims tampered": f"{header_part}.{encode(tampered)}.{signature}",
        "claims added": f"{header_part}.{encode(twice)}.{signature}",
        "signature stripped": f"{header_part}.{payload}.",
        "signature dropped": f"{header_part}.{payload}",
        "signature cut": f"{header_part}.{payload}.{signature[:-8]}",
        "signature longer": f"{header_part}.{payload}.{encode(r_s + bytes(1))}",
        "r = s = 0": f"{header_part}.{payload}.{encode(bytes(64))}",
        "r = s = n": f"{header_part}.{payload}.{encode(P256_ORDER.to_bytes(32, 'big') * 2)}",
        "r and s swapped": f"{header_part}.{payload}.{encode(r_s[32:] + r_s[:32])}",
        "s negated, r changed": f"{header_part}.{payload}.{encode(bytes(32) + s_other)}",
        "signature of DER": f"{header_part}.{payload}.{encode(b'0' + r_s)}",
        "five parts": f"{good}.x.y",
        "JSON form": json.dumps({"payload": payload, "protected": header_part, "signature": signature}),
        "refresh token": "c2VjcmV0LXJlZnJlc2gtdG9rZW4tb2YtMzItYnl0ZXMtbG9uZw",
        "empty": "..",
        "no JSON": "a.b.c",
        "nested deep": f"{encode(b'[' * 2000)}.{payload}.{signature}",
        "claims nested deep": f"{header_part}.{encode(nested)}.{signature}",
        "huge": good + "a" * 6000,
        "null byte": good.replace(".", ".\x00", 1),
    }


def misused(key: ECKey, good: str, *, others: Mapping[str, str]) -> dict[str, str]:
    """Signed by the right key, but not good for this: other times, issuers, audiences, types, contents.

    Args:
        others: good tokens of other kinds, by name.
    """
    header_part, payload, _ = good.split(".")
    header, claims = json.loads(decode(header_part)), json.loads(decode(payload))
    now = int(claims["exp"]) - 60

    def says(**changes: Any) -> str:
        return sign(key, header, claims | changes)

    twice = decode(payload)[:-1] + b',"sub":"cust_002"}'
    return {
        "expired": says(iat=1, exp=2),
        "no exp": says(exp=None),
        "exp is text": says(exp="never"),
        "exp is infinite": raw(key, header, decode(payload).replace(str(claims["exp"]).encode(), b"1e999")),
        "nbf in the future": says(nbf=now + 36_000),
        "another iss": says(iss="https://issuer.example"),
        "no iss": says(iss=None),
        "another aud": says(aud="somebody-else"),
        "no aud": says(aud=None),
        "no sub": says(sub=None),
        "claims twice": raw(key, header, twice),
        "claims are a list": raw(key, header, b"[]"),
        "claims are text": raw(key, header, b"admin"),
        **others,
    }
