"""What the tests know of each public route: who may use it, and a request on a real object that succeeds.

A route of the OpenAPI document that has no entry here fails the tests: whoever adds a route says here who may
use it and how to make an object for it.
"""

import secrets
from typing import Any

from tests.integration.api.route import (
    ASKER,
    AUDITORS,
    CUSTOMER,
    CUSTOMERS,
    EVERYBODY,
    OPERATOR,
    OPERATORS,
    Make,
    Route,
    Target,
    fixed,
)
from tests.integration.api.screening import SCREENING
from tests.integration.api.world import HIGH, PASSWORD, REVIEW, Person, Request, World, fresh_key


def _create(_: World, owner: Person, payee: Person) -> Target:
    amount = 1 + secrets.randbelow(10_000)
    body = {"amount": amount, "currency": "USD", "from_account": owner.account, "to_account": payee.account}
    return Target("/v1/payments", owner.account, body)


def _original(world: World, owner: Person, payee: Person) -> Target:
    payment = world.payment(owner, payee, 500)
    body = {"transaction_id": payment, "customer_id": ASKER, "amount": 5}
    return Target("/payment/confirm", payment, body)


def _new_payment(suffix: str, body: Any = None) -> Make:
    def make(world: World, owner: Person, payee: Person) -> Target:
        payment = world.payment(owner, payee)
        return Target(f"/v1/payments/{payment}{suffix}", payment, body)

    return make


def _confirmed(collection: str, suffix: str, amount: int, body: Any = None) -> Make:
    def make(world: World, owner: Person, payee: Person) -> Target:
        payment = world.confirmed(owner, payee, amount)
        return Target(f"/v1/{collection}/{payment}{suffix}", payment, body)

    return make


def _waiting_for_password(world: World, owner: Person, payee: Person) -> Target:
    payment = world.confirmed(owner, payee, HIGH)
    # As if the password had been sent long enough ago for another one.
    world.database.execute(
        "UPDATE otp.challenges SET created_at = created_at - interval '10 minutes' WHERE payment_id = %s",
        (payment,),
    )
    return Target(f"/v1/payments/{payment}/otp", payment)


def _refund(world: World, owner: Person, payee: Person) -> Target:
    refund = world.refund(owner, payee)
    return Target(f"/v1/refunds/{refund}", refund)


def _account(suffix: str = "") -> Make:
    return lambda _, owner, __: Target(f"/v1/accounts/{owner.account}{suffix}", owner.account)


def _payments(world: World, owner: Person, payee: Person) -> Target:
    return Target("/v1/payments?limit=100", world.payment(owner, payee))


def _new_user(_: World, __: Person, ___: Person) -> Target:
    mark = secrets.token_hex(6)
    return Target(
        "/v1/users", body={"username": f"user-{mark}", "role": CUSTOMER, "customer_id": f"cust-{mark}"}
    )


def _user(suffix: str = "", body: Any = None) -> Make:
    def make(world: World, owner: Person, payee: Person) -> Target:
        target = _new_user(world, owner, payee)
        user = world.done(target.request("POST", owner, fresh_key()), world.staff(OPERATOR))["id"]
        return Target(f"/v1/users/{user}{suffix}", user, body)

    return make


def _new_endpoint(world: World, owner: Person, _: Person) -> Target:
    _make_room(world, owner)
    body = {"url": f"http://127.0.0.1:9/{secrets.token_hex(8)}", "enabled_events": ["*"]}
    return Target("/v1/webhook_endpoints", body=body)


def _make_room(world: World, owner: Person) -> None:
    # A customer has at most 16.
    listed = world.done(Request("GET", "/v1/webhook_endpoints"), owner)["data"]
    for endpoint in listed[8:]:
        world.done(Request("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}"), owner)


def _create_endpoint(world: World, owner: Person, payee: Person) -> str:
    request = _new_endpoint(world, owner, payee).request("POST", owner, fresh_key())
    return str(world.done(request, owner)["id"])


def _endpoint(suffix: str = "", body: Any = None) -> Make:
    def make(world: World, owner: Person, payee: Person) -> Target:
        endpoint = _create_endpoint(world, owner, payee)
        return Target(f"/v1/webhook_endpoints/{endpoint}{suffix}", endpoint, body)

    return make


def _endpoints(world: World, owner: Person, payee: Person) -> Target:
    return Target("/v1/webhook_endpoints", _create_endpoint(world, owner, payee))


def _event(suffix: str = "", body: Any = None) -> Make:
    def make(world: World, owner: Person, payee: Person) -> Target:
        test = f"/v1/webhook_endpoints/{_create_endpoint(world, owner, payee)}/test"
        event = world.done(Request("POST", test, {}, fresh_key()), owner)["event"]
        return Target(f"/v1/events/{event}{suffix}", event, body)

    return make


def _events(world: World, owner: Person, payee: Person) -> Target:
    return Target("/v1/events?limit=100", _event()(world, owner, payee).id)


def _login(_: World, owner: Person, __: Person) -> Target:
    return Target("/auth/login", body={"username": owner.username, "password": PASSWORD})


def _refresh(world: World, owner: Person, _: Person) -> Target:
    return Target("/auth/refresh", body={"refresh_token": world.login(owner.username)["refresh_token"]})


ROUTES: dict[str, Route] = {
    "POST /auth/login": Route(make=_login),
    "POST /auth/refresh": Route(make=_refresh),
    "POST /auth/logout": Route(make=fixed("/auth/logout"), roles=EVERYBODY, ends_session=True),
    "POST /auth/password": Route(
        make=fixed("/auth/password", {"current_password": PASSWORD, "new_password": "Brackwasser-77-Ufer"}),
        roles=EVERYBODY,
        ends_session=True,
    ),
    "POST /v1/users": Route(make=_new_user, roles=OPERATORS),
    "GET /v1/users": Route(make=fixed("/v1/users"), roles=OPERATORS | AUDITORS),
    "GET /v1/users/{id}": Route(make=_user(), roles=OPERATORS | AUDITORS),
    "PATCH /v1/users/{id}": Route(make=_user("", {"status": "disabled"}), roles=OPERATORS),
    "POST /v1/users/{id}/password": Route(make=_user("/password", {}), roles=OPERATORS),
    "GET /.well-known/jwks.json": Route(make=fixed("/.well-known/jwks.json")),
    "GET /health": Route(make=fixed("/health")),
    "POST /payment/confirm": Route(make=_original, roles=CUSTOMERS, owned=True),
    "POST /v1/payments": Route(make=_create, roles=CUSTOMERS, owned=True),
    "GET /v1/payments": Route(make=_payments, roles=EVERYBODY, listing=True),
    "GET /v1/payments/{id}": Route(make=_new_payment(""), roles=EVERYBODY, owned=True),
    "GET /v1/payments/{id}/events": Route(make=_new_payment("/events"), roles=EVERYBODY, owned=True),
    "POST /v1/payments/{id}/confirm": Route(make=_new_payment("/confirm", {}), roles=CUSTOMERS, owned=True),
    "POST /v1/payments/{id}/cancel": Route(make=_new_payment("/cancel"), roles=CUSTOMERS, owned=True),
    "POST /v1/payments/{id}/otp": Route(make=_waiting_for_password, roles=CUSTOMERS, owned=True),
    "POST /v1/payments/{id}/refunds": Route(
        make=_confirmed("payments", "/refunds", 500, {"amount": 5}),
        roles=CUSTOMERS | OPERATORS,
        owned=True,
    ),
    "GET /v1/refunds/{id}": Route(make=_refund, roles=EVERYBODY, owned=True),
    "GET /v1/reviews": Route(make=fixed("/v1/reviews"), roles=OPERATORS | AUDITORS),
    "POST /v1/reviews/{id}/approve": Route(make=_confirmed("reviews", "/approve", REVIEW), roles=OPERATORS),
    "POST /v1/reviews/{id}/reject": Route(make=_confirmed("reviews", "/reject", REVIEW), roles=OPERATORS),
    "GET /v1/accounts": Route(
        make=lambda _, owner, __: Target("/v1/accounts?limit=100", owner.account),
        roles=EVERYBODY,
        listing=True,
    ),
    "GET /v1/accounts/{number}": Route(make=_account(), roles=EVERYBODY, owned=True),
    "GET /v1/accounts/{number}/entries": Route(make=_account("/entries"), roles=EVERYBODY, owned=True),
    "GET /v1/accounts/{number}/statements": Route(
        make=_account("/statements?from=2026-01-01&to=2026-01-31"), roles=EVERYBODY, owned=True
    ),
    "POST /v1/webhook_endpoints": Route(make=_new_endpoint, roles=CUSTOMERS),
    "GET /v1/webhook_endpoints": Route(make=_endpoints, roles=CUSTOMERS, listing=True),
    "GET /v1/webhook_endpoints/{id}": Route(make=_endpoint(), roles=CUSTOMERS, owned=True),
    "PATCH /v1/webhook_endpoints/{id}": Route(
        make=_endpoint("", {"description": "x"}), roles=CUSTOMERS, owned=True
    ),
    "DELETE /v1/webhook_endpoints/{id}": Route(make=_endpoint(), roles=CUSTOMERS, owned=True),
    "POST /v1/webhook_endpoints/{id}/roll_secret": Route(
        make=_endpoint("/roll_secret"), roles=CUSTOMERS, owned=True
    ),
    "POST /v1/webhook_endpoints/{id}/test": Route(make=_endpoint("/test"), roles=CUSTOMERS, owned=True),
    "GET /v1/webhook_endpoints/{id}/deliveries": Route(
        make=_endpoint("/deliveries"), roles=CUSTOMERS, owned=True
    ),
    "GET /v1/events": Route(make=_events, roles=CUSTOMERS, listing=True),
    "GET /v1/events/{id}": Route(make=_event(), roles=CUSTOMERS, owned=True),
    "POST /v1/events/{id}/replay": Route(make=_event("/replay", {}), roles=CUSTOMERS, owned=True),
    "GET /v1/audit/events": Route(make=fixed("/v1/audit/events?limit=5"), roles=AUDITORS),
    **SCREENING,
}


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations of an OpenAPI document by "METHOD /path"."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def unknown(document: dict[str, Any]) -> str:
    """What to do about operations without an entry in ROUTES, and entries without an operation."""
    documented = operations(document)
    lines = [
        f'{name}: add ROUTES["{name}"] to tests/integration/api/matrix.py: who may use it (roles), whether '
        "its object is a customer's (owned), how to make such an object and a request that succeeds (make)"
        for name in documented.keys() - ROUTES.keys()
    ]
    lines += [
        f"{name}: no such operation any more; remove it from ROUTES"
        for name in ROUTES.keys() - documented.keys()
    ]
    return "\n".join(sorted(lines))
