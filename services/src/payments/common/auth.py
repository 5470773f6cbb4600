"""Who calls, and for whom.

Services prove themselves by their Kubernetes ServiceAccount token (audience `payment-platform`), which is
checked against the cluster's JWKS. The customer travels as an actor token: a JWT (RFC 7519) that only the
gateway can sign. Both checks are cached until the token expires.
"""

import base64
import json
import logging
import math
import time
from collections.abc import Collection
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
RELOAD_SECONDS = 10.0
_LEEWAY_SECONDS = 10  # the clocks of two nodes differ
_MAX_TOKEN_LENGTH = 4096
_ACTOR_SECONDS = 600  # the gateway gives them less than half of this
_HEADER = frozenset({"alg", "kid", "typ"})
ROLES = frozenset({"customer", "operator", "auditor"})

log = logging.getLogger(__name__)


class Actor(NamedTuple):
    """The person on whose behalf a call is made. `customer_id` is empty for operators and auditors."""

    user_id: str
    customer_id: str
    role: str


class BadToken(ValueError):
    """A JWT that is malformed, forged, expired or meant for something else."""


class KeyFile:
    """A JWK Set (RFC 7517) in a mounted file, read again when the file has changed.

    A change that cannot be read keeps the keys before it.

    Args:
        reload: seconds between two looks at the file.
    """

    def __init__(self, path: Path, *, reload: float = RELOAD_SECONDS) -> None:
        self._path = path
        self._reload = reload
        self._stamp: tuple[int, ...] = ()
        self._checked = 0.0
        self._keys: KeySet | None = None

    def keys(self) -> KeySet:
        """The keys now; the same object until they change.

        Raises:
            OSError, ValueError: the file is missing or no JWK Set, and was so from the beginning.
        """
        now = time.monotonic()
        if self._keys is not None and now - self._checked <= self._reload:
            return self._keys
        try:
            self._keys = self._read()
        except (OSError, ValueError) as error:
            if self._keys is None:
                raise
            log.error("%s cannot be read, the former keys stay in use: %s", self._path, type(error).__name__)
        self._checked = now
        return self._keys

    def _read(self) -> KeySet:
        found = self._path.stat()
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if self._keys is not None and stamp == self._stamp:
            return self._keys
        try:
            keys = KeySet.import_key_set(json.loads(self._path.read_text()))
        except (JoseError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{self._path} holds no usable JWK Set") from error
        if not keys.keys:
            raise ValueError(f"{self._path} holds no key")
        self._stamp = stamp
        return keys


def decode_token(
    token: str,
    keys: KeySet,
    *,
    algorithms: Collection[str],
    claims: JWTClaimsRegistry,
    typ: str | None = None,
    longest: float = math.inf,
) -> dict[str, Any]:
    """The claims of a good JWT (RFC 8725): its algorithm, type, issuer, audience and lifetime are checked.

    Keys come from `keys` alone, and a header that speaks of others or of extensions is refused.

    Args:
        longest: seconds from `iat` to `exp` at most.

    Raises:
        BadToken: whatever is wrong.
    """
    if len(token) > _MAX_TOKEN_LENGTH:
        raise BadToken("too long")
    try:
        decoded = jwt.decode(token, keys, algorithms=list(algorithms))
        header: dict[str, Any] = decoded.header
        if not header.keys() <= _HEADER or not isinstance(header.get("kid"), str):
            raise BadToken("the header says more or less than it should")
        if typ is not None and header.get("typ") != typ:
            raise BadToken("another type of token")
        claims.validate(decoded.claims)
        found = _claims_once(token)
        lifetime = float(found["exp"]) - float(found.get("iat", found["exp"]))
        if not 0 <= lifetime <= longest + _LEEWAY_SECONDS:
            raise BadToken("lives too long")
    except BadToken:
        raise
    except (
        JoseError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        # Until its signature is checked a token is anybody's text; its parsers raise all of these.
        raise BadToken(repr(error)) from error
    return found


def _claims_once(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    found: dict[str, Any] = json.loads(text, object_pairs_hook=_unique)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadToken("a claim stands twice")
    return found


class _Verifier:
    """Checks JWTs and remembers good ones until they expire or the keys change."""

    def __init__(
        self,
        keys: KeyFile,
        *,
        algorithms: Collection[str],
        claims: JWTClaimsRegistry,
        typ: str | None = None,
        longest: float = math.inf,
    ) -> None:
        self._file = keys
        self._algorithms = algorithms
        self._claims = claims
        self._typ = typ
        self._longest = longest
        self._keys: KeySet | None = None
        self._seen: dict[str, tuple[float, dict[str, Any]]] = {}

    def verify(self, token: str) -> dict[str, Any]:
        """The claims. Raises BadToken; OSError or ValueError while there are no keys."""
        keys = self._file.keys()
        if keys is not self._keys:
            self._seen.clear()  # one of them may have been signed with a key that was dropped
            self._keys = keys
        seen = self._seen.get(token)
        if seen is not None and seen[0] > time.time():
            return seen[1]
        claims = decode_token(
            token,
            keys,
            algorithms=self._algorithms,
            claims=self._claims,
            typ=self._typ,
            longest=self._longest,
        )
        if len(self._seen) >= _CACHE_SIZE:
            self._seen.clear()
        self._seen[token] = (float(claims["exp"]), claims)
        return claims


class CallerVerifier:
    """Tells which service calls.

    Args:
        issuer_file: the cluster's issuer (the `iss` of its ServiceAccount tokens).
        jwks_file: the cluster's JWKS.
        namespace: callers live in the platform's own namespace.
        allowed: names of the ServiceAccounts that may call.
        reload: seconds between two looks at the JWKS.
    """

    def __init__(
        self,
        *,
        issuer_file: Path,
        jwks_file: Path,
        namespace: str,
        allowed: frozenset[str],
        reload: float = RELOAD_SECONDS,
    ) -> None:
        self._reload = reload
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
        except (ValueError, OSError) as error:
            log.warning("a caller's token is not good: %s", type(error.__cause__ or error).__name__)
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
            self._verifier = _Verifier(
                KeyFile(self._jwks_file, reload=self._reload), algorithms=["RS256", "ES256"], claims=claims
            )
        return self._verifier


class ActorVerifier:
    """Tells for whom a service calls, from the gateway's signed claim."""

    def __init__(self, jwks_file: Path, *, reload: float = RELOAD_SECONDS) -> None:
        claims = JWTClaimsRegistry(
            leeway=_LEEWAY_SECONDS,
            iss={"essential": True, "value": GATEWAY_ISSUER},
            aud={"essential": True, "value": ACTOR_AUDIENCE},
            sub={"essential": True, "allow_blank": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        self._verifier = _Verifier(
            KeyFile(jwks_file, reload=reload),
            algorithms=["ES256"],
            claims=claims,
            typ=ACTOR_TYPE,
            longest=_ACTOR_SECONDS,
        )

    def verify(self, token: str | None) -> Actor | None:
        """The actor, None without a token. Raises Problem(unauthenticated) on a bad one."""
        if not token:
            return None
        try:
            claims = self._verifier.verify(token)
            actor = Actor(str(claims["user_id"]), str(claims["sub"]), str(claims["role"]))
        except (ValueError, KeyError, OSError) as error:
            raise Problem("unauthenticated") from error
        if actor.role not in ROLES or (actor.role == "customer" and not actor.customer_id):
            raise Problem("unauthenticated")
        return actor


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
