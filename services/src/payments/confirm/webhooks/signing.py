"""Secrets and signatures, as Standard Webhooks has them (https://www.standardwebhooks.com)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

_SECRET_BYTES = 32


def new_secret() -> str:
    """A new signing secret: `whsec_` and 256 random bits in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(event_id: str, body: str, signing: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers that prove where a webhook comes from.

    Args:
        event_id: the same at every attempt, so that the receiver can drop what it has seen.
        signing: secrets, one signature each: while a secret is being rolled, the old one signs, too.
        now: aware, in UTC; receivers refuse what is older than some minutes.
    """
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, now, body) for secret in signing),
    }
