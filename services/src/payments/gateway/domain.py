"""People, their sessions, and what an access token says about them."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import NamedTuple

CUSTOMER, OPERATOR, AUDITOR = "customer", "operator", "auditor"


class Person(NamedTuple):
    """Someone who has logged in. `customer_id` is empty for operators and auditors."""

    user_id: str
    username: str
    customer_id: str
    role: str

    @property
    def subject(self) -> str:
        """The customer, or the user where there is no customer: key of the person's events."""
        return self.customer_id or self.user_id


@dataclass(slots=True)
class Session:
    """A person as one verified access token shows them.

    `id` names the login that the token comes from: revoking it ends every token of that login.
    `actor_token` is what the services get to see, good until `actor_until` (unix seconds).
    """

    person: Person
    id: str
    expires_at: float
    actor_token: str = ""
    actor_until: float = 0.0


def new_refresh_token() -> str:
    """256 random bits, base64url."""
    return secrets.token_urlsafe(32)


def refresh_hash(token: str) -> bytes:
    """What is stored of a refresh token. Random 256-bit secrets need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
