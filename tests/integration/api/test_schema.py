"""The OpenAPI document tells the truth: Schemathesis tries all of it, as everybody who may come."""

import json
import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from tests.integration.api.conftest import SOAK
from tests.integration.api.matrix import ROUTES
from tests.integration.api.schema_runner import Report, load, run
from tests.integration.api.world import Person, World

ROLES = ("customer", "operator", "auditor", "anonymous")
EXAMPLES = 300 if SOAK else 4
_RESCREENING = ROUTES["GET /v1/screening/rescreenings/{list_version}"]


@pytest.fixture(scope="module")
def owner(world: World) -> Person:
    """A customer of these tests' own, for operators block whom the examples name."""
    return world.customer()


@pytest.fixture(scope="module")
def schema(world: World, document: dict[str, Any], owner: Person, other: Person) -> Any:
    """The document with objects of the owner's in place of its examples and its paths' parameters."""
    payment = world.payment(owner, other)
    refund = world.refund(owner, other)
    text = json.dumps(document)
    for example, real in (
        ("ACC001", owner.account),
        ("ACC002", other.account),
        ("cust_001", owner.customer_id),
        ("txn_001", payment),
        ("demo", owner.username),
    ):
        text = text.replace(json.dumps(example), json.dumps(real))
    known = {
        "payments": [payment],
        "refunds": [refund],
        "accounts": [owner.account],
        "reviews": [payment],
        "webhook_endpoints": [ROUTES["GET /v1/webhook_endpoints"].make(world, owner, other).id],
        "events": [ROUTES["GET /v1/events"].make(world, owner, other).id],
        "users": [world.customer().user_id],
        "screening/rules": [ROUTES["GET /v1/screening/rules/{id}"].make(world, owner, other).id],
        "screening/decisions": [ROUTES["GET /v1/screening/decisions/{id}"].make(world, owner, other).id],
        # Written so that no number that is tried is the same by chance.
        "screening/rescreenings": [_RESCREENING.make(world, owner, other).id.zfill(16)],
        # Somebody who need not be able to pay any more.
        "kyc/customers": [world.customer().customer_id],
    }
    described = json.loads(text)
    for path, methods in described["paths"].items():
        collection = re.match(r"/v1/((?:screening/|kyc/)?[a-z_-]+)/{", path)
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path" and collection is not None:
                    parameter["schema"]["enum"] = [*known.get(collection[1], []), "no-such-thing"]
    return load(described, str(world.http.base_url).rstrip("/"))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.timeout(3600 if SOAK else 300)
def test_every_operation_does_what_the_document_says(
    role: str, schema: Any, world: World, owner: Person, seed: int
) -> None:
    began = monotonic()
    headers = _headers(role, world, owner)
    report = run(
        schema,
        headers,
        seed=seed,
        examples=EXAMPLES,
        coverage=lambda name: SOAK or _tries_edges(role, name),
        report=Report(),
    )
    seconds = monotonic() - began
    print(f"{role}: {report.summary()} in {seconds:.1f} s")  # noqa: T201
    assert not report.failures, report.text()


def _tries_edges(role: str, name: str) -> bool:
    """The edges of each schema are tried by one who may use the operation."""
    roles = ROUTES[name].roles if name in ROUTES else frozenset()
    return role == ("customer" if not roles or "customer" in roles else min(roles))


def _headers(role: str, world: World, owner: Person) -> Callable[[str], dict[str, str]]:
    if role == "anonymous":
        return lambda _: {}
    person = owner if role == "customer" else world.staff(role)

    def headers(label: str) -> dict[str, str]:
        # What ends a session must not end the one that the others go on with.
        own = ROUTES[label].ends_session if label in ROUTES else False
        token = world.login(person.username)["access_token"] if own else person.token
        return {"Authorization": f"Bearer {token}"}

    return headers
