"""People, their sessions, and what an access token says about them."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import NamedTuple

CUSTOMER, OPERATOR, AUDITOR = "customer", "operator", "auditor"


class Person(NamedTuple):
    """Someone who has logged in. `customer_id` is empty for operators and auditors.

    `generation` grows when the person's access ends at once (disabled, new password, other role): whatever
    was given out under an earlier one is refused. Unlike a time it cannot be on the wrong side of a race.
    """

    user_id: str
    username: str
    customer_id: str
    role: str
    generation: int = 0

    @property
    def subject(self) -> str:
        """The customer, or the user where there is no customer: key of the person's events."""
        return self.customer_id or self.user_id

    @property
    def mark(self) -> str:
        """Under this name all tokens of the generation are revoked."""
        return f"{self.user_id}#{self.generation}"


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

    @property
    def marks(self) -> tuple[str, str]:
        """Names under which the session may have been revoked."""
        return self.id, self.person.mark


def new_refresh_token() -> str:
    """256 random bits, base64url."""
    return secrets.token_urlsafe(32)


def refresh_hash(token: str) -> bytes:
    """What is stored of a refresh token. Random 256-bit secrets need no slow hash."""
    return hashlib.sha256(token.encode()).digest()
