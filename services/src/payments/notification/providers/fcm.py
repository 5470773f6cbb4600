"""Push messages by Firebase Cloud Messaging, HTTP v1.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send; access tokens by a signed
assertion of the service account (RFC 7523).
"""

import asyncio
import json
import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from payments.notification.providers import Outcome, Outgoing
from payments.notification.providers.http import CredentialsError, HttpProvider

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Fcm(HttpProvider):
    """Push messages of the project in `service_account` (the JSON key that Google issues)."""

    name = "fcm"

    def __init__(self, *, url: str, service_account: str, timeout: float) -> None:
        super().__init__(url, timeout)
        try:
            account = json.loads(service_account)
            self._path = f"/v1/projects/{account['project_id']}/messages:send"
            self._issuer = account["client_email"]
            self._token_url = account["token_uri"]
            self._key = RSAKey.import_key(account["private_key"])
        except (ValueError, KeyError, TypeError, JoseError) as error:
            raise CredentialsError(f"service-account.json is no service account key: {error!r}") from error
        self._token = ""
        self._token_until = 0.0
        self._lock = asyncio.Lock()

    async def _send_one(self, message: Outgoing, to: str) -> Outcome:
        token = await self._access_token()
        if not token:
            return Outcome(error=f"{self.name}: no access token")
        notification = {"title": message.text.subject, "body": message.text.body}
        response = await self._client.post(
            self._path,
            json={"message": {"token": to, "notification": notification}},
            headers={"Authorization": f"Bearer {token}"},
        )
        if response.status_code != 200:
            if response.status_code == 401:
                self._token_until = 0.0
            return self._refused(response)
        return Outcome(message_id=self._field(response, "name") or message.delivery_id)

    async def _access_token(self) -> str:
        async with self._lock:
            now = time.time()
            if now < self._token_until:
                return self._token
            claims = {
                "iss": self._issuer,
                "scope": SCOPE,
                "aud": self._token_url,
                "iat": int(now),
                "exp": int(now) + 3600,
            }
            assertion = jwt.encode({"alg": "RS256"}, claims, self._key, algorithms=["RS256"])
            form = {"grant_type": GRANT, "assertion": assertion}
            response = await self._client.post(self._token_url, data=form)
            if response.status_code != 200:
                return ""
            self._token = self._field(response, "access_token")
            lifetime = self._field(response, "expires_in")
            self._token_until = now + (int(lifetime) if lifetime.isdecimal() else 300) - 60
            return self._token
