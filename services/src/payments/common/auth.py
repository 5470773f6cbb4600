"""Who calls, and for whom.

Services prove themselves by their Kubernetes ServiceAccount token (audience `payment-platform`), which is
checked against the cluster's JWKS. The customer travels as an actor token: a JWT (RFC 7519) that only the
gateway can sign. Both checks are cached until the token expires.
"""

import json
import logging
import time
from pathlib import Path
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from payments.common.errors import Problem

SERVICE_AUDIENCE = "payment-platform"
ACTOR_AUDIENCE = "payment-platform-services"
ACTOR_TYPE = "actor+jwt"
GATEWAY_ISSUER = "payment-platform-gateway"
_CACHE_SIZE = 10_000
_RELOAD_SECONDS = 10.0
_LEEWAY_SECONDS = 10  # the clocks of two nodes differ

log = logging.getLogger(__name__)


class Actor(NamedTuple):
    """The person on whose behalf a call is made. `customer_id` is empty for operators and auditors."""

    user_id: str
    customer_id: str
    role: str


class KeyFile:
    """A JWK Set (RFC 7517) in a mounted file, read again when the file has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = 0.0
        self._checked = 0.0
        self._keys: KeySet | None = None

    def keys(self) -> KeySet:
        """The keys now. Raises OSError or ValueError when the file is missing or no JWK Set."""
        now = time.monotonic()
        if self._keys is None or now - self._checked > _RELOAD_SECONDS:
            stamp = self._path.stat().st_mtime
            if self._keys is None or stamp != self._stamp:
                self._keys = KeySet.import_key_set(json.loads(self._path.read_text()))
                self._stamp = stamp
            self._checked = now
        return self._keys


class _Verifier:
    """Checks signature, type, issuer, audience and lifetime of JWTs; remembers good ones."""

    def __init__(self, keys: KeyFile, *, algorithms: list[str], claims: JWTClaimsRegistry) -> None:
        self._keys = keys
        self._algorithms = algorithms
        self._claims = claims
        self._seen: dict[str, tuple[float, dict[str, Any]]] = {}

    def verify(self, token: str, *, typ: str | None = None) -> dict[str, Any]:
        """The claims. Raises JoseError or ValueError when the token is not good."""
        now = time.time()
        seen = self._seen.get(token)
        if seen is not None and seen[0] > now:
            return seen[1]
        decoded = jwt.decode(token, self._keys.keys(), algorithms=self._algorithms)
        if typ is not None and decoded.header.get("typ") != typ:
            raise ValueError("another type of token")
        self._claims.validate(decoded.claims)
        if len(self._seen) >= _CACHE_SIZE:
            self._seen.clear()
        self._seen[token] = (float(decoded.claims["exp"]), decoded.claims)
        return decoded.claims


class CallerVerifier:
    """Tells which service calls.

    Args:
        issuer_file: the cluster's issuer (the `iss` of its ServiceAccount tokens).
        jwks_file: the cluster's JWKS.
        namespace: callers live in the platform's own namespace.
        allowed: names of the ServiceAccounts that may call.
    """

    def __init__(
        self, *, issuer_file: Path, jwks_file: Path, namespace: str, allowed: frozenset[str]
    ) -> None:
        self._issuer_file = issuer_file
        self._jwks_file = jwks_file
        self._prefix = f"system:serviceaccount:{namespace}:"
        self._allowed = allowed
        self._verifier: _Verifier | None = None

    def verify(self, authorization: str | None) -> str:
        """The caller's name. Raises Problem(caller_unauthenticated | caller_not_allowed)."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Problem("caller_unauthenticated")
        try:
            subject = str(self._open().verify(token)["sub"])
        except (JoseError, ValueError, OSError) as error:
            log.warning("a caller's token is not good: %r", error)
            raise Problem("caller_unauthenticated") from error
        name = subject.removeprefix(self._prefix)
        if not subject.startswith(self._prefix) or name not in self._allowed:
            log.warning("%s may not call", subject)
            raise Problem("caller_not_allowed")
        return name

    def _open(self) -> _Verifier:
        if self._verifier is None:
            claims = JWTClaimsRegistry(
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": self._issuer_file.read_text().strip()},
                aud={"essential": True, "value": SERVICE_AUDIENCE},
                sub={"essential": True},
                exp={"essential": True},
            )
            # Clusters sign with RSA or ECDSA keys.
            self._verifier = _Verifier(KeyFile(self._jwks_file), algorithms=["RS256", "ES256"], claims=claims)
        return self._verifier


class ActorVerifier:
    """Tells for whom a service calls, from the gateway's signed claim."""

    def __init__(self, jwks_file: Path) -> None:
        claims = JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": GATEWAY_ISSUER},
            aud={"essential": True, "value": ACTOR_AUDIENCE},
            exp={"essential": True},
        )
        self._verifier = _Verifier(KeyFile(jwks_file), algorithms=["ES256"], claims=claims)

    def verify(self, token: str | None) -> Actor | None:
        """The actor, None without a token. Raises Problem(unauthenticated) on a bad one."""
        if not token:
            return None
        try:
            claims = self._verifier.verify(token, typ=ACTOR_TYPE)
            return Actor(str(claims["user_id"]), str(claims["sub"]), str(claims["role"]))
        except (JoseError, ValueError, KeyError, OSError) as error:
            raise Problem("unauthenticated") from error


class TokenFile:
    """This service's own ServiceAccount token, which the kubelet renews in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read_at = 0.0
        self._token = ""

    def token(self) -> str:
        """The token, at most 60 s old. Raises OSError when the file is missing."""
        now = time.monotonic()
        if not self._token or now - self._read_at > 60:
            self._token = self._path.read_text().strip()
            self._read_at = now
        return self._token
