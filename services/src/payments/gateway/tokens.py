"""Access tokens for people (RFC 9068) and actor tokens for the services, both signed JWTs.

The algorithm is the key's own, and type, issuer, audience and lifetime are checked (RFC 8725). Keys come from
the signing file alone: what a token's header says about keys (`jwk`, `jku`, `x5u`) is never followed.
"""

import time

from joserfc import jwt
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from payments.common.auth import (
    ACTOR_AUDIENCE,
    ACTOR_TYPE,
    GATEWAY_ISSUER,
    ROLES,
    BadToken,
    decode_token,
)
from payments.common.ids import new_id
from payments.gateway.domain import CUSTOMER, Person, Session
from payments.gateway.keys import Keys

ACCESS_AUDIENCE = "payment-platform"
ACCESS_TYPE = "at+jwt"
# Signatures that need a private key to make; which of them counts is said by the `alg` of each key.
_ALGORITHMS = frozenset({"ES256", "Ed25519", "PS256"})
LONGEST_SECONDS = 86_400
_CACHE_SIZE = 10_000
_ACTOR_SECONDS = 300
_ACTOR_REUSE_SECONDS = 240


class InvalidToken(Exception):
    """An access token that is malformed, forged, expired, or meant for something else."""


class Tokens:
    """Issues and reads tokens.

    Good access tokens are remembered until they expire, so that only the first use of one costs a signature
    check; a change of the keys forgets them all.
    """

    def __init__(self, keys: Keys, *, access_seconds: int) -> None:
        self._keys = keys
        self._access_seconds = access_seconds
        self._sessions: dict[str, Session] = {}
        self._read_with: KeySet | None = None
        self._claims = JWTClaimsRegistry(
            iss={"essential": True, "value": GATEWAY_ISSUER},
            aud={"essential": True, "value": ACCESS_AUDIENCE},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            user_id={"essential": True},
            role={"essential": True},
        )

    def issue(self, person: Person, session_id: str) -> str:
        """A new access token of a session."""
        now = int(time.time())
        return self._sign(
            ACCESS_TYPE,
            {
                "iss": GATEWAY_ISSUER,
                "aud": ACCESS_AUDIENCE,
                "sub": person.subject,
                "user_id": person.user_id,
                "username": person.username,
                "role": person.role,
                "sid": session_id,
                "gen": person.generation,
                "jti": new_id(),
                "iat": now,
                "exp": now + self._access_seconds,
            },
        )

    def read(self, token: str) -> Session:
        """The session of a good access token. Raises InvalidToken."""
        keys = self._keys.current()
        if keys is not self._read_with:
            self._sessions.clear()
            self._read_with = keys
        session = self._sessions.get(token)
        if session is None:
            session = self._verify(token, keys)
            if len(self._sessions) >= _CACHE_SIZE:
                self._sessions.clear()
            self._sessions[token] = session
        if session.expires_at <= time.time():
            del self._sessions[token]
            raise InvalidToken
        return session

    def actor_token(self, session: Session) -> str:
        """The signed claim for whom the gateway calls a service; one serves for four minutes."""
        now = time.time()
        if session.actor_until <= now:
            session.actor_until = now + _ACTOR_REUSE_SECONDS
            session.actor_token = self._sign(
                ACTOR_TYPE,
                {
                    "iss": GATEWAY_ISSUER,
                    "aud": ACTOR_AUDIENCE,
                    "sub": session.person.customer_id,
                    "user_id": session.person.user_id,
                    "role": session.person.role,
                    "iat": int(now),
                    "exp": int(now) + _ACTOR_SECONDS,
                },
            )
        return session.actor_token

    def _sign(self, typ: str, claims: dict[str, str | int]) -> str:
        key = self._keys.current().keys[0]
        return jwt.encode({"alg": key.alg, "typ": typ, "kid": key.kid}, claims, key, algorithms=_ALGORITHMS)

    def _verify(self, token: str, keys: KeySet) -> Session:
        try:
            claims = decode_token(
                token,
                keys,
                algorithms=_ALGORITHMS,
                claims=self._claims,
                typ=ACCESS_TYPE,
                longest=LONGEST_SECONDS,
            )
            generation = int(claims.get("gen", 0))
        except (BadToken, TypeError, ValueError) as error:
            raise InvalidToken from error
        role = str(claims["role"])
        if role not in ROLES:
            raise InvalidToken
        person = Person(
            user_id=str(claims["user_id"]),
            username=str(claims.get("username", "")),
            customer_id=str(claims["sub"]) if role == CUSTOMER else "",
            role=role,
            generation=generation,
        )
        return Session(person, str(claims.get("sid") or claims["jti"]), float(claims["exp"]))
