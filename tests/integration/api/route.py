"""What an entry about a public route is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.api.world import Person, Request, World

CUSTOMER, OPERATOR, AUDITOR = "customer", "operator", "auditor"
EVERYBODY = frozenset({CUSTOMER, OPERATOR, AUDITOR})
CUSTOMERS, OPERATORS, AUDITORS = frozenset({CUSTOMER}), frozenset({OPERATOR}), frozenset({AUDITOR})
ASKER = "{asker}"  # in a body: the customer who asks


@dataclass(frozen=True)
class Target:
    """A request on one object. `id` is what names the object, in the path or the body."""

    path: str
    id: str = ""
    body: Any = None

    def request(self, method: str, asker: Person, key: str | None) -> Request:
        """The request as `asker` would send it."""
        body = self.body
        if isinstance(body, dict):
            body = {name: asker.customer_id if value == ASKER else value for name, value in body.items()}
        return Request(method, self.path, body, key)

    def renamed(self, other: str) -> "Target":
        """The same request on an object of another name."""
        body = self.body
        if isinstance(body, dict):
            body = {name: other if value == self.id else value for name, value in body.items()}
        return Target(self.path.replace(self.id, other), other, body)


Make = Callable[[World, Person, Person], Target]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation.

    Args:
        make: a new object of the owner (second argument; the third is the payee) and the request on it.
        roles: who is answered 2xx; empty: everybody, signed in or not.
        owned: the object is a customer's; for other customers it does not exist.
        ends_session: it is the asker's own session, or password, that it is about.
        listing: the answer lists objects, of which a customer sees only their own.
    """

    make: Make
    roles: frozenset[str] = frozenset()
    owned: bool = False
    listing: bool = False
    ends_session: bool = False


def fixed(path: str, body: Any = None) -> Make:
    """The same request each time."""
    return lambda *_: Target(path, body=body)
