"""Local stand-ins for what a cluster gives: service identities, key sets, passwords.

The services check them exactly as in a cluster; only the issuer is a local key instead of the API server's.
"""

import json
import secrets
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

ISSUER = "payment-platform-dev"
AUDIENCE = "payment-platform"
NAMESPACE = "dev"
TOKEN_SECONDS = 7 * 24 * 3600
REDIS_PASSWORD = "redis"  # noqa: S105  of a container that listens on the loopback only
POSTGRES_PASSWORD = "postgres"  # noqa: S105


class Identity:
    """Files of identities below `root`; made once, tokens renewed at each start."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._issuer_key = self._key("issuer", "ES256")
        (root / "issuer").write_text(ISSUER)
        self._write("jwks.json", {"keys": [self._issuer_key.as_dict(private=False)]})
        self.gateway_key = self._key("signing", "ES256")
        encryption = self._key("encryption", "RSA-OAEP-256")
        for name, key in (("signing", self.gateway_key), ("encryption", encryption)):
            (root / name).mkdir(exist_ok=True)
            self._write(f"{name}/private.jwks.json", {"keys": [key.as_dict(private=True)]})
        public = [key.as_dict(private=False) for key in (self.gateway_key, encryption)]
        self._write("gateway-jwks.json", {"keys": public})
        self.otp_hmac_key = self._secret("otp-hmac-key")
        self.load_balancer_token = self._secret("load-balancer-token")

    def token_file(self, service: str) -> Path:
        """A file with a fresh token of this service, like a projected ServiceAccount token."""
        path = self.root / "tokens" / service
        path.parent.mkdir(exist_ok=True)
        path.write_text(self.token(service))
        return path

    def token(self, service: str, *, audience: str = AUDIENCE, namespace: str = NAMESPACE) -> str:
        """A token that says: I am this service."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": [audience],
            "sub": f"system:serviceaccount:{namespace}:{service}",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        header = {"alg": "ES256", "kid": self._issuer_key.kid}
        return jwt.encode(header, claims, self._issuer_key, algorithms=["ES256"])

    def actor_token(self, customer_id: str, *, user_id: str = "user", role: str = "customer") -> str:
        """A token that says, signed by the gateway: I call for this person."""
        now = int(time.time())
        claims = {
            "iss": "payment-platform-gateway",
            "aud": "payment-platform-services",
            "sub": customer_id,
            "user_id": user_id,
            "role": role,
            "iat": now,
            "exp": now + 300,
        }
        header = {"alg": "ES256", "typ": "actor+jwt", "kid": self.gateway_key.kid}
        return jwt.encode(header, claims, self.gateway_key, algorithms=["ES256"])

    def role_passwords(self, roles: list[str]) -> Path:
        """A folder with `<role>/password` for each database role."""
        folder = self.root / "roles"
        for role in roles:
            (folder / role).mkdir(parents=True, exist_ok=True)
            (folder / role / "password").write_text(f"dev-{role}")
        return folder

    def _key(self, name: str, algorithm: str) -> ECKey | RSAKey:
        path = self.root / f"{name}.key.json"
        if path.exists():
            return next(iter(KeySet.import_key_set({"keys": [json.loads(path.read_text())]}).keys))  # type: ignore[return-value]
        key: ECKey | RSAKey
        if algorithm.startswith("RSA"):
            key = RSAKey.generate_key(2048, parameters={"alg": algorithm, "use": "enc"}, auto_kid=True)
        else:
            key = ECKey.generate_key("P-256", parameters={"alg": algorithm, "use": "sig"}, auto_kid=True)
        self._write(path.name, key.as_dict(private=True))
        path.chmod(0o600)
        return key

    def _secret(self, name: str) -> str:
        path = self.root / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text()

    def _write(self, name: str, document: object) -> None:
        (self.root / name).write_text(json.dumps(document))
